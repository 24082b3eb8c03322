"""What a layer moves: the one definition behind the traffic of a sweep and the GB/s of a layer that was timed.

Each tensor once and whole, as if every layer ran on its own and nothing stayed in a cache: weights that are shared are
read by each layer that uses them, an output that is overwritten in place is read and written. What a kernel reads twice
or keeps in a workspace is not considered, nor that a fused kernel does not write what the next one reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements


def weights_moved(row: Row) -> Iterator[Size]:
    """Elements of each tensor that one copy of a layer reads: its weights, biases and buffers."""
    return (elements(tensor.shape) for tensor in row.op.weights(*row.input_shapes))


def activations_moved(row: Row) -> Iterator[Size]:
    """Elements of each input that one copy of a layer reads, and of its output; a view moves none."""
    return iter(()) if row.op.output.view else map(elements, (*row.input_shapes, row.output_shape))


def elements_moved(row: Row) -> Size:
    """The sum of what one copy of a layer moves."""
    return sum(weights_moved(row)) + sum(activations_moved(row))
