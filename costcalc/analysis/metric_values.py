"""The values of metrics: of one row of a walk, of several rows together, and of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any

from costcalc.analysis.memory import Layer, leaves
from costcalc.analysis.metric import LARGEST, LEAVING, SUM, Metric, PathMetric
from costcalc.analysis.metric_names import metric_of, why_not_counted
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.training.step_metrics import Step, memory_bytes, step_of
from costcalc.analysis.unrolled import COPIES_TO_TRAIN, MAX_UNROLLED_LAYERS, unrolled_layers
from costcalc.analysis.walk import Row, symbolic_sizes_error
from costcalc.dims import Size, is_rational, maximum
from costcalc.dtype import Dtype
from costcalc.errors import UsageError
from costcalc.graph import Graph


@dataclass(frozen=True, eq=False)
class MetricValues:
    """Metrics of all rows of a walk over `graph`; each total is computed once."""

    rows: Sequence[Row]
    graph: Graph | None
    dtype: Dtype
    _totals: dict[str, Any] = field(default_factory=dict)
    _of_layers: dict[str, dict[str, Size]] = field(default_factory=dict)

    def total(self, metric: str) -> Any:
        """The value of the network; None for the largest of symbols or arrays.

        Raises UnknownName for a metric that does not exist, UsageError for one that is measured.
        """
        if metric not in self._totals:
            self._totals[metric] = self.together(metric, self.rows)
        return self._totals[metric]

    def together(self, metric: str, rows: Iterable[Row], leaving: Iterable[Row] | None = None) -> Any:
        """The value of several rows, as `total` has it; `leaving` are those that others read, by default those that
        leave the network."""
        found = metric_of(metric, unless=lambda metric: why_not_counted(metric) if metric.measured else "")
        if found.of:
            return _quotient(*(self.together(part, rows, leaving) for part in found.of))
        given = rows = [*rows]
        if found.together == LEAVING or found.path:
            rows = self._outputs if leaving is None else leaving
        if found.path:
            return self._of_path(found.path, metric, given, [*rows])
        values = [*map(self.of_row(metric), rows)]
        if found.together != LARGEST:
            return sum(values)
        return reduce(maximum, values, 0) if all(map(is_rational, values)) else None

    def _of_path(self, path: PathMetric, metric: str, rows: list[Row], leaving: list[Row]) -> Any:
        """The value of a block of rows, of which `leaving` are read outside."""
        if path.between is None or len(rows) == 1:
            return path.together(map(self.of_row(metric), leaving))
        other, between = path.between
        value, inside = self.of_row(other), {row.name for row in rows}
        read = {source for row in rows for source in row.inputs} - inside
        entering = [*map(self._by_name.__getitem__, read), *(row for row in rows if row.op.is_input)]
        return between(map(value, leaving), map(value, entering))

    @cached_property
    def _by_name(self) -> dict[Any, Row]:
        return {row.name: row for row in self.rows}

    def of_row(self, metric: str) -> Callable[[Row], Any]:
        """A function that returns the value of a row, of all its copies if it is a sum, else the largest of them.

        Raises UsageError for a metric that depends on other layers, without a graph; and for the largest of these, of
        symbols or arrays.
        """
        found = METRICS[metric]
        if found.of:
            over, under = map(self.of_row, found.of)
            return lambda row: _quotient(over(row), under(row))
        if found.parts:
            return found.of_row(self.dtype)
        if metric not in self._of_layers:
            self._of_layers[metric] = self._by_row(metric)
        by_name = self._of_layers[metric]
        return lambda row: by_name[str(row.name)]

    def _by_row(self, metric: str) -> dict[str, Size]:
        """A metric that depends on other layers, by the names of rows."""
        found = METRICS[metric]
        if self.graph is None:
            raise UsageError(f"{metric} is asked of a layer graph: costcalc.cost(graph), not of rows alone")
        sizes = (size for row in self.rows for size in (row.times, *row.output_shape))
        if (found.together != SUM or found.path) and not all(map(is_rational, sizes)):
            raise symbolic_sizes_error(metric, self.rows)
        if found.path:  # that of the last copy is the longest
            return dict(
                zip([layer.row for layer in self._layer_values.every], found.path.layers(self._layer_values.every))
            )
        values: dict[str, Size] = {}
        for mask, pairs in self._layer_values.of(found):
            for layer, size in pairs:
                value, before = mask * size, values.get(layer.row, 0)
                values[layer.row] = before + layer.copies * value if found.together == SUM else maximum(before, value)
        return values

    @property
    def every_layer(self) -> list[Layer]:
        """The layers of numeric sizes, with each copy of a repeat."""
        return self._layer_values.every

    @cached_property
    def _layer_values(self) -> LayerValues:
        return LayerValues(self.graph, self.dtype)

    @cached_property
    def _outputs(self) -> list[Row]:
        """The rows that no other reads."""
        read = {source for row in self.rows for source in row.inputs}
        return [row for row in self.rows if leaves(row, read)]


class LayerValues:
    """Metrics that depend on other layers, of a graph with repeats written out as far as they need it, once."""

    def __init__(self, graph: Graph, dtype: Dtype):
        self.graph, self.dtype = graph, dtype

    @cached_property
    def plans(self) -> list[tuple[Size, list[Layer]]]:
        """Masks of points, and the layers there."""
        return [*unrolled_layers(self.graph)]

    @cached_property
    def every(self) -> list[Layer]:
        """All layers, each copy of a repeat on its own; of numeric sizes."""
        ((_, layers),) = unrolled_layers(self.graph, MAX_UNROLLED_LAYERS)
        return layers

    @cached_property
    def steps(self) -> list[tuple[Size, Step]]:
        """Masks of points, and the training step there."""
        plans = unrolled_layers(self.graph, COPIES_TO_TRAIN)
        return [(mask, step_of(self.graph, layers, self.dtype)) for mask, layers in plans]

    def of(self, metric: Metric) -> Iterator[tuple[Size, Iterable[tuple[Layer, Size]]]]:
        """Masks of points; and each layer there with the value of one copy."""
        if metric.step:
            for mask, step in self.steps:
                if metric.step is not memory_bytes:
                    step.needs_training()
                yield mask, zip((each.layer for each in step.layers), metric.step(step))
        for mask, layers in self.plans if metric.layers else ():
            scale, sizes = self.dtype.scale(metric.scale), metric.layers(layers) if metric.layers else ()
            yield mask, ((layer, scale * size) for layer, size in zip(layers, sizes))


def _quotient(over: Any, under: Any) -> Any:
    """The exact quotient; None if the divisor is 0."""
    if is_rational(over) and is_rational(under):
        return Fraction(over, under) if under else None
    return over / under
