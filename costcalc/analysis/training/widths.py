"""The bytes of an element in a training step: of each output, and of the other tensors that its layer makes."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from costcalc.analysis.training.step_layers import StepLayer
from costcalc.dtype import Dtype
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.ops.precision import SINGLE_BYTES, Widths


def widths_of(layers: Sequence[StepLayer], dtype: Dtype) -> dict[Any, Widths]:
    """The widths of each layer. In mixed precision an op computes them from those of its inputs; inputs of the network
    are float32. Indices and truths keep their widths in every dtype, and no op computes in them."""
    found: dict[Any, Widths] = {}
    plain = None if dtype.is_mixed else Widths(*[dtype.scale("activations")] * 2)
    bytes_of = bytes_of_non_floats(layers)
    for each in layers:
        widths = [found[source].output for source in each.layer.inputs]
        floats = _float_widths(each, widths, bytes_of)
        own = plain or each.layer.op.autocast(*floats, ins=each.input_shapes, wanted=each.wanted)
        if each.over is not None:
            own = own._replace(output=widths[each.over])
        found[each.name] = own._replace(output=bytes_of[each.name]) if each.name in bytes_of else own
    return found


def _float_widths(each: StepLayer, widths: Sequence[int], non_floats: Container[Any]) -> Sequence[int]:
    """The widths of the inputs that are floats; if none is, float32 for each, unless they are indices of rows."""
    floats = [width for width, source in zip(widths, each.layer.inputs) if source not in non_floats]
    if floats or each.layer.op.index_limit is not None:
        return floats or widths
    return [SINGLE_BYTES] * len(widths)


def bytes_of_non_floats(layers: Sequence[StepLayer]) -> dict[Any, int]:
    """The outputs whose elements are not floats, with the bytes of an element: layers that say so, and indices of rows
    with their views and copies."""
    indices = dict.fromkeys(index_tensors(layers), INDEX_BYTES)
    return indices | {each.name: each.layer.element_bytes for each in layers if each.layer.element_bytes}


def index_tensors(layers: Sequence[StepLayer]) -> set[Any]:
    """The outputs whose elements are indices: the input of an embedding, and the outputs that it was copied from."""
    found: set[Any] = set()
    for each in reversed(layers):
        layer = each.layer
        if layer.op.index_limit is not None:
            found.add(layer.inputs[0])
        if layer.name in found and layer.op.output.keeps_values:
            found.update(layer.inputs)
    return found
