"""The exact totals of a network at every point of a block: the rules run on columns that stretch along the grid's axes.

A rule that reads widths alone is worked out for the widths alone. Only the sums over layers meet on the whole grid, and
there each group of layers that is repeated alike is multiplied once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costcalc.analysis.sweep.grid import Block
from costcalc.analysis.walk import Mask, Row, walk_copies
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
    there is such a network, `reason` what is wrong at the first where there is none."""

    block: Block
    values: dict[str, Any]
    valid: Any = True
    reason: str = ""

    def flat(self, name: str) -> Any:
        """A metric, or the numerators of a knob, at every point in order: int64 if it fits, else Python's ints."""
        found = self.values[name] if name in self.values else axis(self.block, name).num
        return np.broadcast_to(found, self.block.shape).ravel()

    def holding(self) -> Any:
        """Which points are valid, in order."""
        return np.broadcast_to(self.valid, self.block.shape).ravel()


def axis(block: Block, name: str) -> Column:
    """A knob of a block as a column along its own axis."""
    at, den = [*block.axes].index(name), block.denominators[name]
    whole = Column.of(
        [value * den for value in block.axes[name]], tuple([-1 if i == at else 1 for i in range(len(block.axes))])
    )
    return Column(whole.num, den, whole.bound)


def totals(net: Network, block: Block, metrics: Sequence[str] = METRICS) -> Totals:
    """What a network costs at every point of a block. Raises CostcalcError where no point is possible."""
    swept = net.at({**net.settings, **{name: axis(block, name) for name in block.axes}}, net.label)
    mask = Mask()
    rows = list(walk_copies(swept.graph(), mask))
    values = {metric: _array(_total(rows, *PARTS[metric])) for metric in metrics}
    return Totals(block, values, mask.valid, mask.reason)


def _total(rows: Iterable[Row], parts: tuple[str, ...], worth: int) -> Size:
    """The sum over layers and their copies."""
    groups: dict[Any, tuple[Size, dict[Any, Size]]] = {}  # by times, then by the axes that a cost reads
    for row in rows:
        _, sums = groups.setdefault(_key(row.times), (row.times, {}))
        for part in parts:
            cost = getattr(row, part)
            shape = cost.shape if is_column(cost) else ()
            sums[shape] = sums.get(shape, 0) + cost
    return sum(times * sum(sums.values()) for times, sums in groups.values()) * worth


def _key(times: Size) -> Any:
    return (times.shape, times.den, times.num.tobytes()) if isinstance(times, Column) else times


def _array(total: Size) -> Any:
    return total.values() if isinstance(total, Column) else np.array(total, dtype=None if total < 2**63 else object)
