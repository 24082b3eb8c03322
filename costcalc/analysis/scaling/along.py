"""Points along a line: knobs that change together, in columns, as on the compound line of EfficientNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.metrics import METRICS
from costcalc.analysis.sweep.totals import Sums, Totals, sums
from costcalc.dims.column import Column
from costcalc.errors import CostcalcError, TooDeep
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
        return self.spans[name].column(self.axes[name], (-1,))


def along(net: Network, axes: Mapping[str, Sequence[Any]], metrics: Sequence[str] = METRICS) -> Totals:
    """What a network costs at each point of a line: of every knob as many values.

    Raises CostcalcError for a line of which no point is possible.
    """
    line = Line({name: tuple(values) for name, values in axes.items()})
    return _along(sums(net, line, metrics), line)


def _along(summed: Sums, line: Line) -> Totals:
    return summed.at(replace(line, whole=line.spans, within=(slice(None),)))


@dataclass(frozen=True)
class Costs:
    """Costs at some values in order: of each metric an array, and an array of truths that says where there is such a
    network. `reason` says what is wrong at the first value at which there is none."""

    valid: Any
    of: Mapping[str, Any]
    reason: str = ""

    def same_as(self, costs: Mapping[str, Any]) -> Any:
        """Where every metric is what it is there."""
        return self.valid & np.logical_and.reduce([np.asarray(self.of[name] == costs[name], bool) for name in self.of])

    def keep(self, budget: Mapping[str, Any]) -> Any:
        """Where no metric is more than its most."""
        return self.valid & np.logical_and.reduce([np.asarray(self.of[k] <= most, bool) for k, most in budget.items()])

    def at(self, index: int) -> dict[str, Any]:
        """Every metric at one of the values."""
        return {name: values[index : index + 1].tolist()[0] for name, values in self.of.items()}


def costs_at(net: Network, axes: Mapping[str, Sequence[Any]], metrics: Sequence[str]) -> Costs:
    """What a network costs at each point of a line, and where there is none. Raises TooDeep for a peak of too many
    layers: that is no reason why there should be none."""
    try:
        return costs_at_all(net, axes, metrics)
    except TooDeep:
        raise
    except CostcalcError as error:
        return _in_halves(net, axes, metrics, str(error))


def costs_at_all(net: Network, axes: Mapping[str, Sequence[Any]], metrics: Sequence[str]) -> Costs:
    """The same, in one go. Raises CostcalcError where the spec cannot be bound at one of the points."""
    line = Line({name: tuple(values) for name, values in axes.items()})
    summed = sums(net, line, metrics)
    found = _along(summed, line)
    return Costs(found.holding().astype(bool), {name: found.flat(name) for name in metrics}, summed.reason)


def no_costs(points: int, metrics: Sequence[str], reason: str) -> Costs:
    """Those of so many points at which there is no network."""
    return Costs(np.zeros(points, bool), {name: np.zeros(points, np.int64) for name in metrics}, reason)


def _in_halves(net: Network, axes: Mapping[str, Sequence[Any]], metrics: Sequence[str], reason: str) -> Costs:
    """The same where a spec cannot even be bound at one of the points, which fails for all."""
    points = min(map(len, axes.values()))
    if points <= 1:
        return no_costs(points, metrics, reason)
    parts = slice(points // 2), slice(points // 2, None)
    halves = [costs_at(net, {name: values[part] for name, values in axes.items()}, metrics) for part in parts]
    both = {name: np.concatenate([half.of[name] for half in halves]) for name in metrics}
    return Costs(
        np.concatenate([half.valid for half in halves]), both, next((half.reason for half in halves if half.reason), "")
    )
