"""Elements that a layer moves: the definition of `traffic_bytes` and of the GB/s of a timed layer.

Each tensor counts once and whole, as if every layer ran on its own without a cache: each layer that uses shared weights
reads them, and an output that is written in place is read and written. Repeated reads, workspaces and fused kernels are
not considered.
"""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements


def weights_moved(row: Row) -> Iterator[Size]:
    """Elements of each tensor that one copy of a layer reads: its weights, biases and buffers. A tensor that is its
    output is read by other layers."""
    if row.op.lies_in_weights:
        return iter(())
    return (elements(tensor.shape) for tensor in row.op.weights(*row.input_shapes))


def activations_moved(row: Row) -> Iterator[Size]:
    """Elements of each input that one copy of a layer reads, and of its output; a view moves none."""
    return iter(()) if row.op.output.view else map(elements, (*row.input_shapes, row.output_shape))


def elements_moved(row: Row) -> Size:
    """All elements that one copy of a layer moves."""
    return sum(weights_moved(row)) + sum(activations_moved(row))
