"""Nodes of an ONNX file without a rule, which a reader takes as free: their shapes are those that the file states."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from costcalc.dims import Shape
from costcalc.errors import shorten
from costcalc.importers.onnx_files.onnx_inputs import expression_of
from costcalc.importers.onnx_files.onnx_record import OnnxRecord, shape_text
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step
from costcalc.ops.imported import Constant, Move


def taken_as_free(asked: Asked, record: OnnxRecord, sizes: Mapping[str, Shape], read: Collection[str]) -> Made:
    """The layer of a node without a rule, and the shapes of its further outputs; () where nothing reads one. Refuses
    a node of whose output the file states no shape. `sizes` are the shapes of the inputs."""
    first, *others = (
        stated_shape(asked, name, record, sizes) if name in read else () for name in asked.node.outputs or ("",)
    )
    inputs = tuple(x for x in asked.inputs if x is not None and (x.layer is not None or x.tensor is not None))
    op = Move(first) if inputs else Constant(first)
    return Made((Step(op, inputs),), tuple(others))


def stated_shape(asked: Asked, name: str, record: OnnxRecord, sizes: Mapping[str, Shape]) -> Shape:
    """The shape that the file states of a tensor, its open sizes by those of the inputs."""
    said = record.shapes.get(name)
    if said is None:
        asked.refuse(
            f"it has no rule, and the file does not state the shape of its output {shorten(name)!r}; "
            "add it to the graph's value_info"
        )
    known = {
        text: size
        for one, shape in sizes.items()
        for text, size in zip(record.inputs[one], shape)
        if isinstance(text, str) and text
    }

    def at(size: Any) -> Any:
        if isinstance(size, int):
            return size
        if size in known:
            return known[size]
        found = expression_of(size, known)
        if found is None:
            asked.refuse(
                f"it has no rule, and the file leaves open the shape {shape_text(said)} of its output {shorten(name)!r}"
            )
        return found.value(known)

    return tuple(map(at, said))
