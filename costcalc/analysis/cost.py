"""What a layer graph costs: its rows, their totals, and the rows folded by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from costcalc.analysis.fold import COLUMNS as BLOCK_COLUMNS
from costcalc.analysis.fold import Fold, folded, is_input
from costcalc.analysis.images import as_shown, images_of
from costcalc.analysis.suspects import suspects, warning_records
from costcalc.analysis.walk import Row, symbols_of, walk
from costcalc.dims import Size, is_number, is_zero
from costcalc.errors import CostcalcError, Problem, UnknownName, UsageError, unknown
from costcalc.graph import Graph
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Column, Lazily, Table, cell, data_frame, document, with_warnings
from costcalc.text import knobs_note, plural

TOTALS = ("params", "weight", "bias", "norm", "buffers", "macs", "elementwise", "activations")


@dataclass(frozen=True, eq=False, repr=False)
class Cost:
    """Rows and their totals. `target` and `knobs` say what was counted."""

    layers: tuple[Row, ...]
    target: str = ""
    knobs: dict[str, Any] = field(default_factory=dict)
    title: str = ""

    def total(self, metric: str) -> Size:
        """The sum of one of `TOTALS` over all layers. Raises UnknownName for anything else."""
        if metric not in TOTALS:
            raise UnknownName(unknown("metric", str(metric), TOTALS))
        return sum([getattr(row, metric) for row in self.layers])

    @property
    def params(self) -> Size:
        """Learned scalars; tensors that are shared once."""
        return self.total("params")

    @property
    def macs(self) -> Size:
        """Multiplies in convolutions, linear layers and matrix products."""
        return self.total("macs")

    @property
    def elementwise(self) -> Size:
        """All other arithmetic: bias, normalisation, activation, pooling, joins."""
        return self.total("elementwise")

    @property
    def activations(self) -> Size:
        """Elements written by layers."""
        return self.total("activations")

    @property
    def buffers(self) -> Size:
        """Scalars stored but not learned."""
        return self.total("buffers")

    @property
    def totals(self) -> dict[str, Size]:
        """Every total by name."""
        return dict(self._totals)

    @cached_property
    def _totals(self) -> dict[str, Size]:
        return {metric: self.total(metric) for metric in TOTALS}

    @cached_property
    def warnings(self) -> tuple[Problem, ...]:
        """Layers that are counted and probably not meant, as a `linear` on an image that was not flattened."""
        return suspects(self.layers)

    def fold(self, depth: int) -> list[Fold]:
        """Rows whose names agree in their first `depth` parts as one. Raises UsageError for a depth below 1."""
        return folded(self.layers, depth)

    def table(self, depth: int | None = None) -> Table:
        """The layers, or the blocks at this depth, as a table."""
        totals, columns = self.totals, LAYER_COLUMNS if depth is None else BLOCK_COLUMNS
        if depth is None:
            shown: Sequence[Any] = [row for row in self.layers if not is_input([row])]
            rows = Lazily(partial(_layer_record, totals["macs"], images_of(self.layers)), shown)
        else:
            shown = self.fold(depth)
            rows = Lazily(partial(_block_record, totals["macs"]), shown)
        if all(row.times is None or (is_number(row.times) and row.times == 1) for row in shown):
            columns = tuple(column for column in columns if column.key != "times")
        last = {"name": "total", "share": None, **totals}
        return Table(self.title or self.target, columns, rows, last, [CONVENTION, *self.notes()])

    def notes(self) -> list[str]:
        """What the reader must know to read the numbers: knobs, and what the params are made of."""
        total = self.totals
        learned = plural(total["weight"], "weight"), plural(total["bias"], "bias", "biases")
        parts = f"params: {', '.join(learned)}, {cell(total['norm'], 'int')} normalisation"
        stored = "" if is_zero(total["buffers"]) is True else f"; {plural(total['buffers'], 'buffer')} apart"
        return [*knobs_note(self.knobs), parts + stored]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each layer, as in the JSON."""
        return [*map(_record, self.layers)]

    def to_dict(self, depth: int | None = None) -> dict[str, Any]:
        """The JSON document of `costcalc show`, with the blocks at this depth if one is given."""
        return {**self.streamed(depth), "layers": self.to_records()}

    def streamed(self, depth: int | None = None) -> dict[str, Any]:
        """The same document, in which each layer is made when it is written: there may be too many to keep."""
        blocks = {} if depth is None else {"blocks": [block._asdict() for block in self.fold(depth)]}
        layers = Lazily(_record, self.layers)
        found = document(target=self.target, knobs=dict(self.knobs), totals=self.totals, **blocks, layers=layers)
        return with_warnings(found, warning_records(self.warnings, self.target))

    def to_pandas(self) -> Any:
        """The layers as a pandas.DataFrame."""
        return data_frame(self.to_records())

    def __repr__(self) -> str:
        totals = ", ".join(f"{metric}={self.total(metric)}" for metric in ("params", "macs"))
        more = f", {len(self.warnings)} in warnings" if self.warnings else ""
        layers = plural(len(self.layers), "layer")
        return f"<costcalc.Cost {self.target}: {totals}, {layers}{more}; table(), totals, to_records()>"

    def _repr_html_(self) -> str:
        table = self.table()
        table.notes += map(str, self.warnings)
        return table._repr_html_()


