"""What the chunks of a grid came to so far, in the grid's order, and how a journal keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from costcalc.analysis.sweep.points import Points, joined
from costcalc.chart import short
from costcalc.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from costcalc.analysis.sweep.choice import Choice
    from costcalc.analysis.sweep.chunks import Part

MAX_ROWS = 500_000  # points that become rows of a table or a document, or marks of a picture, at once
MAX_MEMORY_BYTES = 10**9  # of columns of points that are kept
MORE = "allow more, as in max_memory_bytes=4_000_000_000 of costcalc.sweep"
LESS = "keep the best with --top N or the front with --pareto, or take larger steps"


@dataclass(frozen=True)
class Limit:
    """How much is kept in memory at once: so many bytes of columns, and so many points if each becomes a row."""

    bytes: int = MAX_MEMORY_BYTES
    points: int | None = None

    def check(self, parts: Sequence[Points]) -> None:
        """Raises UsageError if these are more."""
        if self.points is not None and sum(map(len, parts)) > self.points:
            raise UsageError(f"more than {self.points:,} points meet the condition; {LESS}")
        if sum(part.nbytes for part in parts) > self.bytes:
            room = f"more than {short(self.bytes)}B"
            raise UsageError(f"the points that meet the condition take {room}; {LESS}, or {MORE}")


USUAL_LIMIT = Limit()


@dataclass
class State:
    """What all chunks so far came to."""

    parts: list[Points] = field(default_factory=list)  # that were kept
    invalid: int = 0  # points at which there is no such network
    reason: str = ""  # what is wrong at the first of them
    refused: int = 0  # points that the condition left out
    rows: int = 0  # that went to a file
    counts: Counter[int] = field(default_factory=Counter)  # points by the lower edges of a histogram

    @property
    def points(self) -> Points | None:
        """Those that were kept."""
        self.parts = [joined(self.parts)] if len(self.parts) > 1 else self.parts
        return self.parts[0] if self.parts else None

    def add(self, part: Part, choice: Choice, limit: Limit | None = None) -> None:
        """Takes in the next chunk. Raises UsageError if more is kept than there is room for."""
        self.parts = with_more(self.parts, part.points, choice, limit)
        self.reason = self.reason or part.reason
        self.invalid += part.invalid
        self.refused += part.refused
        self.rows += part.rows
        self.counts.update(part.counts)

    def whole(self, size: int) -> State:
        """The state of a whole grid of so many points. Raises ShapeError if there is no network at any of them."""
        if self.invalid == size:
            raise ShapeError(f"no point of the sweep is possible: {self.reason}")
        return self

    def plain(self) -> dict[str, Any]:
        """All of it but a histogram in the types that JSON has, exactly."""
        numbers = {name: value for name, value in vars(self).items() if name not in ("parts", "counts")}
        columns = {} if self.points is None else self.points.columns
        return {**numbers, "points": {name: _plain(column) for name, column in columns.items()}}

    @classmethod
    def of_plain(cls, known: dict[str, Any]) -> State:
        """The state that `plain` told of."""
        columns = {name: _column(*column) for name, column in known.get("points", {}).items()}
        numbers = {name: value for name, value in known.items() if name != "points"}
        return cls([Points(columns)] if columns else [], **numbers)


def with_more(parts: list[Points], more: Points, choice: Choice, limit: Limit | None = None) -> list[Points]:
    """What was kept and what comes after it: where a choice reduces them, as one. Raises UsageError if they are too
    many; joining all at each step would take the square of the time."""
    if parts and not len(more):
        return parts
    parts = [part for part in parts if len(part)] + [more]
    if choice.reduces and len(parts) > 1:
        parts = [choice.of(joined(parts))]
    if limit is not None:
        limit.check(parts)
    return parts


def _plain(column: Any) -> tuple[str, list[Any]]:
    return str(column.dtype), [str(x) if isinstance(x, Fraction) else x for x in column.tolist()]


def _column(dtype: str, values: list[Any]) -> Any:
    column = np.empty(len(values), dtype=dtype)
    column[:] = [Fraction(x) if isinstance(x, str) and column.dtype == object else x for x in values]
    return column
