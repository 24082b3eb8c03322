"""The MACs of the backward pass."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.walk import walk
from costcalc.dims import Size
from costcalc.graph import Graph, unroll


def backward_macs(graph: Graph) -> dict[Any, Size]:
    """MACs of the backward pass by layer, repeats unrolled. Learned tensors need a gradient, and so does every tensor
    that was computed from one; the inputs of the network do not."""
    found: dict[Any, Size] = {}
    learned: dict[Any, bool] = {}  # does the layer's output depend on something learned?
    for row in walk(unroll(graph)):
        wanted = tuple(learned[source] for source in row.inputs)
        own = any(tensor.role != "buffer" for tensor in row.op.weights(*row.input_shapes))
        found[row.name] = row.op.backward_macs(*row.input_shapes, out=row.output_shape, wanted=wanted)
        learned[row.name] = own or any(wanted)
    return found