LAYER_COLUMNS: tuple[Column, ...] = (
    Column("name", "layer", "text"),
    Column("op", "op", "text", 2),
    Column("times", "×", "int", 1),
    Column("input_shape", "in", "shape", 5),
    Column("output_shape", "out", "shape", 1),
    Column("params", "params"),
    Column("macs", "MACs"),
    Column("elementwise", "elementwise", "int", 3),
    Column("activations", "activations", "int", 4),
    Column("share", "share", "share", 2),
)


def cost(graph: Graph, *, target: str = "", knobs: dict[str, Any] | None = None, title: str = "") -> Cost:
    """What a layer graph costs: any networkx.DiGraph whose nodes carry an `op` and `inputs`.

    Raises GraphError for what is no layer graph, ShapeError for the first layer that cannot be.
    """
    rows, about = tuple(walk(graph)), graph.graph
    return Cost(rows, target or about.get("name", ""), knobs or about.get("knobs", {}), title)


def cost_of(network: Network, *, unrolled: bool = False) -> Cost:
    """What a network costs, layer by layer, worked out once; repeats written out if `unrolled`."""
    about: dict[str, Any] = {"target": network.label, "knobs": network.knobs}
    about["title"] = f"{network.label}: {network.title}"
    if unrolled:
        return cost(network.graph(unrolled=True), **about)
    if "cost" not in network.answers:
        network.answers["cost"] = cost(network.bound, **about)
    return network.answers["cost"]  # type: ignore[no-any-return]


def warnings_of(network: Network) -> tuple[Problem, ...]:
    """`Cost.warnings` of a network; none of one that cannot be counted as it is set."""
    if "warnings" not in network.answers:
        try:
            network.answers["warnings"] = cost_of(network).warnings
        except CostcalcError:  # a sweep may be of other points, and what is about this one says so itself
            network.answers["warnings"] = ()
    return network.answers["warnings"]  # type: ignore[no-any-return]


def counted(subject: Network | Graph, what: str) -> Cost:
    """The cost of a network or of a layer graph, for `what` shows numbers only.

    Raises UsageError for letters or columns, GraphError and ShapeError as `cost` does.
    """
    if isinstance(subject, Network):
        subject.needs_numbers(what)
        return cost_of(subject)
    found = cost(subject, target=subject.graph.get("name") or "graph")
    if not all(map(is_number, found.totals.values())):
        names = symbols_of(found.layers)
        having = f"symbol{'s' * (len(names) > 1)} {', '.join(names)}" if names else "sizes of several points"
        raise UsageError(f"{what} needs numeric sizes; layer graph {found.target!r} has the {having}")
    return found


def _share(macs: Size, of: Size) -> float | None:
    return macs / of if isinstance(macs, int) and isinstance(of, int) and of else None


def _record(row: Row) -> dict[str, Any]:
    """A layer as it stands in the JSON."""
    return {
        "name": str(row.name),
        "op": row.op.name,
        "inputs": [*map(str, row.inputs)],
        "input_shapes": [list(shape) for shape in row.input_shapes],
        "output_shape": list(row.output_shape),
        "times": row.times,
        **{metric: getattr(row, metric) for metric in TOTALS},
    }


def _block_record(all_macs: Size, block: Fold) -> dict[str, Any]:
    return {**block._asdict(), "share": _share(block.macs, all_macs)}


def _layer_record(all_macs: Size, images: set[str], row: Row) -> dict[str, Any]:
    return {
        "name": str(row.name),
        "op": row.op.name,
        "input_shape": as_shown(row.input_shapes[0], row.inputs[0], images) if row.inputs else row.output_shape,
        "output_shape": as_shown(row.output_shape, row.name, images),
        **{key: getattr(row, key) for key in ("times", "params", "macs", "elementwise", "activations")},
        "share": _share(row.macs, all_macs),
    }
