"""The MACs of the backward pass."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.op_answers import learned_tensors
from costcalc.analysis.walk import walk
from costcalc.dims import Size
from costcalc.graph import Graph, unroll
from costcalc.ops.gradients import Wanted


def backward_macs(graph: Graph) -> dict[Any, Size]:
    """MACs of the backward pass by layer, repeats unrolled. Learned tensors and tensors computed from them need a
    gradient; the inputs of the network do not."""
    found: dict[Any, Size] = {}
    learned: dict[Any, bool] = {}  # does the layer's output depend on something learned?
    for row in walk(unroll(graph)):
        learned_names = frozenset(tensor.name for tensor in learned_tensors(row.op, row.input_shapes))
        wanted = Wanted(tuple(learned[source] for source in row.inputs), learned_names)
        found[row.name] = row.op.backward_macs(*row.input_shapes, out=row.output_shape, wanted=wanted)
        learned[row.name] = wanted.any
    return found
