"""Points of a grid, and their reductions: the best by one knob or metric, or the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costcalc.errors import UsageError

MAX_FRONT_POINTS = 5_000  # in three directions or more
BYTES_OF_A_PYTHON_NUMBER = 40  # an int beyond 64 bits
Order = tuple[str, bool]  # a name, and whether more of it is better


@dataclass(frozen=True)
class Points:
    """Some points of a grid, in its order: `columns` has an array for each knob and metric."""

    columns: dict[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def nbytes(self) -> int:
        """About the bytes of memory. Python's ints and Fractions lie outside of their array."""
        return sum(
            v.nbytes + (BYTES_OF_A_PYTHON_NUMBER * v.size if v.dtype == object else 0) for v in self.columns.values()
        )

    def select(self, names: Iterable[str]) -> Points:
        """The same points with these columns alone."""
        return Points({name: self.columns[name] for name in names})

    def take(self, chosen: Any) -> Points:
        """The points that a bool or index array chooses."""
        return Points({name: values[chosen] for name, values in self.columns.items()})


def concatenate(parts: Sequence[Points]) -> Points:
    """Concatenates points. int64 and Python ints make an array of Python ints."""
    return Points({name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns})


def top_points(points: Points, order: Order, count: int) -> Points:
    """The best `count` points by one column, in the grid's order; of equal points the first."""
    if len(points) <= count:
        return points
    points = points.take(_at_least_as_good_as(points.columns[order[0]], count, order[1]))
    (rank,) = _ranks(points, [order])
    return points.take(np.sort(np.argsort(rank, kind="stable")[:count]))


def _at_least_as_good_as(values: Any, count: int, more: bool) -> Any:
    """Which values are at least as good as the one at rank `count`. A partition takes a tenth of the time of a sort."""
    at = len(values) - count if more else count - 1
    edge = np.partition(values, at)[at]
    return values >= edge if more else values <= edge


def sorted_by(points: Points, order: Order) -> Points:
    """Sorts points, the best first, equal ones in the grid's order."""
    (rank,) = _ranks(points, [order])
    return points.take(np.argsort(rank, kind="stable"))


def pareto_front(points: Points, orders: Sequence[Order]) -> Points:
    """The Pareto front: the points for which no other is as good in all of these and better in one."""
    ranks = _ranks(points, orders)
    sorted_ = np.lexsort(ranks[::-1])  # by the first, then by the second …: no point beats an earlier one
    of = _front_of_two if len(ranks) <= 2 else _front_of_many
    return points.take(np.sort(of(np.stack(ranks, axis=1)[sorted_], sorted_)))


def _ranks(points: Points, orders: Sequence[Order]) -> list[Any]:
    """Replaces numbers by their ranks, 0 for the best; equal numbers have the same rank."""
    found = []
    for name, more in orders:
        _, rank = np.unique(points.columns[name], return_inverse=True)
        found.append(-rank if more else rank)
    return found


def _front_of_two(ranks: Any, sorted_: Any) -> Any:
    """The points whose second number is less than all before; equal points stay together."""
    first, second = ranks[:, 0], ranks[:, -1]
    if not len(first):
        return sorted_
    before = np.concatenate([[second.max() + 1], np.minimum.accumulate(second)[:-1]])
    kept = second < before
    alike = np.concatenate([[False], (first[1:] == first[:-1]) & (second[1:] == second[:-1])])
    groups = np.maximum.accumulate(np.where(alike, 0, np.arange(len(first))))  # where each run of equal points starts
    return sorted_[kept[groups]]


def _front_of_many(ranks: Any, sorted_: Any) -> Any:
    """The front of sorted points. Raises UsageError if it has too many points, because each point is compared with all
    of the front."""
    kept: list[int] = []
    members = np.empty_like(ranks)
    for i in _best_by_the_last(ranks):
        point = ranks[i]
        beaten = (members[: len(kept)] <= point).all(axis=1) & (members[: len(kept)] < point).any(axis=1)
        if not beaten.any():
            if len(kept) == MAX_FRONT_POINTS:
                raise UsageError(
                    f"more than {MAX_FRONT_POINTS:,} points of a front in {ranks.shape[1]} directions; "
                    "name two, leave points out with --where, or take larger steps"
                )
            members[len(kept)] = point
            kept.append(i)
    return sorted_[kept]


def _best_by_the_last(ranks: Any) -> Any:
    """Of sorted points that are equal in all but the last number, those whose last number is the least."""
    starts = np.flatnonzero(np.append(True, (ranks[1:, :-1] != ranks[:-1, :-1]).any(axis=1))[: len(ranks)])
    runs = np.diff(np.append(starts, len(ranks)))
    return np.flatnonzero(ranks[:, -1] == np.repeat(ranks[starts, -1], runs))
