"""The bytes of an element in a training step: of each output, and of the other tensors that its layer makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costcalc.analysis.training.step_layers import StepLayer
from costcalc.dtype import Dtype
from costcalc.ops.gradients import INDEX_BYTES
from costcalc.ops.precision import Widths


def widths_of(layers: Sequence[StepLayer], dtype: Dtype) -> dict[Any, Widths]:
    """The widths of each layer. In mixed precision an op computes them from those of its inputs; inputs of the network
    are float32. Indices are int64 in every dtype."""
    found: dict[Any, Widths] = {}
    plain = None if dtype.is_mixed else Widths(*[dtype.scale("activations")] * 2)
    indices = index_tensors(layers)
    for each in layers:
        widths = [found[source].output for source in each.layer.inputs]
        own = plain or each.layer.op.autocast(*widths, ins=each.input_shapes, wanted=each.wanted)
        if each.over is not None:
            own = own._replace(output=widths[each.over])
        found[each.name] = own._replace(output=INDEX_BYTES) if each.name in indices else own
    return found


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
