"""The axis of each tensor on which the examples of a batch lie: not always the first, as in an attention that takes
(tokens, batch, channels), and sometimes a part of one, as where each image is cut into windows.

It is followed from the inputs of the network on, by what each op says that it reads (ops/reads.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, divides, is_symbolic, prod
from costcalc.ops.reads import REGROUPED, UNKNOWN


class BatchAxis(NamedTuple):
    """The axis of the examples; not `is_whole`: each of them has several places on it."""

    axis: int
    is_whole: bool = True


class _Place(NamedTuple):
    """Where examples may lie: on an axis, with so many elements of it before the next example is reached."""

    axis: int
    before: int = 1


FIRST = BatchAxis(0)


def batch_of_inputs(rows: Iterable[Row]) -> Size | None:
    """The examples of a network: the first axis of its first input."""
    return next((row.output_shape[0] for row in rows if row.op.is_input and row.output_shape), None)


def batch_axes(rows: Sequence[Row]) -> Mapping[str, BatchAxis | None]:
    """The axis of the batch by the name of a layer, where it is not the first one as a whole; None for a tensor without
    a batch, as a learned one. Of one example among other sizes that are no numbers it is taken to be the first."""
    batch = batch_of_inputs(rows)
    are_numbers = {n.__class__ for row in rows for n in row.output_shape} == {int}
    others = [row for row in rows if row.inputs or row.op.is_input]
    if is_symbolic(batch):
        places = {str(row.name): _of_symbol(row.output_shape) for row in rows}
    elif are_numbers and batch and {row.output_shape[:1] for row in others} != {(batch,)}:
        places = _followed(rows, int(batch))
    else:
        return {str(row.name): None for row in rows if not row.inputs and not row.op.is_input}
    found = {str(row.name): _best(places[str(row.name)], row.output_shape, batch) for row in rows}
    return {name: axis for name, axis in found.items() if axis != FIRST}


def _of_symbol(shape: Shape) -> tuple[_Place, ...]:
    """The axes on which a batch may lie that is a symbol."""
    return tuple([_Place(axis) for axis, size in enumerate(shape) if is_symbolic(size)])


def _followed(rows: Sequence[Row], batch: int) -> dict[str, tuple[_Place, ...]]:
    """The places where the batch of each layer may lie: of one example there may be several, until a layer takes one of
    them for something else. A layer that does not say where elements go puts the batch first."""
    found: dict[str, tuple[_Place, ...]] = {}
    for row in rows:
        out = row.output_shape
        if row.op.is_input:
            found[str(row.name)] = (_Place(0),) if out[:1] == (batch,) else ()
            continue
        carrying = [(i, known) for i, source in enumerate(row.inputs) if (known := found.get(str(source), ()))]
        after = [(*_through(row, i, known, batch),) for i, known in carrying]
        certain = [places for places in after if places]
        common = [place for place in certain[0] if all(place in places for places in certain)] if certain else []
        found[str(row.name)] = (*common,) or next(iter(certain), (_Place(0),) if carrying else ())
    return found


def _through(row: Row, i: int, known: Iterable[_Place], batch: int) -> Iterator[_Place]:
    """Where the batch of an input lies in the output."""
    x, out = row.input_shapes[i], row.output_shape
    reads = row.op.reads(i, row.input_shapes, out)
    if reads == REGROUPED:
        yield from dict.fromkeys(place for one in known for place in _regrouped(x, out, one, batch))
    elif reads != UNKNOWN:
        for axis, entry in enumerate(reads):
            if entry is not None and (entry.window, entry.stride, entry.even) == (1, 1, True):
                same = (one for one in known if one.axis == entry.axis and x[one.axis] == out[axis])
                yield from (_Place(axis, one.before) for one in same)


def _regrouped(x: Shape, out: Shape, place: _Place, batch: int) -> Iterator[_Place]:
    """Where it lies under another shape: at the beginning or the end of an axis."""
    before, start = prod(x[: place.axis]) * place.before, 1
    for axis, size in enumerate(out):
        if size % batch == 0 and (start == before or start * size == before * batch):
            yield _Place(axis, before // start)
        start *= size


def _best(places: Sequence[_Place], shape: Shape, batch: Size) -> BatchAxis | None:
    """The axis of one of the places, one that has examples alone if there is one."""
    sizes = [(place.axis, shape[place.axis]) for place in places if place.axis < len(shape)]
    for axis, size in sizes:
        if size == batch:
            return BatchAxis(axis)
    return next((BatchAxis(axis, False) for axis, size in sizes if divides(batch, size) is True), None)
