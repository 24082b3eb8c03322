"""A grid whose points are not one network but for its sizes, cut into parts that are.

What is asked of a grid raises PointsDiffer where points have to be counted apart: a condition holds at some of them, a
flag has two values, a body that changes its shape is repeated 2 or 3 times. Then the grid is cut along one axis into
parts that agree, and each is asked. Every part is a grid: columns along its axes stay as short as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.metrics import METRICS
from costcalc.analysis.sweep.totals import Sums, Totals, stretches, sums
from costcalc.errors import GraphError, PointsDiffer, ShapeError, SpecError
from costcalc.spec.network import Network

Array = Any  # numpy.ndarray
Answer = TypeVar("Answer")
NO_NETWORK = (SpecError, ShapeError, GraphError)  # of one point; of several PointsDiffer, if they differ in it


@dataclass(frozen=True)
class Part(Generic[Answer]):
    """Points of a grid that agree: `at` has the numbers of their values along each axis of it, in order."""

    grid: Grid
    at: tuple[Array, ...]
    answer: Answer

    def inside(self, block: Grid, shape: tuple[int, ...]) -> tuple[Grid, tuple[Array, ...]]:
        """What of a block of the whole grid, which has this shape, is in this part, as a block of it; and where in that
        block it is."""
        ends = [cut.indices(n)[:2] for cut, n in zip(block.within, shape)]
        within = tuple(slice(*np.searchsorted(at, end).tolist()) for at, end in zip(self.at, ends))
        there = tuple(at[cut] - low for at, cut, (low, _) in zip(self.at, within, ends))
        return self.grid.only([range(cut.start, cut.stop) for cut in within], within), there


def apart(grid: Grid, ask: Callable[[Grid, tuple[Array, ...]], Answer]) -> list[Part[Answer]]:
    """The parts of a grid, with the answer of each; one part if its points agree."""
    found, todo = [], [(grid, tuple(map(np.arange, grid.shape)))]
    while todo:
        part, at = todo.pop()
        try:
            found.append(Part(part, at, ask(part, at)))
        except PointsDiffer as differ:
            for chosen in _cut(np.asarray(differ.key), part.shape):
                todo.append((part.only(chosen), tuple(numbers[few] for numbers, few in zip(at, chosen))))
    return found


def _cut(key: Array, shape: tuple[int, ...]) -> Iterator[list[Array]]:
    """The values along each axis of the parts that differ in a key: cut along the axis that makes the fewest."""
    codes = np.unique(key, return_inverse=True)[1].reshape(key.shape)
    along = {axis: _alike(np.moveaxis(codes, axis, 0)) for axis, n in enumerate(key.shape) if n > 1}
    axis, groups = min(((a, groups) for a, groups in along.items() if len(groups) > 1), key=lambda pair: len(pair[1]))
    for group in groups:
        yield [group if a == axis else np.arange(n) for a, n in enumerate(shape)]


def _alike(rows: Array) -> list[Array]:
    """Numbers of rows that are the same, together."""
    groups: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(number)
    return [*map(np.array, groups.values())]


@dataclass(frozen=True)
class Refused:
    """Sums of points at none of which there is such a network."""

    metrics: Sequence[str]
    reason: str
    valid: bool = False
    nbytes: int = 0

    def at(self, block: Grid) -> Totals:
        """Totals that mean nothing."""
        return Totals(block, {name: np.zeros((1,) * len(block.axes), np.int64) for name in self.metrics}, False)


@dataclass(frozen=True)
class Patchwork:
    """Sums of a grid of several parts."""

    grid: Grid
    metrics: Sequence[str]
    parts: Sequence[Part[Sums | Refused]]

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
        """What is wrong at the first point where there is no such network."""
        firsts = [(self._first(part), part.answer.reason) for part in self.parts if not np.all(part.answer.valid)]
        return min(firsts, default=(0, ""))[1]

    def _first(self, part: Part[Sums | Refused]) -> int:
        valid = np.broadcast_to(part.answer.valid, part.grid.shape)
        point = np.unravel_index(int(np.argmin(valid)), valid.shape)
        return int(np.ravel_multi_index([at[i] for at, i in zip(part.at, point)], self.grid.shape))


def sums_apart(net: Network, grid: Grid, metrics: Sequence[str] = METRICS) -> Sums | Refused | Patchwork:
    """What a network costs at every point of a grid, also where points are other networks or none."""

    def ask(part: Grid, at: tuple[Array, ...]) -> Sums | Refused:
        try:
            return sums(net, part, metrics)
        except PointsDiffer:
            raise
        except NO_NETWORK as error:
            return Refused(metrics, str(error))

    parts = apart(grid, ask)
    return parts[0].answer if len(parts) == 1 else Patchwork(grid, metrics, parts)


def axes_of_layers(net: Network, grid: Grid) -> tuple[bool, ...]:
    """Along which axes of a grid costs of layers stretch, seen at the first two values of each; others only say how
    often layers are repeated. Biases, norms and buffers stretch as weights do. Where it is not seen, they may."""
    few = grid.only([range(min(2, n)) for n in grid.shape])

    def ask(part: Grid, at: tuple[Array, ...]) -> tuple[bool, ...]:
        unseen = tuple(n == 1 and name in few.numbers for name, n in zip(part.axes, part.shape))
        try:
            return tuple(a or b for a, b in zip(unseen, stretches(net, part)))
        except PointsDiffer:
            raise
        except NO_NETWORK:
            return (True,) * len(unseen)

    found = [part.answer for part in apart(few, ask)]
    return tuple(any(along) and n > 1 for along, n in zip(zip(*found), grid.shape))
