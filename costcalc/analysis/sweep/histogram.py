"""A histogram of a metric over a grid: exact counts in round bins, for a grid of any size.

Values are counted by their first three digits, so that chunks need not know each other's range. These counts are merged
into the finest round bins of which there are at most `MAX_BINS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from costcalc.analysis.metric_notes import metric_notes
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import Problem
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import plural

MAX_BINS = 24  # about as many as a reader tells apart
MAX_RATIO_OF_EQUAL_BINS = 4  # of the largest to the smallest number, if bins are equally wide
BIN_STEPS = (1, 2, 5, 10, 20, 50, 100)  # of the first three digits of the largest
R40 = (
    100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300,
    315, 335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950,
)  # fmt: skip
RENARD = R40, R40[::2], R40[::4], R40[::8], R40[:1]  # 40, 20, 10, 5 and 1 to the decade: ISO 3:1973, preferred numbers
BAR_BLOCKS = " ▏▎▍▌▋▊▉█"
BAR_CHARACTERS = 30  # of the longest bar


@cache
def _edges() -> Any:
    """Every int64 that has at most three significant digits."""
    small = [*range(100)]
    return np.array(small + [m * 10**k for k in range(17) for m in range(100, 1000) if m * 10**k < 2**63])


def count_by_leading_digits(values: Any) -> dict[int, int]:
    """Counts numbers ≥ 0, int64 or Python ints, by the least number that has the same first three digits."""
    if values.dtype != object:
        at = np.searchsorted(_edges(), values, side="right") - 1
        counts = np.bincount(at) if len(at) else at
        return {int(_edges()[i]): int(counts[i]) for i in np.flatnonzero(counts)}
    return dict(Counter(_first_three(int(value)) for value in values.tolist()))


def _first_three(value: int) -> int:
    digits = str(value)
    return int(digits[:3].ljust(len(digits), "0"))


@dataclass(frozen=True, eq=False, repr=False)
class Histogram(Result):
    """How many points of a grid have a metric in each bin."""

    label: str
    metric: str
    rows: tuple[tuple[int, int, int], ...]  # from, up to but not including, points
    notes: tuple[str, ...] = ()
    dtype: Dtype = FLOAT32
    warned: tuple[Problem, ...] = ()

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each bin, also for empty ones between others."""
        return [{"from": low, "below": high, "points": points} for low, high, points in self.rows]

    def table(self, bars: bool = False) -> Table:
        """A row for each bin, with `bars` for a terminal or a notebook."""
        most = max((points for *_, points in self.rows), default=0)
        every = sum(points for *_, points in self.rows)
        columns = [Column("from", f"{self.metric} from"), Column("below", "to below"), Column("points", "points")]
        columns += [Column("share", "share", "share", 1, bar=None)] + [Column("bar", "", "text", 2)] * bars
        rows = [
            {**record, "share": record["points"] / every, "bar": _bar(record["points"], most)}
            for record in self.to_records()
        ]
        notes = [*self.notes, *metric_notes([self.metric], self.dtype)]
        return Table(f"{self.label}: points by {self.metric}", columns, rows, None, notes)

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.label, self.warned)]

    def _fields(self) -> dict[str, Any]:
        return {"target": self.label, "metric": self.metric, "rows": self.to_records()}

    def _summary(self) -> str:
        return f"{self.label}: {self.metric} in {plural(len(self.rows), 'bin')}"

    def _notebook_tables(self) -> list[Table]:
        return [self.table(bars=True)]


def round_bins(counts: Mapping[int, int]) -> tuple[tuple[int, int, int], ...]:
    """Merges counts by first three digits into the finest bins of which there are at most `MAX_BINS`."""
    if not counts:
        return ()
    low, high = min(counts), max(counts)
    for edges in _bin_edges(low, high):
        inside = [edge for edge, end in pairwise(edges) if end > low and edge <= high]
        if len(inside) <= MAX_BINS:
            break
    ends = dict(pairwise(edges))
    at = np.searchsorted(np.array(inside, dtype=object), np.array([*counts], dtype=object), side="right") - 1
    found = [0] * len(inside)
    for i, count in zip(at.tolist(), counts.values()):
        found[i] += count
    return tuple((edge, ends[edge], points) for edge, points in zip(inside, found))


def _bin_edges(low: int, high: int) -> Iterator[list[int]]:
    """The edges of bins that hold `low` and `high`, the finest first. Bins are equally wide if `high` is less than four
    times `low`, else equally wide on a logarithmic scale."""
    digits = len(str(high))
    if high < MAX_RATIO_OF_EQUAL_BINS * low:
        for step in BIN_STEPS:
            width = step * 10 ** max(0, digits - 3)
            yield [*range(low // width * width, high + width + 1, width)]
    for series in RENARD:
        scaled = (number * 10**k for k in range(digits + 1) for number in series)
        yield [0, *(edge // 100 for edge in scaled if edge % 100 == 0)]
    for decades in range(2, digits + 2):
        yield [0, *(10**k for k in range(0, digits + decades, decades))]


def _bar(points: int, most: int) -> str:
    eighths = -(-8 * BAR_CHARACTERS * points // most) if points else 0  # a bin with points has a visible bar
    return "█" * (eighths // 8) + BAR_BLOCKS[eighths % 8].strip()
