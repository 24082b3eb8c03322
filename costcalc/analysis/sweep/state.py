"""The results of chunks, merged in the grid's order, and their form in a journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.points import Points, concatenate
from costcalc.chart import short_number
from costcalc.errors import ShapeError, UsageError

MAX_ROWS_IN_MEMORY = 500_000  # rows of a table or a document, or marks of a picture, at once
MAX_MEMORY_BYTES = 10**9  # of columns of points that are kept
ALLOW_MORE = "allow more, as in max_memory_bytes=4_000_000_000 of costcalc.sweep"
KEEP_LESS = "keep the best with --top N or the front with --pareto, or take larger steps"


@dataclass(frozen=True)
class Limit:
    """How much is kept in memory at once: bytes of columns, and points, if each becomes a row."""

    bytes: int = MAX_MEMORY_BYTES
    points: int | None = None

    def check(self, parts: Sequence[Points]) -> None:
        """Raises UsageError if these points exceed the limit."""
        if self.points is not None and sum(map(len, parts)) > self.points:
            raise UsageError(f"more than {self.points:,} points meet the condition; {KEEP_LESS}")
        if sum(part.nbytes for part in parts) > self.bytes:
            room = f"more than {short_number(self.bytes)}B"
            raise UsageError(f"the points that meet the condition take {room}; {KEEP_LESS}, or {ALLOW_MORE}")


USUAL_LIMIT = Limit()


@dataclass(frozen=True)
class ChunkResult:
    """The results of one chunk, in types that another process can send."""

    size: int  # points of the chunk
    points: Points  # that were kept
    invalid: int  # points that are invalid
    reason: str  # why the first of them is invalid
    refused: int  # points that the condition left out
    counts: Mapping[int, int] = field(default_factory=dict)  # points by the lower edges of a histogram
    rows: int = 0  # in `piece`, of a file
    piece: bytes = b""


@dataclass
class SweepState:
    """The results of all chunks so far."""

    parts: list[Points] = field(default_factory=list)  # the points that were kept
    invalid: int = 0  # points that are invalid
    reason: str = ""  # why the first of them is invalid
    refused: int = 0  # points that the condition left out
    rows: int = 0  # written to a file
    counts: Counter[int] = field(default_factory=Counter)  # points by the lower edges of a histogram

    @property
    def points(self) -> Points | None:
        """The points that were kept, as one part; None before the first chunk."""
        self.parts = [concatenate(self.parts)] if len(self.parts) > 1 else self.parts
        return self.parts[0] if self.parts else None

    def add(self, result: ChunkResult, query: PointQuery, limit: Limit | None = None) -> None:
        """Adds the next chunk. Raises UsageError for kept points beyond the limit."""
        self.parts = merged(self.parts, result.points, query, limit)
        self.reason = self.reason or result.reason
        self.invalid += result.invalid
        self.refused += result.refused
        self.rows += result.rows
        self.counts.update(result.counts)

    def raise_if_all_invalid(self, size: int) -> SweepState:
        """This state. Raises ShapeError if all of the `size` points are invalid."""
        if self.invalid == size:
            raise ShapeError(f"all points are invalid: {self.reason}")
        return self

    def to_json(self) -> dict[str, Any]:
        """Everything but the histogram, exactly, in JSON types."""
        numbers = {name: value for name, value in vars(self).items() if name not in ("parts", "counts")}
        columns = {} if self.points is None else self.points.columns
        return {**numbers, "points": {name: _column_to_json(column) for name, column in columns.items()}}

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> SweepState:
        """The state that `to_json` stored."""
        columns = {name: _column_from_json(*column) for name, column in known.get("points", {}).items()}
        numbers = {name: value for name, value in known.items() if name != "points"}
        return cls([Points(columns)] if columns else [], **numbers)


def merged(parts: list[Points], more: Points, query: PointQuery, limit: Limit | None) -> list[Points]:
    """Appends points to the parts kept so far, and reduces them if the query does. Otherwise they stay in parts:
    joining them at each step would take quadratic time. Raises UsageError for points beyond the limit."""
    if parts and not len(more):
        return parts
    parts = [part for part in parts if len(part)] + [more]
    if query.reduces and len(parts) > 1:
        parts = [query.of(concatenate(parts))]
    if limit is not None:
        limit.check(parts)
    return parts


def _column_to_json(column: Any) -> tuple[str, list[Any]]:
    return str(column.dtype), [str(x) if isinstance(x, Fraction) else x for x in column.tolist()]


def _column_from_json(dtype: str, values: list[Any]) -> Any:
    column = np.empty(len(values), dtype=dtype)
    column[:] = [Fraction(x) if isinstance(x, str) and column.dtype == object else x for x in values]
    return column
