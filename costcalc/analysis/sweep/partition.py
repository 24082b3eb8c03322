"""Partitions a grid into parts in which only the sizes of the network differ.

A computation over a grid raises PointsDiffer where its points need separate answers: a condition holds at some of them,
a flag has two values, a body that changes its shape is repeated 2 or 3 times. Then the grid is split along one axis and
each part is computed. Every part is a grid, so arrays along its axes stay short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import Sums, Totals, axes_of_layer_costs, sums
from costcalc.errors import GraphError, ImportRefused, PointsDiffer, ShapeError, SpecError
from costcalc.models.model import Model

Array = Any  # numpy.ndarray
AnswerT = TypeVar("AnswerT")
INVALID_POINT_ERRORS = SpecError, ShapeError, GraphError, ImportRefused  # of all points; of some, PointsDiffer


@dataclass(frozen=True)
class Part(Generic[AnswerT]):
    """A part of a grid, with the answer for it. `at` has the indices of its values along each axis of the grid."""

    grid: Grid
    at: tuple[Array, ...]
    answer: AnswerT

    def inside(self, block: Grid, shape: tuple[int, ...]) -> tuple[Grid, tuple[Array, ...]]:
        """The intersection of a block of the whole grid, which has this shape, and this part: as a block of the part,
        and as indices in the block."""
        ends = [cut.indices(n)[:2] for cut, n in zip(block.within, shape)]
        within = tuple(slice(*np.searchsorted(at, end).tolist()) for at, end in zip(self.at, ends))
        there = tuple(at[cut] - low for at, cut, (low, _) in zip(self.at, within, ends))
        return self.grid.take([range(cut.start, cut.stop) for cut in within], within), there


def partition(grid: Grid, ask: Callable[[Grid, tuple[Array, ...]], AnswerT]) -> list[Part[AnswerT]]:
    """The parts of a grid, each with its answer; one part if `ask` answers for the whole grid."""
    found, todo = [], [(grid, tuple(map(np.arange, grid.shape)))]
    while todo:
        part, at = todo.pop()
        try:
            found.append(Part(part, at, ask(part, at)))
        except PointsDiffer as differ:
            for chosen in _split(np.asarray(differ.key), part.shape):
                todo.append((part.take(chosen), tuple(indices[few] for indices, few in zip(at, chosen))))
    return found


def _split(key: Array, shape: tuple[int, ...]) -> Iterator[list[Array]]:
    """The indices along each axis of parts that differ in a key, split along the axis that makes the fewest parts."""
    codes = np.unique(key, return_inverse=True)[1].reshape(key.shape)
    along = {axis: _equal_rows(np.moveaxis(codes, axis, 0)) for axis, n in enumerate(key.shape) if n > 1}
    axis, groups = min(((a, groups) for a, groups in along.items() if len(groups) > 1), key=lambda pair: len(pair[1]))
    for group in groups:
        yield [group if a == axis else np.arange(n) for a, n in enumerate(shape)]


def _equal_rows(rows: Array) -> list[Array]:
    """The indices of equal rows, an array for each group."""
    groups: dict[bytes, list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(index)
    return [*map(np.array, groups.values())]


@dataclass(frozen=True)
class InvalidPart:
    """The sums of a part without a valid network."""

    metrics: Sequence[str]
    reason: str
    valid: bool = False
    nbytes: int = 0

    def at(self, block: Grid) -> Totals:
        """Zeros; no point is valid."""
        return Totals(block, {name: np.zeros((1,) * len(block.axes), np.int64) for name in self.metrics}, False)


@dataclass(frozen=True)
class PartitionedSums:
    """The sums of a grid of several parts."""

    grid: Grid
    metrics: Sequence[str]
    parts: Sequence[Part[Sums | InvalidPart]]

    def at(self, block: Grid) -> Totals:
        """The totals at the points of a block of the grid."""
        found = []
        for part in self.parts:
            inner, there = part.inside(block, self.grid.shape)
            if inner.size:
                found.append((np.ix_(*there), part.answer.at(inner)))
        valid = np.zeros(block.shape, bool)
        values = {}
        for metric in self.metrics:
            is_object = any(totals.values[metric].dtype == object for _, totals in found)
            values[metric] = np.zeros(block.shape, object if is_object else np.int64)
            for there, totals in found:
                values[metric][there] = totals.values[metric]
        for there, totals in found:
            valid[there] = totals.valid
        return Totals(block, values, valid)

    @property
    def nbytes(self) -> int:
        """The memory that the parts take."""
        return sum(part.answer.nbytes for part in self.parts)

    @cached_property
    def reason(self) -> str:
        """Why the first invalid point is invalid."""
        firsts = [(self._first(part), part.answer.reason) for part in self.parts if not np.all(part.answer.valid)]
        return min(firsts, default=(0, ""))[1]

    def _first(self, part: Part[Sums | InvalidPart]) -> int:
        valid = np.broadcast_to(part.answer.valid, part.grid.shape)
        point = np.unravel_index(int(np.argmin(valid)), valid.shape)
        return int(np.ravel_multi_index([at[i] for at, i in zip(part.at, point)], self.grid.shape))


AnySums: TypeAlias = Sums | InvalidPart | PartitionedSums


def partitioned_sums(model: Model, grid: Grid, metrics: Sequence[str]) -> AnySums:
    """The sums of a network over a grid, also if points are different networks or invalid."""

    def ask(part: Grid, _: tuple[Array, ...]) -> Sums | InvalidPart:
        try:
            return sums(model, part, metrics)
        except PointsDiffer:
            raise
        except INVALID_POINT_ERRORS as error:
            return InvalidPart(metrics, str(error))

    parts = partition(grid, ask)
    return parts[0].answer if len(parts) == 1 else PartitionedSums(grid, metrics, parts)


def layer_axes(model: Model, grid: Grid) -> tuple[bool, ...]:
    """Whether the costs of single layers vary along each axis of a grid, judged by its first two values. Along other
    axes only the number of copies changes. Invalid points count as if costs varied along all of them."""
    few = grid.take([range(min(2, n)) for n in grid.shape])

    def ask(part: Grid, _: tuple[Array, ...]) -> tuple[bool, ...]:
        unseen = tuple(n == 1 and name in few.numbers for name, n in zip(part.axes, part.shape))
        try:
            return tuple(a or b for a, b in zip(unseen, axes_of_layer_costs(model, part)))
        except PointsDiffer:
            raise
        except INVALID_POINT_ERRORS:
            return (True,) * len(unseen)

    found = [part.answer for part in partition(few, ask)]
    return tuple(any(along) and n > 1 for along, n in zip(zip(*found), grid.shape))
