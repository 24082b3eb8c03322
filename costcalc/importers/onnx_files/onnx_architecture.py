"""An ONNX file as an architecture: the sizes that it leaves open are knobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from costcalc.dims import Shape, is_rational
from costcalc.errors import PointsDiffer, ShapeError, UsageError
from costcalc.expressions import Expression
from costcalc.graph import Graph, LayerList
from costcalc.importers.onnx_files.onnx_graph import OnnxGraph
from costcalc.importers.onnx_files.onnx_inputs import Given, open_sizes
from costcalc.importers.onnx_files.onnx_record import OnnxRecord, record_of
from costcalc.importers.torch_runs.run_record import STRICT, Leniency
from costcalc.models.architecture import Architecture, image_knobs_of
from costcalc.models.content_hash import content_hash
from costcalc.models.graph_architecture import described

NOTHING_GIVEN: Given = ((), {})


class OnnxArchitecture(Architecture):
    """The networks of an ONNX file. Each size that its inputs leave open is a knob, under the name that the file gives
    it; its default is chosen here, and said, as the file has none."""

    kind = "imported network"
    without_knobs = "all sizes of this ONNX file are fixed: export it with dynamic axes"

    def __init__(
        self, record: OnnxRecord, given: Given = NOTHING_GIVEN, max_layers: int = 100_000, lenient: Leniency = STRICT
    ):
        self.record, self.max_layers, self.lenient = record, max_layers, lenient
        self.name = record.name
        self.title = f"ONNX, opset {record.opset}" + (f", {record.producer}" if record.producer else "")
        self.source = f"ONNX file {record.name}"
        self.sizes, self.knobs = open_sizes(record, given)
        self.built: dict[tuple[Any, ...], LayerList] = {}

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The layers at these sizes. Raises ImportRefused, ShapeError and UsageError as OnnxGraph.build does."""
        key = tuple(values.items()) if all(is_rational(value) for value in values.values()) else None
        if key is None or key not in self.built:
            made = self.build(values, "" if key is None else ", ".join(f"{name}={value}" for name, value in key))
            made.graph["notes"] = (*self.open_notes(), *made.graph["notes"])
            if key is None:
                return made
            self.built[key] = made
        known = self.built[key]
        copy = LayerList(**known.graph)
        copy.nodes.update({name: {**data} for name, data in known.nodes.items()})
        return copy

    def build(self, values: Mapping[str, Any], said: str) -> LayerList:
        """The layers. An error about sizes says what the open ones are."""
        try:
            return OnnxGraph(self.record, self.at(values), self.max_layers, self.lenient).build()
        except PointsDiffer:
            raise
        except ShapeError as error:
            if not said:
                raise
            name = [*self.knobs][-1]
            raise ShapeError(f"{error}, at {said}", f"the file leaves these sizes open: {self.name}@{name}=…") from None

    def at(self, values: Mapping[str, Any]) -> dict[str, Shape]:
        """The shapes of the inputs at some values of the knobs."""

        def at(size: Any) -> Any:
            if isinstance(size, Expression):
                return size.value(values)
            return values[size] if isinstance(size, str) else size

        return {name: tuple(map(at, shape)) for name, shape in self.sizes.items()}

    def open_notes(self) -> tuple[str, ...]:
        """Which sizes the file leaves open, and what they are unless they are set."""
        if not self.knobs:
            return ()
        sizes = ", ".join(f"{name}={knob.default}" for name, knob in self.knobs.items())
        return (f"sizes that the file leaves open: {sizes} unless set",)

    @cached_property
    def identity(self) -> str:
        """Equal for files with equal layers and open sizes."""
        nodes = [node[:-1] for node in self.record.nodes]  # without their places in the file
        at_default = self.layers({name: knob.default for name, knob in self.knobs.items()})
        return content_hash([*described(at_default), self.sizes, nodes])

    @property
    def image_knobs(self) -> dict[str, int]:
        """Knobs that alone are every axis of an input after the channels."""
        return image_knobs_of(([*map(str, shape[2:])] for shape in self.sizes.values()), self.knobs)

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the layers: other processes make them again."""
        return {**vars(self), "built": {}}


def of_onnx(
    path: str, given: Given = NOTHING_GIVEN, max_layers: int = 100_000, lenient: Leniency = STRICT
) -> OnnxArchitecture:
    """The network of an ONNX file. `given` are shapes of its inputs. Raises UsageError for a run that is to end at a
    value, since a file does not run; and as `read_model` and `record_of` do."""
    if lenient.until_values:
        raise UsageError(f"{path}: until_values is about modules that run; nodes of an ONNX file do not")
    return OnnxArchitecture(record_of(Path(path)), given, max_layers, lenient)
