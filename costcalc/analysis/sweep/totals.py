"""The exact totals of a network at every point of a block: the rules run on arrays along the grid's axes.

A rule that depends on widths only is computed along the width axis only. Only the sums over layers are broadcast over
the whole grid, where each group of layers with equal repeats is multiplied once. metrics.py has the metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import chain
from typing import Any

import numpy as np

from costcalc.analysis.memory import leaves
from costcalc.analysis.metric import LARGEST, LEAVING, SUM, Metric
from costcalc.analysis.metric_names import expand_quotients
from costcalc.analysis.metric_values import LayerValues
from costcalc.analysis.metrics import METRICS, USUAL
from costcalc.analysis.op_answers import MAX_KEPT
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.highest_moment import HighestMoment
from costcalc.analysis.training.high_moments import HighMoments
from costcalc.analysis.training.step_events import StepEvents
from costcalc.analysis.training.step_metrics import Step, train_peak_bytes
from costcalc.analysis.training.timeline import Event
from costcalc.analysis.validity_mask import ValidityMask
from costcalc.analysis.walk import Row, walk_masked
from costcalc.dims import Size, elements, is_array, maximum, minimum
from costcalc.dims.exact_array import ExactArray
from costcalc.dims.shared_products import shared_products
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import ShapeError
from costcalc.graph import Graph
from costcalc.models.model import Model


@dataclass(frozen=True)
class Totals:
    """The totals of a block by metric and its valid points, as arrays that broadcast to its shape."""

    block: Grid
    values: dict[str, Any]
    valid: Any = True

    def flat(self, name: str) -> Any:
        """A metric or a knob at every point, in order: int64 or Python ints; for a real knob numerators, for a flag
        bools, for a choice words."""
        found = self.values[name] if name in self.values else self.block.array(name)
        return np.broadcast_to(found, self.block.shape).ravel()

    def flat_valid(self) -> Any:
        """Whether each point is valid, in order."""
        return np.broadcast_to(self.valid, self.block.shape).ravel()


@dataclass(frozen=True)
class Sums:
    """For each metric (or the metrics that it divides), (times, cost) pairs whose products add up to it. They are
    broadcast late, in small blocks. `reason` says why the first invalid point is invalid."""

    metrics: tuple[str, ...]
    groups: dict[str, list[tuple[Size, Size | HighestMoment]]]
    valid: Any = True
    reason: str = ""

    @property
    def nbytes(self) -> int:
        """The memory that the arrays take."""
        sizes = (size for pairs in self.groups.values() for pair in pairs for size in pair)
        arrays = [self.valid, *(size.num if isinstance(size, ExactArray) else size for size in sizes)]
        return sum(int(getattr(array, "nbytes", 0)) for array in arrays)

    def at(self, block: Grid) -> Totals:
        """The totals at the points of a block of the grid."""
        values = {
            metric: _array(sum(_product(times, total, block) for times, total in groups), block)
            for metric, groups in self.groups.items()
        }
        valid = block.part(self.valid)
        for metric in self.metrics:
            if of := METRICS[metric].of:
                values[metric] = _ratio(values[of[0]], values[of[1]], valid)
        return Totals(block, {metric: values[metric] for metric in self.metrics}, valid)


def sums(model: Model, grid: Grid, metrics: Sequence[str] = USUAL) -> Sums:
    """The sums of a network over a grid. Raises CostcalcError if no point is valid, PointsDiffer if points must be
    counted separately."""
    return sums_of(_graph_at(model, grid), metrics, model.dtype)


def _graph_at(model: Model, grid: Grid) -> Graph:
    """The layer graph whose sizes are arrays over a grid."""
    knobs = {name: grid.column(name) for name in grid.numbers}
    return model.at({**knobs, **grid.kinds}).layers()


def sums_of(graph: Graph, metrics: Sequence[str], dtype: Dtype = FLOAT32) -> Sums:
    """The sums of a layer graph whose sizes are arrays or numbers."""
    mask = ValidityMask(graph)
    every = expand_quotients(metrics)
    of_layers = [name for name in every if not METRICS[name].parts or METRICS[name].together == LEAVING]
    found = {name: _RowSums(METRICS[name]) for name in every if METRICS[name].parts and name not in of_layers}
    for row in walk_masked(graph, mask):
        for row_sums in found.values():
            row_sums.add(row)
    pairs = {name: row_sums.pairs(dtype) for name, row_sums in found.items()}
    if of_layers:
        values = LayerValues(graph, dtype)
        pairs |= {name: [*_layer_pairs(METRICS[name], values)] for name in of_layers}
    return Sums(tuple(metrics), pairs, mask.valid, mask.reason)


def _layer_pairs(metric: Metric, values: LayerValues) -> Iterator[tuple[Size, Size]]:
    """The (mask, value) pairs of a metric that depends on other layers, for each combination of copies."""
    if metric.together == LEAVING:
        for mask, layers in values.plans:
            read = {source for layer in layers for source in layer.inputs}
            yield mask, sum(elements(layer.output_shape) for layer in layers if leaves(layer, read))
        return
    if metric.step is train_peak_bytes:
        with shared_products():
            yield from [(mask, HighestMoment.of(HighMoments(_events(step)))) for mask, step in values.steps]
        return
    for mask, pairs in values.of(metric):
        if metric.together == SUM:
            yield mask, sum(layer.copies * size for layer, size in pairs)
        else:
            yield mask, reduce(maximum, (size for _, size in pairs), 0)


def _events(step: Step) -> list[Event]:
    """The events of a step that trains something."""
    step.needs_training()
    return StepEvents(step.layers, step.dtype, step.optimizer).events()


class _RowSums:
    """Accumulates a metric that is a sum of parts over the rows of a walk."""

    def __init__(self, metric: Metric):
        self.metric = metric
        self.groups: dict[Any, tuple[Size, list[_Sum]]] = {}  # rows with equal times: a sum for each part
        self.largest: Size = 0

    def add(self, row: Row) -> None:
        """Adds a row."""
        parts = self.metric.parts
        if self.metric.together == SUM:
            _, sums = self.groups.setdefault(_key(row.times), (row.times, [_Sum() for _ in parts]))
            for part, found in zip(parts, sums):
                for cost in part.sizes(row):
                    found.add(cost)
            return
        (size,) = parts[0].sizes(row)
        self.largest = maximum(self.largest, minimum(row.times, 1) * size)

    def pairs(self, dtype: Dtype) -> list[tuple[Size, Size]]:
        """(times, value) pairs whose products add up to the metric."""
        parts = self.metric.parts
        if self.metric.together == LARGEST:
            return [(1, self.largest)]
        return [
            (times, dtype.scale(part.scale) * found.total())
            for times, sums in self.groups.values()
            for part, found in zip(parts, sums)
        ]


class _Sum:
    """Sums costs by the axes that they vary along. A small cost that repeats, as the elements of activations do, is
    added once for the whole run."""

    def __init__(self) -> None:
        self.along: dict[Any, tuple[Size, Size, int]] = {}  # by axes: the sum, the last cost, the length of its run

    def add(self, cost: Size) -> None:
        """Adds a cost."""
        axes = cost.shape if is_array(cost) else ()
        done, last, times = self.along.get(axes, (0, 0, 0))
        if cost is last:
            self.along[axes] = done, last, times + 1
            return
        done = done + times * last
        self.along[axes] = (done, cost, 1) if getattr(cost, "size", 0) <= MAX_KEPT else (done + cost, 0, 0)

    def total(self) -> Size:
        """The sum."""
        return sum(done + times * last for done, last, times in self.along.values())


def axes_of_layer_costs(model: Model, grid: Grid) -> tuple[bool, ...]:
    """Along which axes of a grid the costs of layers vary. Raises as `sums` does."""
    graph = _graph_at(model, grid)
    costs = (row.costs.values() for row in walk_masked(graph, ValidityMask(graph)))
    shapes = {cost.shape for cost in chain.from_iterable(costs) if is_array(cost)}
    return tuple(n > 1 for n in np.broadcast_shapes((1,) * len(grid.axes), *shapes))


def totals_of(model: Model, metrics: Sequence[str] = USUAL) -> dict[str, Any]:
    """The totals of one network by metric, computed as a grid of one point. Raises as `cost_of` does."""
    found = sums(model, Grid({}), metrics).at(Grid({}))
    return {metric: value.item() for metric, value in found.values.items()}


def _key(times: Size) -> Any:
    return (times.shape, times.den, times.num.tobytes()) if isinstance(times, ExactArray) else times


def _product(times: Size, total: Size | HighestMoment, block: Grid) -> Size:
    """The product at a block."""
    return total.at(times, block) if isinstance(total, HighestMoment) else block.part(times) * block.part(total)


def _array(total: Size, block: Grid) -> Any:
    """A total as an array with the block's number of axes."""
    array = total.values() if isinstance(total, ExactArray) else np.array(total, np.int64 if total < 2**63 else object)
    return array if array.ndim else array.reshape((1,) * len(block.shape))


def _ratio(over: Any, under: Any, valid: Any) -> Any:
    """Exact quotients; meaningless at invalid points. Raises ShapeError for a 0 divisor at a valid point."""
    if (valid & (under == 0)).any():
        raise ShapeError("at some point the network moves no bytes, and has no MACs per byte: leave out intensity")
    return np.asarray(np.frompyfunc(lambda a, b: Fraction(int(a), int(b) or 1), 2, 1)(over, under), object)
