"""The points that a sweep keeps, as arrays of exact numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from costcalc.analysis.metrics import USUAL
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.points import Points
from costcalc.dims.exact_array import ExactArray
from costcalc.models.model import Model
from costcalc.text import plural


@dataclass(frozen=True, eq=False, repr=False)
class KeptPoints:
    """The points of a grid that a query keeps, and how many it leaves out."""

    model: Model
    grid: Grid
    points: Points  # numerators for knobs
    invalid: int = 0  # points that are invalid
    reason: str = ""  # why the first of them is invalid
    refused: int = 0  # points that the condition left out
    chosen: str = ""  # how the kept points were chosen, in words
    metrics: tuple[str, ...] = USUAL
    choice: PointQuery = field(default_factory=PointQuery)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """An exact array of each swept knob and each metric over the kept points: of int64, of Python numbers, of bools
        for flags, or of words for choices."""
        return self._values(self.points)

    def _values(self, points: Points) -> dict[str, Any]:
        dens = self.grid.denominators
        return {name: _fractions(num, dens.get(name, 1)) for name, num in points.columns.items()}

    def __len__(self) -> int:
        return len(self.points)


def invalid_note(count: int, reason: str) -> str:
    """`3 points are invalid: …`, with the reason of the first."""
    return f"{plural(count, 'point')} {'is' if count == 1 else 'are'} invalid: {reason}"


def _fractions(num: Any, den: int) -> Any:
    """An array of exact fractions; equal values share one object, since most are equal."""
    if den == 1:
        return num
    numerators, at = np.unique(num, return_inverse=True)
    return ExactArray(numerators, den, (0, 0)).values()[at.reshape(num.shape)]
