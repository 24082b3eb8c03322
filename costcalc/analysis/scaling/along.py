"""Costs along a line: at values of one knob, or of several that change together, as on the compound line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import sums
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import CostcalcError, TooDeep
from costcalc.models.model import Model

FIRST_CHUNK, MAX_CHUNK = 1024, 65_536  # points that are counted together
KnobValues = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class KnobLine(Grid):
    """A grid of one axis: the first values of all knobs, then the second values, and so on."""

    @property
    def shape(self) -> tuple[int, ...]:
        """One axis, as long as the shortest list of values."""
        return (min(map(len, self.axes.values())),)

    def column(self, name: str) -> ExactArray:
        """The values of a knob at every point of the line."""
        return self.spans[name].column(self.axes[name], (-1,))


@dataclass(frozen=True)
class Costs:
    """Costs at points in order: an array for each metric, a bool array of the valid points, and why the first invalid
    one is invalid."""

    valid: Any
    values: Mapping[str, Any]
    reason: str = ""

    def same_as(self, costs: Mapping[str, Any]) -> Any:
        """A bool array: where every metric equals these costs."""
        return self.valid & np.logical_and.reduce(
            [np.asarray(values == costs[k], bool) for k, values in self.values.items()]
        )

    def keep(self, budget: Mapping[str, Any]) -> Any:
        """A bool array: where every metric is within the budget."""
        return self.valid & np.logical_and.reduce([np.asarray(self.values[k] <= n, bool) for k, n in budget.items()])


def costs_at(model: Model, axes: KnobValues, metrics: Sequence[str]) -> Costs:
    """The costs of a network at each point of a line. Raises TooDeep if a peak needs too many layers: such a point need
    not be invalid."""
    points = range(min(map(len, axes.values())))

    def axes_at(chunk: range) -> KnobValues:
        return {name: values[chunk.start : chunk.stop] for name, values in axes.items()}

    found = [costs for _, costs in costs_in_chunks(model, points, axes_at, metrics, first_chunk=MAX_CHUNK)]
    values = {name: np.concatenate([costs.values[name] for costs in found]) for name in metrics}
    reason = next((costs.reason for costs in found if costs.reason), "")
    return Costs(np.concatenate([costs.valid for costs in found]), values, reason)


def costs_in_chunks(
    model: Model,
    points: range,
    axes_at: Callable[[range], KnobValues],
    metrics: Sequence[str],
    *,
    first_chunk: int = FIRST_CHUNK,
    max_failed: float = float("inf"),
) -> Iterator[tuple[range, Costs]]:
    """Yields chunks of points with their costs, larger and larger ones.

    A chunk with a point at which the network cannot be built is tried again in smaller ones, down to that point; after
    `max_failed` such chunks the points end early. Raises TooDeep as `costs_at` does.
    """
    size, failed = first_chunk, 0
    while points and failed < max_failed:
        chunk = points[:size]
        try:
            found = _costs_at_all(model, axes_at(chunk), metrics)
            size = min(MAX_CHUNK, 2 * size)
        except TooDeep:
            raise
        except CostcalcError as error:
            failed, size = failed + 1, max(1, len(chunk) // 4)
            if len(chunk) > 1:
                continue
            found = Costs(np.zeros(1, bool), {name: np.zeros(1, np.int64) for name in metrics}, str(error))
        yield chunk, found
        points = points[len(chunk) :]


def _costs_at_all(model: Model, axes: KnobValues, metrics: Sequence[str]) -> Costs:
    """The costs at each point of a line. Raises CostcalcError if the network cannot be built at one of them."""
    line = KnobLine({name: tuple(values) for name, values in axes.items()})
    summed = sums(model, line, metrics)
    found = summed.at(replace(line, whole=line.spans, within=(slice(None),)))
    return Costs(found.flat_valid().astype(bool), {name: found.flat(name) for name in metrics}, summed.reason)
