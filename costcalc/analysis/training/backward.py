"""The MACs of the backward pass."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.walk import walk
from costcalc.dims import Size
from costcalc.graph import Graph, unroll
from costcalc.ops.gradients import Wanted


def backward_macs(graph: Graph) -> dict[Any, Size]:
    """MACs of the backward pass by layer, repeats unrolled. Learned tensors need a gradient, and so does every tensor
    that was computed from one; the inputs of the network do not."""
    found: dict[Any, Size] = {}
    learned: dict[Any, bool] = {}  # does the layer's output depend on something learned?
    for row in walk(unroll(graph)):
        own = frozenset(t.name for t in row.op.weights(*row.input_shapes) if t.role != "buffer")
        wanted = Wanted(tuple(learned[source] for source in row.inputs), own)
        found[row.name] = row.op.backward_macs(*row.input_shapes, out=row.output_shape, wanted=wanted)
        learned[row.name] = wanted.any
    return found
