"""Points along a line: knobs that change together, in columns, as on the compound line of EfficientNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import METRICS, Totals, sums
from costcalc.dims.column import Column
from costcalc.spec.network import Network


@dataclass(frozen=True)
class Line(Grid):
    """The first values of all knobs, then the second of all, and so on: a grid of one axis."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Points."""
        return (min(map(len, self.axes.values())),)

    def column(self, name: str) -> Column:
        """The values of a knob."""
        den = self.denominators[name]
        whole = Column.of([value * den for value in self.axes[name]])
        return Column(whole.num, den, whole.bound)


def along(net: Network, axes: Mapping[str, Sequence[Any]], metrics: Sequence[str] = METRICS) -> Totals:
    """What a network costs at each point of a line: of every knob as many values.

    Raises CostcalcError for a line of which no point is possible.
    """
    line = Line({name: tuple(values) for name, values in axes.items()})
    return sums(net, line, metrics).at(replace(line, shared=line.denominators, within=(slice(None),)))
