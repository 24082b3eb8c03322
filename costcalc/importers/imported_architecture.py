"""A network from elsewhere as an architecture: its graph is recorded anew for each size of its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from costcalc.dims import is_rational
from costcalc.errors import UsageError
from costcalc.graph import Graph
from costcalc.importers.build_graph import GraphBuilder
from costcalc.importers.run_record import Record
from costcalc.models.content_hash import content_hash
from costcalc.models.graph_architecture import described
from costcalc.models.knob import Knob
from costcalc.models.model import Architecture

if TYPE_CHECKING:
    from costcalc.importers.module_source import ModuleSource

Inputs = tuple[tuple[Any, ...], dict[str, Any]]  # positional, and by name: shapes, and values that are no tensors


class ImportedArchitecture(Architecture):
    """A network that runs. Its knobs are sizes of its inputs: `batch`, and `r` where images are square."""

    kind = "imported network"

    def __init__(
        self, name: str, run: Callable[[Inputs], Record], inputs: Inputs, source: str = "",
        module_source: ModuleSource | None = None,
    ):  # fmt: skip
        self.name, self.run, self.inputs, self.source = name, run, inputs, source
        self.module_source = module_source  # of the module that runs, if there is one
        self.title = "imported"
        self.knobs = knobs_of(inputs)
        self.graphs: dict[tuple[Any, ...], Graph] = {}

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The recorded graph at these sizes. Raises UsageError for symbols and arrays, ImportRefused if the network
        does not run at these sizes."""
        if not all(is_rational(value) for value in values.values()):
            raise UsageError(f"{self.name}: sizes of an imported network are numbers, as in {self.name}@batch=8")
        key = tuple(values.items())
        if key not in self.graphs:
            self.graphs[key] = GraphBuilder(self.run(self.at(values)), self.name).build()
        return self.graphs[key].copy()

    def at(self, values: Mapping[str, Any]) -> Inputs:
        """The inputs at some values of the knobs."""
        by_default = {name: knob.default for name, knob in self.knobs.items()}
        args, kwargs = self.inputs
        return (
            tuple(resized(x, by_default, values) for x in args),
            {name: resized(x, by_default, values) for name, x in kwargs.items()},
        )

    def inputs_at(self, values: Mapping[str, Any]) -> Inputs:
        """The inputs of the module at some values of the knobs."""
        return self.at(values)

    @cached_property
    def identity(self) -> str:
        """Equal for equal graphs at the default sizes."""
        return content_hash([*described(self.layers({name: knob.default for name, knob in self.knobs.items()}))])


def shape_of_input(value: Any) -> tuple[int, ...]:
    """The shape of a tensor, or what is one; empty for another value."""
    if is_tensor(value):
        return tuple(value.shape)
    is_shape = isinstance(value, tuple) and all(type(size) is int for size in value)
    return value if is_shape else ()


def is_tensor(value: Any) -> bool:
    """Is this a tensor? Of indices it stands in place of its shape, since its dtype counts."""
    return hasattr(value, "new_empty") and hasattr(value, "shape")


def knobs_of(inputs: Inputs) -> dict[str, Knob]:
    """The batch that all inputs have, the side of square images, and the length of sequences of tokens."""
    values = [x for x in (*inputs[0], *inputs[1].values()) if shape_of_input(x)]
    shapes = [*map(shape_of_input, values)]
    knobs = {}
    if shapes and len({x[0] for x in shapes}) == 1:
        knobs["batch"] = Knob("batch", shapes[0][0], about="examples at once")
    images = {x[-1] for x in shapes if len(x) >= 4}
    if len(images) == 1 and all(x[-1] == x[-2] for x in shapes if len(x) >= 4):
        knobs["r"] = Knob("r", images.pop(), about="input resolution in pixels")
    lengths = {x.shape[1] for x in values if is_tensor(x) and len(x.shape) == 2}
    if len(lengths) == 1:
        knobs["tokens"] = Knob("tokens", lengths.pop(), about="tokens of each example")
    return knobs


def resized(x: Any, default: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
    """The shape of an input with other sizes of the knobs."""
    shape = shape_of_input(x)
    if not shape:
        return x
    sizes = [values.get("batch", shape[0]) if "batch" in default else shape[0], *shape[1:]]
    if "r" in default and len(shape) >= 4:
        sizes[-2:] = [values["r"]] * 2
    if is_tensor(x):
        if "tokens" in default and len(shape) == 2:
            sizes[1] = values["tokens"]
        return x.new_empty([*map(int, sizes)])
    return tuple(map(int, sizes))
