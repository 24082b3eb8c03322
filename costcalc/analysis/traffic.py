"""What a layer moves: the one definition behind the traffic of a sweep and the GB/s of a layer that was timed."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements


def moved(row: Row) -> Iterator[Size]:
    """Elements that one copy of a layer reads and writes: each input it names, each of its tensors, its output; a view
    moves none.

    Each once and whole, as if every layer ran on its own and nothing stayed in a cache: weights that are shared are
    read by each layer that uses them, an output that is overwritten in place is read and written, and what a kernel
    reads twice, keeps in a workspace or, fused with the next, never writes at all is not considered.
    """
    if row.op.view:
        return
    yield from map(elements, row.input_shapes)
    yield from (elements(tensor.shape) for tensor in row.op.weights(*row.input_shapes))
    yield elements(row.output_shape)


def elements_moved(row: Row) -> Size:
    """The sum of what one copy of a layer moves."""
    return sum(moved(row))
