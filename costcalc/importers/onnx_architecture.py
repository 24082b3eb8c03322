"""An ONNX file as an architecture: the sizes that it leaves open are knobs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from costcalc.dims import is_rational
from costcalc.errors import UsageError, did_you_mean, shorten
from costcalc.graph import Graph, LayerList
from costcalc.importers.onnx_graph import OnnxGraph
from costcalc.importers.onnx_record import OnnxRecord, record_of
from costcalc.models.content_hash import content_hash
from costcalc.models.graph_architecture import described
from costcalc.models.knob import RESERVED_KNOBS, Knob
from costcalc.models.model import Architecture, image_knobs_of

Given = tuple[Sequence[Any], Mapping[str, Any]]  # shapes of inputs, in order and by name
IMAGE, VOLUME, LENGTH = 224, 32, 128  # what is chosen for an open size of an image, of a volume, and of a sequence


class OnnxArchitecture(Architecture):
    """The networks of an ONNX file. Each size that its inputs leave open is a knob, under the name that the file gives
    it; its default is chosen here, and said, as the file has none."""

    kind = "imported network"
    without_knobs = "all sizes of this ONNX file are fixed: export it with dynamic axes"

    def __init__(self, record: OnnxRecord, given: Given | None = None, max_layers: int = 100_000):
        self.record, self.max_layers = record, max_layers
        self.name = record.name
        self.title = f"ONNX, opset {record.opset}" + (f", {record.producer}" if record.producer else "")
        self.source = f"ONNX file {record.name}"
        self.sizes, self.knobs = open_sizes(record, shapes_by_name(record, given or ((), {})))
        self.built: dict[tuple[Any, ...], LayerList] = {}

    def layers(self, values: Mapping[str, Any]) -> Graph:
        """The layers at these sizes. Raises ImportRefused, ShapeError and UsageError as OnnxGraph.build does."""
        key = tuple(values.items()) if all(is_rational(value) for value in values.values()) else None
        if key is None or key not in self.built:
            sizes = {
                name: tuple(size if isinstance(size, int) else values[size] for size in shape)
                for name, shape in self.sizes.items()
            }
            made = OnnxGraph(self.record, sizes, self.max_layers).build()
            made.graph["notes"] = (*self.open_notes(), *made.graph.get("notes", ()))
            if key is None:
                return made
            self.built[key] = made
        known, copy = self.built[key], LayerList(**self.built[key].graph)
        copy.nodes.update({name: {**data} for name, data in known.nodes.items()})
        return copy

    def open_notes(self) -> tuple[str, ...]:
        """Which sizes the file leaves open, and what they are unless they are set."""
        if not self.knobs:
            return ()
        sizes = ", ".join(f"{name}={knob.default}" for name, knob in self.knobs.items())
        return (f"sizes that the file leaves open: {sizes} unless set",)

    @cached_property
    def identity(self) -> str:
        """Equal for files with equal layers and open sizes."""
        at_default = self.layers({name: knob.default for name, knob in self.knobs.items()})
        return content_hash([*described(at_default), self.sizes, self.record.nodes])

    @property
    def image_knobs(self) -> dict[str, int]:
        """Knobs that alone are every axis of an input after the channels."""
        return image_knobs_of(([*map(str, shape[2:])] for shape in self.sizes.values()), self.knobs)

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the layers: other processes make them again."""
        return {**vars(self), "built": {}}


def of_onnx(path: str, given: Given | None = None, max_layers: int = 100_000) -> OnnxArchitecture:
    """The network of an ONNX file. `given` are shapes of its inputs. Raises as `read_model` and `record_of` do."""
    return OnnxArchitecture(record_of(Path(path)), given, max_layers)


def shapes_by_name(record: OnnxRecord, given: Given) -> dict[str, tuple[int, ...]]:
    """The shapes that are given for inputs. Raises UsageError for one that the file has not, or that does not fit."""
    names = [*record.inputs]
    listed, named = given
    if len(listed) > len(names):
        raise UsageError(f"{record.name} has {len(names)} inputs, {', '.join(map(shorten, names))}; got {len(listed)}")
    found = {**dict(zip(names, listed)), **named}
    for name, value in found.items():
        if name not in record.inputs:
            raise UsageError(f"{record.name} has no input {name!r}", did_you_mean(name, names))
        shape = tuple(getattr(value, "shape", value))
        found[name] = shape
        said = record.inputs[name]
        fits = len(said) == len(shape) and all(isinstance(b, str) or a == b for a, b in zip(shape, said))
        if not fits:
            theirs = ",".join(str(size) or "?" for size in said)
            raise UsageError(
                f"the input {name!r} of {record.name} has the shape {theirs}, got {','.join(map(str, shape))}"
            )
    return found


def open_sizes(
    record: OnnxRecord, given: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, tuple[int | str, ...]], dict[str, Knob]]:
    """The shapes of the inputs, with names of knobs for open sizes, and the knobs. Raises UsageError for an open size
    that has neither a name nor a value."""
    knobs: dict[str, Knob] = {}
    names: dict[str, str] = {}  # those of the file, and of knobs
    shapes = {}
    for name, said in record.inputs.items():
        shape: list[int | str] = []
        for axis, size in enumerate(said):
            value = given[name][axis] if name in given else None
            if isinstance(size, int):
                shape.append(size)
                continue
            if not size and axis and value is None:
                shown = ",".join(str(n) if isinstance(n, int) else n or "?" for n in said)
                hint = f"give its shape, as in --input {shorten(name)}={','.join(['1'] * len(said))}"
                raise UsageError(f"{record.name} leaves axis {axis} of its input {shorten(name)!r} open: {shown}", hint)
            if not size and axis:
                shape.append(value or 1)
                continue
            knob = names.setdefault(size or "batch", knob_name(size or "batch", names.values()))
            default = value or default_of(axis, len(said))
            about = f"size {shorten(size)!r} of the file" if size else "examples at once"
            if knob not in knobs or value is not None or not axis:
                knobs[knob] = Knob(knob, default, about=about)
            shape.append(knob)
        shapes[name] = tuple(shape)
    for name, values in given.items():
        for size, value in zip(shapes[name], values):
            if isinstance(size, str) and knobs[size].default != value:
                raise UsageError(
                    f"{record.name}: {size!r} is {knobs[size].default} and {value} in the shapes that are given"
                )
    return shapes, knobs


def knob_name(said: str, taken: Any) -> str:
    """A name of the file as that of a knob: a letter, then letters, digits and underscores."""
    name = re.sub(r"\W", "_", said, flags=re.ASCII)[:64]
    name = name if re.match(r"[A-Za-z_]", name) else f"size_{name}"
    while name in RESERVED_KNOBS or name in taken:
        name = f"{name}_"
    return name


def default_of(axis: int, rank: int) -> int:
    """One example; images and volumes of a usual size, sequences of a usual length."""
    if axis == 0:
        return 1
    return {4: IMAGE, 5: VOLUME}.get(rank, LENGTH) if axis > 1 or rank < 4 else 3
