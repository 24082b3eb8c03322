"""What a layer graph costs: its rows, their totals, and the rows folded by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from costcalc.analysis.columns import metrics_in, read_columns
from costcalc.analysis.cost_cells import (
    BLOCK_COLUMNS,
    IN,
    LAYER_COLUMNS,
    OUT,
    TIMES,
    about_block,
    layer_cells,
    record,
    share,
)
from costcalc.analysis.fold import LayerBlock, folded, layers_text
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.metric import LARGEST
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metric_values import MetricValues
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.own_calls import on_a_screen
from costcalc.analysis.receptive_columns import remarks, without_positions
from costcalc.analysis.suspects import suspects
from costcalc.analysis.walk import Row, symbolic_sizes_error, walk
from costcalc.dims import Size, is_rational, is_zero
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import Problem, UsageError
from costcalc.graph import Graph
from costcalc.graph.freezing import train_step_of
from costcalc.importers.torch_runs.run_record import Origin
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, LazySequence, Table, bytes_text, cell, short_text
from costcalc.text import knobs_note, plural

MAX_LAYERS_IN_SHORT = 800  # of a network that is summed up on a line
TOTALS = ("params", "weight", "bias", "norm", "buffers", "macs", "elementwise", "activations")
OF_BLOCKS = ("params", "macs", "elementwise", "activations", "output", "widest")


@dataclass(frozen=True, eq=False, repr=False)
class Cost(Result):
    """Rows and their totals. `target` and `knobs` say what was counted, `dtype` what bytes are of. With a `depth` the
    table has blocks instead of layers; `columns` are those of the table."""

    layers: tuple[Row, ...]
    target: str = ""
    knobs: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    graph: Graph | None = None  # the rows are those of a walk over it
    dtype: Dtype = FLOAT32
    depth: int | None = None
    columns: Sequence[str] | str | None = None
    about: str = ""  # what its spec says of it

    @cached_property
    def _values(self) -> MetricValues:
        return MetricValues(self.layers, self.graph, self.dtype)

    @cached_property
    def layouts(self) -> OutputLayouts:
        """How the output shapes of its layers are shown."""
        return OutputLayouts.of(self.layers)

    def total(self, metric: str) -> Any:
        """The value of the network, of any metric that is counted.

        Raises UnknownName for a metric that does not exist, UsageError for one that is measured, and for the largest of
        symbols or arrays.
        """
        found = self._values.total(metric)
        if found is None and METRICS[metric].together == LARGEST:
            raise symbolic_sizes_error(metric, self.layers)
        return found

    def value(self, metric: str, layer: int) -> Any:
        """The value of one layer: the sum of all its copies, or the largest of them for a metric that is not a sum."""
        return self._values.of_row(metric)(self.layers[layer])

    def together(self, metric: str, layers: Iterable[Row], leaving: Iterable[Row]) -> Any:
        """The value of some of the layers; `leaving` are those that others read."""
        return self._values.together(metric, layers, leaving)

    @property
    def params(self) -> Size:
        """Learned scalars; shared tensors count once."""
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
        return suspects(self.layers) if self._imported is None else self._imported

    @property
    def _imported(self) -> tuple[Problem, ...] | None:
        """What an import says of its totals; None for other networks."""
        about: Mapping[str, Any] = getattr(self.graph, "graph", {})
        return about.get("warnings")

    def _warned(self) -> Sequence[tuple[str, tuple[Problem, ...]]]:
        return [(self.target, self._suspects)]

    def fold(self, depth: int, metrics: Iterable[str] = OF_BLOCKS) -> list[LayerBlock]:
        """Rows whose names agree in their first `depth` parts as one, with these metrics as their `costs`. Raises
        UsageError for a depth below 1."""
        names = [*metrics]
        return [block._replace(costs=self._block_values(names, block)) for block in folded(self.layers, depth)]

    def _shown_blocks(self, depth: int) -> list[LayerBlock]:
        """The rows of a table by block."""
        about: Mapping[str, Any] = getattr(self.graph, "graph", {})
        origin: Origin | None = about.get("origin")
        return on_a_screen(self.layers, depth, about.get("modules", {}) if origin is None else origin.modules)

    def at_depth(self, depth: int | None, columns: Sequence[str] | str | None = None) -> Cost:
        """The same, shown with these columns and by blocks of this depth: layers whose names agree in so many parts
        (None: layer by layer)."""
        return self if (depth, columns) == (self.depth, self.columns) else replace(self, depth=depth, columns=columns)

    def table(self, depth: int | None = None, columns: Sequence[str] | str | None = None) -> Table:
        """The layers, or the blocks at this depth, as a table. `columns`, as `"name,out,macs,peak_bytes"`, are its own
        or any metrics. Raises UnknownName and UsageError for columns that it cannot have."""
        depth = self.depth if depth is None else depth
        columns = self.columns if columns is None else columns
        shown = self._columns(depth, columns)
        metrics = metrics_in(shown)
        totals = {metric: self._values.total(metric) for metric in metrics}
        if depth is None:
            entries: Sequence[Any] = [row for row in self.layers if not row.op.is_input]
            values = {metric: self._values.of_row(metric) for metric in metrics}
            rows = LazySequence(partial(layer_cells, values, self.macs, self.layouts), entries)
        else:
            entries = self._shown_blocks(depth)
            rows = LazySequence(partial(self._block_cells, metrics), entries)
        times = [each.times for each in entries]
        if columns is None and all(n is None or (n.__class__ is int and n == 1) for n in times):
            shown.remove(TIMES)
        totals = {shown[0].key: "total", **totals}
        return Table(self.title or self.target, tuple(shown), rows, totals, self.notes(metrics), formula_text)

    def _block_cells(self, metrics: Sequence[str], block: LayerBlock) -> dict[str, Any]:
        of_all = share(sum(row.macs for row in block.layers), self.macs)
        return {**about_block(block), **self._block_values(metrics, block), "share": of_all}

    def _block_values(self, metrics: Iterable[str], block: LayerBlock) -> dict[str, Any]:
        return {metric: self._values.together(metric, block.layers, block.leaving) for metric in metrics}

    def notes(self, metrics: Sequence[str] = ("macs", "params")) -> list[str]:
        """Notes below a table of these metrics: what they count, the knobs, and the parts of params."""
        counts = metric_notes(metrics, self.dtype)
        if any(METRICS[name].step and name != "memory_bytes" for name in metrics):
            counts.append(self._step_note())
        counts += remarks(self._values.every_layer) if "receptive_field" in metrics else []
        counts += without_positions({name: self._values.total(name) for name in metrics if METRICS[name].path})
        parts = [self._parts_of_params()] if "params" in metrics else []
        imported = (*(one.message for one in self._imported or ()), *self._notes_of_import())
        short = [self._in_short()] if {"params", "macs"} <= {*metrics} and self._is_short else []
        about = [self.about] if self.about and self.columns is None else []
        return [*short, *counts, *knobs_note(self.knobs, "knobs, which --set changes"), *parts, *imported, *about]

    @property
    def _is_short(self) -> bool:
        """Is it a network of numbers and of so few layers that its peak is found at once?"""
        sizes = (size for row in self.layers for size in (row.times, *row.output_shape))
        few = self.graph is not None and len(self.layers) <= MAX_LAYERS_IN_SHORT
        return few and not self.dtype.is_mixed and all(map(is_rational, sizes))

    def _in_short(self) -> str:
        """`25.56 M params, all trained; 4.089 G MACs; params and buffers 97.7 MiB, peak of activations 9.76 MiB`."""
        params, macs = (short_text(self.total(metric)) for metric in ("params", "macs"))
        frozen = any(layer.frozen for layer in self._values.every_layer) and self.total("frozen_params")
        trained = f"{short_text(self.total('trainable_params'))} of them trained" if frozen else "all trained"
        stored, peak = (bytes_text(self.total(metric)) for metric in ("weight_bytes", "peak_bytes"))
        return f"{params} params, {trained}; {macs} MACs; params and buffers {stored}, peak of activations {peak}"

    def _notes_of_import(self) -> tuple[str, ...]:
        """Notes of the importer on this network."""
        return tuple(self.graph.graph.get("notes", ())) if self.graph is not None else ()

    def _step_note(self) -> str:
        """How the network is trained, and what that costs beside the forward pass."""
        step = train_step_of(self.graph)
        macs, forward = self.total("train_macs"), self.macs
        ratio = f", {macs / forward:.4g} × the forward pass" if is_rational(macs) and forward else ""
        return f"training: {step.words}; {cell(macs, 'int', formula_text)} MACs a step{ratio}"

    def _parts_of_params(self) -> str:
        total = {name: n if is_rational(n) else formula_text(n) for name, n in self.totals.items()}
        learned = plural(total["weight"], "weight"), plural(total["bias"], "bias", "biases")
        parts = f"params: {', '.join(learned)}, {cell(total['norm'], 'int')} normalisation"
        without = is_zero(self.totals["buffers"]) is True
        return parts + ("" if without else f"; {plural(total['buffers'], 'buffer')}, not learned, apart")

    def to_records(self, metrics: Iterable[str] = ()) -> list[dict[str, Any]]:
        """One dict for each layer, as in the JSON, with these metrics besides the usual ones."""
        return [*self._records(dict.fromkeys((*TOTALS, *metrics)))]

    def _records(self, metrics: Iterable[str]) -> LazySequence:
        return LazySequence(partial(record, {m: self._values.of_row(m) for m in metrics}), self.layers)

    def _columns(self, depth: int | None, columns: Sequence[str] | str | None) -> list[Column]:
        usual = LAYER_COLUMNS if depth is None else BLOCK_COLUMNS
        return [*usual] if columns is None else [*read_columns(columns, (*usual, IN, OUT), metrics=METRICS)]

    def _fields(self) -> dict[str, Any]:
        metrics = metrics_in(self._columns(self.depth, self.columns))
        of_layers = dict.fromkeys((*TOTALS, *metrics))
        about: dict[str, Any] = {"target": self.target, "knobs": dict(self.knobs), "dtype": self.dtype._asdict()}
        if notes := self._notes_of_import():
            about["notes"] = [*notes]
        if any(METRICS[name].step for name in metrics):
            about["training"] = asdict(train_step_of(self.graph))
        about["totals"] = {metric: self._values.total(metric) for metric in of_layers}
        if self.depth is not None:
            names = dict.fromkeys((*OF_BLOCKS, *metrics))
            about["blocks"] = [
                {**about_block(block), **self._block_values(names, block)} for block in self._shown_blocks(self.depth)
            ]
        return {**about, "layers": self._records(of_layers)}

    def _summary(self) -> str:
        totals = ", ".join(f"{metric}={self.total(metric)}" for metric in ("params", "macs"))
        more = f", {len(self.warnings)} in warnings" if self.warnings else ""
        return f"{self.target}: {totals}, {layers_text(self.layers)}{more}"


def cost(
    graph: Graph, *, target: str = "", knobs: dict[str, Any] | None = None, title: str = "", dtype: Dtype = FLOAT32,
    about: str = "",
) -> Cost:  # fmt: skip
    """The cost of a layer graph: any networkx.DiGraph whose nodes carry an `op` and `inputs`.

    Raises GraphError for something that is not a layer graph, ShapeError for the first invalid layer.
    """
    rows, given = tuple(walk(graph)), graph.graph
    name, values = target or given.get("name", ""), knobs or given.get("knobs", {})
    return Cost(rows, name, values, title, graph, dtype, about=about)


def cost_of(model: Model, *, unrolled: bool = False) -> Cost:
    """The cost of a network, computed once; with repeats written out if `unrolled`."""
    about: dict[str, Any] = {"target": model.label, "knobs": model.values}
    about |= {"title": model.heading, "dtype": model.dtype, "about": " ".join(model.about.split())}
    if unrolled:
        return cost(model.layers(unrolled=True), **about)
    return model.cached("cost", lambda: cost(model.bound, **about))


def numeric_cost(model: Model, what: str) -> Cost:
    """The cost of a network. Raises UsageError, about `what`, if its sizes are symbols or arrays."""
    model.require_numeric(what)
    found, kind = cost_of(model), model.architecture.kind
    if not all(map(is_rational, found.totals.values())):
        raise UsageError(f"{what} needs numeric sizes; {kind} {model.label!r} has the sizes of several points")
    return found
