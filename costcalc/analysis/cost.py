"""What a layer graph costs: its rows, their totals, and the rows folded by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial, reduce
from typing import Any

from costcalc.analysis.columns import metric_column, metrics_in, read_columns
from costcalc.analysis.fold import LayerBlock, folded, is_input
from costcalc.analysis.images import as_image, image_names
from costcalc.analysis.metrics import LARGEST, LEAVING, METRICS, SUM, metric_notes, metric_of, why_not_counted
from costcalc.analysis.suspects import suspects
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.analysis.walk import Row, symbols_of, walk
from costcalc.dims import Size, is_rational, is_zero, maximum
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import Problem, UsageError
from costcalc.graph import Graph
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, LazySequence, Table, cell
from costcalc.text import knobs_note, plural

Values = Sequence[tuple[str, Callable[[Row], Any]]]  # what tells metrics of a row
TOTALS = ("params", "weight", "bias", "norm", "buffers", "macs", "elementwise", "activations")
OF_BLOCKS = ("params", "macs", "elementwise", "activations", "output", "widest")
NAME, OP, TIMES = Column("name", "layer", "text"), Column("op", "op", "text", 2), Column("times", "×", "int", 1)
IN, OUT = Column("input_shape", "in", "shape", 5), Column("output_shape", "out", "shape", 1)
SHARE = Column("share", "share", "share", 2)  # of all MACs
LAYER_COLUMNS: tuple[Column, ...] = (
    NAME, OP, TIMES, IN, OUT, metric_column("params"), metric_column("macs"), metric_column("elementwise", 3),
    metric_column("activations", 4), SHARE,
)  # fmt: skip
BLOCK_COLUMNS: tuple[Column, ...] = (
    Column("name", "block", "text"), Column("op", "op", "text", 5), TIMES, OUT, metric_column("params"),
    metric_column("macs"), metric_column("elementwise", 6), metric_column("activations", 6),
    metric_column("output", 2), metric_column("widest", 4), Column("share", "share", "share", 3),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Cost(Result):
    """Rows and their totals. `target` and `knobs` say what was counted, `dtype` in which numbers bytes are; with a
    `depth` blocks are shown, not layers, and `columns` are those of the table."""

    layers: tuple[Row, ...]
    target: str = ""
    knobs: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    graph: Graph | None = None  # that was walked
    dtype: Dtype = FLOAT32
    depth: int | None = None
    columns: Sequence[str] | str | None = None

    def total(self, metric: str) -> Any:
        """What all layers come to, of any metric that is counted.

        Raises UnknownName for a metric that does not exist, UsageError for one that is measured.
        """
        found = self._total(metric)
        if found is None and METRICS[metric].together == LARGEST:
            raise _needs_numbers(metric, self.layers)
        return found

    def _total(self, metric: str) -> Any:
        """The same; None for the largest of symbols, whose cells stay empty."""
        if metric not in self._totals:
            self._totals[metric] = self._together(metric, self.layers)
        return self._totals[metric]

    def value(self, metric: str, layer: int) -> Any:
        """What one layer comes to, all its copies together: the largest of them for a metric that is not a sum."""
        return self._value_of(metric)(self.layers[layer])

    def _value_of(self, metric: str) -> Callable[[Row], Any]:
        """What tells a metric of a row."""
        found = METRICS[metric]
        if found.of:
            over, under = map(self._value_of, found.of)
            return lambda row: _quotient(over(row), under(row))
        if found.layers is not None:
            by_name = self._by_row(metric)
            return lambda row: by_name[row.name]
        return found.of_row(self.dtype)

    def _together(self, metric: str, rows: Iterable[Row], leaving: Iterable[Row] | None = None) -> Any:
        """What several rows come to; `leaving` are those that others read, of all rows those that no other does."""
        found = metric_of(metric, unless=why_not_counted)
        if found.of:
            return _quotient(*(self._together(part, rows, leaving) for part in found.of))
        if found.together == LEAVING:
            rows = self._outputs if leaving is None else leaving
        values = [*map(self._value_of(metric), rows)]
        if found.together in (SUM, LEAVING):
            return sum(values)
        return reduce(maximum, values, 0) if all(map(is_rational, values)) else None

    def _by_row(self, metric: str) -> dict[str, Size]:
        """A metric of the layers written out, by the names of their rows."""
        if metric not in self._of_rows:
            self._of_rows[metric] = by_row(metric, self.graph, self.layers, self.dtype)
        return self._of_rows[metric]

    @cached_property
    def _of_rows(self) -> dict[str, dict[str, Size]]:
        return {}

    @cached_property
    def _totals(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _outputs(self) -> list[Row]:
        """The rows that no other reads."""
        read = {source for row in self.layers for source in row.inputs}
        return [row for row in self.layers if row.name not in read]

    @property
    def params(self) -> Size:
        """Learned scalars; tensors that are shared once."""
        return self.total("params")

    @property
    def macs(self) -> Size:
        """Multiplies in convolutions, linear layers and matrix products."""
        return self.total("macs")

    @property
    def totals(self) -> dict[str, Size]:
        """The totals of params by role, buffers, MACs, elementwise work and activations, by name."""
        return {metric: self.total(metric) for metric in TOTALS}

    @cached_property
    def _suspects(self) -> tuple[Problem, ...]:
        return suspects(self.layers)

    def _warned(self) -> Sequence[tuple[str, tuple[Problem, ...]]]:
        return [(self.target, self._suspects)]

    def fold(self, depth: int, metrics: Iterable[str] = OF_BLOCKS) -> list[LayerBlock]:
        """Rows whose names agree in their first `depth` parts as one, with these metrics as their `costs`. Raises
        UsageError for a depth below 1."""
        names = [*metrics]
        return [block._replace(costs=self._of_block(names, block)) for block in folded(self.layers, depth)]

    def at_depth(self, depth: int | None, columns: Sequence[str] | str | None = None) -> Cost:
        """The same, shown by blocks of this depth: layers whose names agree in so many parts (None: layer by layer);
        with these columns, if they are given."""
        return self if (depth, columns) == (self.depth, self.columns) else replace(self, depth=depth, columns=columns)

    def table(self, depth: int | None = None, columns: Sequence[str] | str | None = None) -> Table:
        """The layers, or the blocks at this depth, as a table: with these columns, `"name,out,macs,peak_bytes"`, of its
        own and of all metrics. Raises UnknownName and UsageError for columns that there are not."""
        depth = self.depth if depth is None else depth
        columns = self.columns if columns is None else columns
        shown = self._columns(depth, columns)
        metrics = metrics_in(shown)
        for metric in metrics:
            self._total(metric)  # it raises where a metric cannot be had
        if depth is None:
            entries: Sequence[Any] = [row for row in self.layers if not is_input([row])]
            values = [(metric, self._value_of(metric)) for metric in metrics]
            share = _share(self._value_of("macs"), self.macs)
            rows = LazySequence(partial(_layer_record, values, share, image_names(self.layers)), entries)
        else:
            entries = folded(self.layers, depth)  # their costs are worked out when they are shown
            rows = LazySequence(partial(self._block_record, metrics), entries)
        times = [each.times for each in entries]
        if columns is None and all(n is None or (n.__class__ is int and n == 1) for n in times):
            shown.remove(TIMES)
        last = {shown[0].key: "total", **{metric: self._total(metric) for metric in metrics}}
        return Table(self.title or self.target, tuple(shown), rows, last, self.notes(metrics))

    def _block_record(self, metrics: Sequence[str], block: LayerBlock) -> dict[str, Any]:
        share = _share(lambda block: self._together("macs", block.layers), self.macs)
        return {**_about(block), **self._of_block(metrics, block), "share": share(block)}

    def _of_block(self, metrics: Iterable[str], block: LayerBlock) -> dict[str, Any]:
        return {metric: self._together(metric, block.layers, block.leaving) for metric in metrics}

    def notes(self, metrics: Sequence[str] = ("macs", "params")) -> list[str]:
        """What the reader must know to read these metrics: what they count, knobs, and what params are made of."""
        counts = metric_notes((name for name in metrics if name not in OF_BLOCKS or name == "macs"), self.dtype)
        return [
            *counts[-1:],
            *counts[:-1],
            *knobs_note(self.knobs),
            *([self._made_of()] if "params" in metrics else []),
        ]

    def _made_of(self) -> str:
        total = self.totals
        learned = plural(total["weight"], "weight"), plural(total["bias"], "bias", "biases")
        parts = f"params: {', '.join(learned)}, {cell(total['norm'], 'int')} normalisation"
        return parts + ("" if is_zero(total["buffers"]) is True else f"; {plural(total['buffers'], 'buffer')} apart")

    def to_records(self, metrics: Iterable[str] = ()) -> list[dict[str, Any]]:
        """One dict for each layer, as in the JSON, with these metrics besides the usual ones."""
        return [*self._records(_with(metrics))]

    def _records(self, metrics: Iterable[str]) -> LazySequence:
        return LazySequence(partial(_record, [(metric, self._value_of(metric)) for metric in metrics]), self.layers)

    def _columns(self, depth: int | None, columns: Sequence[str] | str | None) -> list[Column]:
        usual = LAYER_COLUMNS if depth is None else BLOCK_COLUMNS
        return [*usual] if columns is None else [*read_columns(columns, (*usual, IN, OUT), metrics=METRICS)]

    def _fields(self) -> dict[str, Any]:
        metrics = metrics_in(self._columns(self.depth, self.columns))
        of_layers, of_blocks = _with(metrics), [*dict.fromkeys((*OF_BLOCKS, *metrics))]
        folds = [] if self.depth is None else self.fold(self.depth, of_blocks)
        blocks = {} if self.depth is None else {"blocks": [{**_about(block), **block.costs} for block in folds]}
        about = {"target": self.target, "knobs": dict(self.knobs), "dtype": self.dtype._asdict()}
        totals = {metric: self._total(metric) for metric in of_layers}
        return {**about, "totals": totals, **blocks, "layers": self._records(of_layers)}

    def _summary(self) -> str:
        totals = ", ".join(f"{metric}={self.total(metric)}" for metric in ("params", "macs"))
        more = f", {len(self.warnings)} in warnings" if self.warnings else ""
        return f"{self.target}: {totals}, {plural(len(self.layers), 'layer')}{more}"


def by_row(metric: str, graph: Graph | None, rows: Sequence[Row], dtype: Dtype) -> dict[str, Size]:
    """A metric that depends on other layers, of all copies of each row: their sum, or the largest of them.

    Raises UsageError for rows without their graph, and for the largest of sizes that are symbols or arrays.
    """
    found = METRICS[metric]
    if graph is None:
        raise UsageError(f"{metric} is asked of a layer graph: costcalc.cost(graph), not of rows alone")
    if found.together != SUM and not all(is_rational(size) for row in rows for size in (row.times, *row.output_shape)):
        raise _needs_numbers(metric, rows)
    values: dict[str, Size] = {}
    for where, layers in unrolled_layers(graph):
        for layer, size in zip(layers, found.layers(layers) if found.layers else ()):
            value, before = where * dtype.scale(found.scale) * size, values.get(layer.row, 0)
            values[layer.row] = before + layer.copies * value if found.together == SUM else maximum(before, value)
    return values


def _needs_numbers(metric: str, rows: Sequence[Row]) -> UsageError:
    """The error for a metric of symbols or arrays that only numbers have."""
    names = ", ".join(symbols_of(rows))
    return UsageError(f"{metric} needs numeric sizes; {f'set {names}' if names else 'make a graph of each point'}")


def _with(metrics: Iterable[str]) -> list[str]:
    """The usual totals, and these metrics, each once."""
    return [*dict.fromkeys((*TOTALS, *metrics))]


def _about(block: LayerBlock) -> dict[str, Any]:
    return {"name": block.name, "op": block.op, "times": block.times, "output_shape": block.output_shape}


def _quotient(over: Any, under: Any) -> Any:
    """Exactly; None over nothing."""
    if is_rational(over) and is_rational(under):
        return Fraction(over, under) if under else None
    return over / under


def cost(
    graph: Graph, *, target: str = "", knobs: dict[str, Any] | None = None, title: str = "", dtype: Dtype = FLOAT32
) -> Cost:
    """What a layer graph costs: any networkx.DiGraph whose nodes carry an `op` and `inputs`.

    Raises GraphError for something that is not a layer graph, ShapeError for the first layer that cannot be.
    """
    rows, about = tuple(walk(graph)), graph.graph
    return Cost(rows, target or about.get("name", ""), knobs or about.get("knobs", {}), title, graph, dtype)


def cost_of(model: Model, *, unrolled: bool = False) -> Cost:
    """What a network costs, layer by layer, worked out once; repeats written out if `unrolled`."""
    about: dict[str, Any] = {"target": model.label, "knobs": model.values}
    about |= {"title": model.heading, "dtype": model.dtype}
    if unrolled:
        return cost(model.layers(unrolled=True), **about)
    return model.cached("cost", lambda: cost(model.bound, **about))


def numeric_cost(model: Model, what: str) -> Cost:
    """The cost of a network, for `what` shows numbers only. Raises UsageError for sizes that are symbols or arrays."""
    model.needs_numbers(what)
    found, kind = cost_of(model), model.architecture.kind
    if not all(map(is_rational, found.totals.values())):
        raise UsageError(f"{what} needs numeric sizes; {kind} {model.label!r} has the sizes of several points")
    return found


def _layer_record(values: Values, share: Callable[[Row], Any], images: set[str], row: Row) -> dict[str, Any]:
    """A layer as it stands in the table."""
    first = as_image(row.input_shapes[0], row.inputs[0], images) if row.inputs else row.output_shape
    return {
        "name": str(row.name),
        "op": row.op.name,
        "times": row.times,
        "input_shape": first,
        "output_shape": as_image(row.output_shape, row.name, images),
        **{metric: value(row) for metric, value in values},
        "share": share(row),
    }


def _record(values: Values, row: Row) -> dict[str, Any]:
    """A layer as it stands in the JSON."""
    return {
        "name": str(row.name),
        "op": row.op.name,
        "inputs": [*map(str, row.inputs)],
        "input_shapes": [list(shape) for shape in row.input_shapes],
        "output_shape": list(row.output_shape),
        "times": row.times,
        **{metric: value(row) for metric, value in values},
    }


def _share(macs: Callable[[Any], Size], of_all: Size) -> Callable[[Any], float | None]:
    """What tells the share of a layer or block in all MACs, where both are numbers."""
    if not isinstance(of_all, int) or not of_all:
        return lambda one: None
    return lambda one: macs(one) / of_all
