"""How many points of a grid there are of each size: exact counts in round bins, whatever the size of the grid.

Numbers are counted by their first three digits, so that chunks need not know each other's range; of these counts the
finest bins are made that are no more than wanted: of steps of 1, 2, 5 … 100 in the first three digits, of 1, 2 and 5,
or of decades.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from costcalc.table import CONVENTION, Column, Table, document

BINS = 24  # at most; 20 or so are told apart at a glance
STEPS = (1, 2, 5, 10, 20, 50, 100)  # of the first three digits, from 100 to 999
SIGNS = " ▏▎▍▌▋▊▉█"
WIDTH = 30  # signs of the longest bar


@cache
def _edges() -> Any:
    """Every number of at most three digits that count, up to the end of a machine word."""
    small = [*range(100)]
    return np.array(small + [m * 10**k for k in range(17) for m in range(100, 1000) if m * 10**k < 2**63])


def counted(values: Any) -> dict[int, int]:
    """How many numbers have the same first three digits, by the least such number: of int64, or Python's ints, ≥ 0."""
    if values.dtype != object:
        at = np.searchsorted(_edges(), values, side="right") - 1
        counts = np.bincount(at) if len(at) else at
        return {int(_edges()[i]): int(counts[i]) for i in np.flatnonzero(counts)}
    return dict(Counter(_first_three(int(value)) for value in values.tolist()))


def _first_three(value: int) -> int:
    digits = str(value)
    return int(digits[:3].ljust(len(digits), "0"))


@dataclass(frozen=True, eq=False, repr=False)
class Histogram:
    """How many points of a grid have a metric in each bin."""

    label: str
    metric: str
    rows: tuple[tuple[int, int, int], ...]  # from, up to but not including, points
    notes: tuple[str, ...] = ()

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each bin, empty ones between others too."""
        return [{"from": low, "below": high, "points": points} for low, high, points in self.rows]

    def table(self, bars: bool = False) -> Table:
        """A row for each bin; bars are for someone who is looking."""
        most = max((points for *_, points in self.rows), default=0)
        every = sum(points for *_, points in self.rows)
        columns = [Column("from", f"{self.metric} from"), Column("below", "to below"), Column("points", "points")]
        columns += [Column("share", "share", "share", 1)] + [Column("bar", "", "text", 2)] * bars
        rows = [
            {**record, "share": record["points"] / every, "bar": _bar(record["points"], most)}
            for record in self.to_records()
        ]
        notes = [*self.notes, *([CONVENTION] if self.metric == "macs" else [])]
        return Table(f"{self.label}: points by {self.metric}", columns, rows, None, notes)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc sweep --histogram`."""
        return document(target=self.label, metric=self.metric, rows=self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Histogram {self.label}: {self.metric} in {len(self.rows)} bins; table(), to_records()>"

    def _repr_html_(self) -> str:
        return self.table(bars=True)._repr_html_()


def binned(counts: Mapping[int, int]) -> tuple[tuple[int, int, int], ...]:
    """Counts by first three digits in the finest bins that are no more than `BINS`."""
    if not counts:
        return ()
    low, high = min(counts), max(counts)
    for edges in _ladders(high):
        inside = [edge for edge, end in pairwise(edges) if end > low and edge <= high]
        if len(inside) <= BINS:
            break
    ends = dict(pairwise(edges))
    at = np.searchsorted(np.array(inside, dtype=object), np.array([*counts], dtype=object), side="right") - 1
    found = [0] * len(inside)
    for i, count in zip(at.tolist(), counts.values()):
        found[i] += count
    return tuple((edge, ends[edge], points) for edge, points in zip(inside, found))


def _ladders(high: int) -> Iterator[list[int]]:
    """Edges of bins from 0 to beyond a number, fine ones first."""
    digits = len(str(high))
    for firsts in (*(range(100, 1000, step) for step in STEPS), (100, 200, 500), (100,)):
        scaled = (first * 10**k for k in range(digits + 1) for first in firsts)
        yield [0, *(edge // 100 for edge in scaled if edge % 100 == 0)]
    for decades in range(2, digits + 2):
        yield [0, *(10**k for k in range(0, digits + decades, decades))]


def _bar(points: int, most: int) -> str:
    eighths = -(-8 * WIDTH * points // most) if points else 0  # what is there is seen
    return "█" * (eighths // 8) + SIGNS[eighths % 8].strip()
