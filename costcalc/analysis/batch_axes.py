"""The axis of each tensor on which the examples of a batch lie: not always the first, as in an attention that takes
(tokens, batch, channels), and sometimes a part of one, as where each image is cut into windows.

It is followed from the inputs of the network on, by what each op says that it reads (ops/reads.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, divides, equal, exact_div, is_array, is_symbolic, prod
from costcalc.ops.reads import REGROUPED, UNKNOWN


class BatchAxis(NamedTuple):
    """The axis of the examples; not `is_whole`: each of them has several places on it."""

    axis: int
    is_whole: bool = True


class _BatchPlace(NamedTuple):
    """An axis of outer × batch × inner elements, row-major; here are the elements of the outer factor."""

    axis: int
    outer: Size = 1


FIRST = BatchAxis(0)


def batch_of_inputs(rows: Iterable[Row]) -> Size | None:
    """The examples of a network: the first axis of its first input."""
    return next((row.output_shape[0] for row in rows if row.op.is_input and row.output_shape), None)


def batch_axes(rows: Sequence[Row]) -> Mapping[str, BatchAxis | None]:
    """The axis of the batch by the name of a layer, where it is not the first one as a whole; None for a tensor without
    a batch, as a learned one. Among sizes that are arrays it is taken to be the first."""
    batch = batch_of_inputs(rows)
    if is_symbolic(batch):
        places = {str(row.name): _of_symbol(row.output_shape) for row in rows}
    elif batch is not None and _may_move(rows, batch):
        places = _followed(rows, batch)
    else:
        return {str(row.name): None for row in rows if not row.inputs and not row.op.is_input}
    found = {str(row.name): _best(places[str(row.name)], row.output_shape, batch) for row in rows}
    return {name: axis for name, axis in found.items() if axis != FIRST}


def _may_move(rows: Sequence[Row], batch: Size) -> bool:
    """Has a tensor that is no learned one another first axis? False for sizes that are arrays."""
    of_each_kind = {size.__class__: size for row in rows for size in row.output_shape}
    if any(map(is_array, of_each_kind.values())) or not batch:
        return False
    return {row.output_shape[:1] for row in rows if row.inputs or row.op.is_input} != {(batch,)}


def _of_symbol(shape: Shape) -> tuple[_BatchPlace, ...]:
    """The axes on which a batch may lie that is a symbol."""
    return tuple([_BatchPlace(axis) for axis, size in enumerate(shape) if is_symbolic(size)])


def _followed(rows: Sequence[Row], batch: Size) -> dict[str, tuple[_BatchPlace, ...]]:
    """The places where the batch of each layer may lie: of one example there may be several, until a layer takes one of
    them for something else. A layer that does not say where elements go puts the batch first."""
    found: dict[str, tuple[_BatchPlace, ...]] = {}
    for row in rows:
        out = row.output_shape
        if row.op.is_input:
            found[str(row.name)] = (_BatchPlace(0),) if out[:1] == (batch,) else ()
            continue
        carrying = [(i, known) for i, source in enumerate(row.inputs) if (known := found.get(str(source), ()))]
        after = [(*_through(row, i, known, batch),) for i, known in carrying]
        certain = [places for places in after if places]
        common = [place for place in certain[0] if all(place in places for places in certain)] if certain else []
        found[str(row.name)] = (*common,) or next(iter(certain), (_BatchPlace(0),) if carrying else ())
    return found


def _through(row: Row, i: int, known: Iterable[_BatchPlace], batch: Size) -> Iterator[_BatchPlace]:
    """Where the batch of an input lies in the output. Of an op on images, (n, c, h, w), it is the first axis."""
    x, out = row.input_shapes[i], row.output_shape
    if row.op.layout == "image":
        yield from (one for one in known if one.axis == 0)
        return
    reads = row.op.reads(i, row.input_shapes, out)
    if reads == REGROUPED:
        yield from dict.fromkeys(place for one in known for place in _regrouped(x, out, one, batch))
    elif reads != UNKNOWN:
        for axis, entry in enumerate(reads):
            if entry is not None and (entry.window, entry.stride, entry.even) == (1, 1, True):
                same = (one for one in known if one.axis == entry.axis and equal(x[one.axis], out[axis]) is True)
                yield from (_BatchPlace(axis, one.outer) for one in same)


def _regrouped(x: Shape, out: Shape, place: _BatchPlace, batch: Size) -> Iterator[_BatchPlace]:
    """Where the batch lies after a reshape; only as the first or the last factor of an axis."""
    outer, before = prod(x[: place.axis]) * place.outer, 1  # elements outside of the batch, and of the axis
    for axis, size in enumerate(out):
        is_first, is_last = equal(before, outer), equal(before * size, outer * batch)
        if divides(batch, size) is True and (is_first is True or is_last is True):
            yield _BatchPlace(axis, exact_div(outer, before))
        before *= size


def _best(places: Sequence[_BatchPlace], shape: Shape, batch: Size) -> BatchAxis | None:
    """The axis of one of the places, one that has examples alone if there is one."""
    sizes = [(place.axis, shape[place.axis]) for place in places if place.axis < len(shape)]
    for axis, size in sizes:
        if size == batch:
            return BatchAxis(axis)
    return next((BatchAxis(axis, False) for axis, size in sizes if divides(batch, size) is True), None)
