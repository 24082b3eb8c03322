"""What the chunks of a grid came to so far, in the grid's order, and how a journal keeps it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from costcalc.analysis.sweep.points import Points, joined
from costcalc.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from costcalc.analysis.sweep.choice import Choice
    from costcalc.analysis.sweep.chunks import Part

MOST_KEPT = 500_000  # points in memory at once; beyond, something must choose
LESS = "keep the best with --top N or the front with --pareto, or take larger steps"


@dataclass
class State:
    """What all chunks so far came to."""

    points: Points | None = None  # that were kept
    invalid: int = 0  # points at which there is no such network
    reason: str = ""  # what is wrong at the first of them
    refused: int = 0  # points that the condition left out
    rows: int = 0  # that went to a file
    counts: Counter[int] = field(default_factory=Counter)  # points by the lower edges of a histogram

    def add(self, part: Part, choice: Choice) -> None:
        """Takes in the next chunk. Raises UsageError if more is kept than there is room for."""
        self.points = merged(self.points, part.points, choice)
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
        numbers = {name: value for name, value in vars(self).items() if name not in ("points", "counts")}
        columns = {} if self.points is None else self.points.columns
        return {**numbers, "points": {name: _plain(column) for name, column in columns.items()}}

    @classmethod
    def of_plain(cls, known: dict[str, Any]) -> State:
        """The state that `plain` told of."""
        columns = {name: _column(*column) for name, column in known.get("points", {}).items()}
        return cls(**{**known, "points": Points(columns) if columns else None})


def merged(kept: Points | None, more: Points, choice: Choice, most: int | None = None) -> Points:
    """The choice of what was kept and of what comes after it. Raises UsageError if these are too many."""
    points = more if kept is None else choice.of(joined([kept, more])) if len(more) else kept
    if len(points) > (MOST_KEPT if most is None else most):
        raise UsageError(f"more than {MOST_KEPT:,} points meet the condition; {LESS}")
    return points


def _plain(column: Any) -> tuple[str, list[Any]]:
    return str(column.dtype), [str(x) if isinstance(x, Fraction) else x for x in column.tolist()]


def _column(dtype: str, values: list[Any]) -> Any:
    column = np.empty(len(values), dtype=dtype)
    column[:] = [Fraction(x) if isinstance(x, str) else x for x in values]
    return column
