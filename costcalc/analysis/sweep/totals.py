"""The exact totals of a network at every point of a block: the rules run on columns that stretch along the grid's axes.

A rule that reads widths alone is worked out for the widths alone. Only the sums over layers meet on the whole grid, and
there each group of layers that is repeated alike is multiplied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.walk import Mask, walk_copies
from costcalc.dims import Size, is_column
from costcalc.dims.column import Column
from costcalc.spec.network import Network

FLOAT32 = 4  # bytes
METRICS = ("params", "macs", "elementwise", "activations", "weight_bytes")
PARTS = {  # columns of a row that a metric is the sum of, and what one of them is worth
    "params": (("weight", "bias", "norm"), 1),
    "macs": (("macs",), 1),
    "elementwise": (("elementwise",), 1),
    "activations": (("activations",), 1),
    "weight_bytes": (("weight", "bias", "norm", "buffers"), FLOAT32),
}


@dataclass(frozen=True)
class Totals:
    """Totals of a block by metric, as arrays of its shape or a part of it that stretches; `valid` says at which points
    there is such a network."""

    block: Grid
    values: dict[str, Any]
    valid: Any = True

    def flat(self, name: str) -> Any:
        """A metric, or the numerators of a knob, at every point in order: int64 if it fits, else Python's ints."""
        found = self.values[name] if name in self.values else self.block.column(name).num
        return np.broadcast_to(found, self.block.shape).ravel()

    def holding(self) -> Any:
        """Which points are valid, in order."""
        return np.broadcast_to(self.valid, self.block.shape).ravel()


@dataclass(frozen=True)
class Sums:
    """For each metric what layers that are repeated alike cost once, and how often they are: they meet on a grid as
    late as can be, in small blocks. `reason` says what is wrong at the first point where there is no such network."""

    groups: dict[str, list[tuple[Size, Size]]]
    valid: Any = True
    reason: str = ""

    def at(self, block: Grid) -> Totals:
        """The totals at the points of a block of the grid they are of."""
        values = {
            metric: _array(sum(_part(times, block) * _part(total, block) for times, total in groups))
            for metric, groups in self.groups.items()
        }
        return Totals(block, values, _part(self.valid, block))


def sums(net: Network, grid: Grid, metrics: Sequence[str] = METRICS) -> Sums:
    """What a network costs at every point of a grid. Raises CostcalcError for a grid of which no point is possible."""
    swept = net.at({**net.settings, **{name: grid.column(name) for name in grid.axes}}, net.label)
    mask = Mask()
    groups: dict[Any, tuple[Size, dict[tuple[str, Any], Size]]] = {}  # by times; then by metric and the axes it reads
    for row in walk_copies(swept.graph(), mask):
        _, costs = groups.setdefault(_key(row.times), (row.times, {}))
        for metric in metrics:
            parts, worth = PARTS[metric]
            for part in parts:
                cost = getattr(row, part) * worth
                at = metric, cost.shape if is_column(cost) else ()
                costs[at] = costs.get(at, 0) + cost
    found = {
        metric: [
            (times, sum(cost for (of, _), cost in costs.items() if of == metric)) for times, costs in groups.values()
        ]
        for metric in metrics
    }
    return Sums(found, mask.valid, mask.reason)


def _key(times: Size) -> Any:
    return (times.shape, times.den, times.num.tobytes()) if isinstance(times, Column) else times


def _part(x: Any, block: Grid) -> Any:
    """What of a size, or of truths, is at a block; an axis of 1 stretches over all of it."""
    array = x.num if isinstance(x, Column) else x
    if not getattr(array, "ndim", 0):
        return x
    part = array[tuple(slice(None) if n == 1 else at for n, at in zip(array.shape, block.within))]
    return Column(part, x.den, x.bound) if isinstance(x, Column) else part


def _array(total: Size) -> Any:
    return total.values() if isinstance(total, Column) else np.array(total, dtype=None if total < 2**63 else object)
