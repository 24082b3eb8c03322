"""What a layer graph costs: its rows, their totals, and the rows folded by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costcalc.analysis.walk import Row, walk
from costcalc.dims import Shape, Size, elements
from costcalc.graph import Graph
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Column, Table
from costcalc.text import value_text

TOTALS = ("params", "weight", "bias", "norm", "buffers", "macs", "elementwise", "activations")
SCHEMA_VERSION = 1


class Fold(NamedTuple):
    """A block of layers as one row. `passed_on` elements leave it; the `widest` tensor inside has so many."""

    name: str
    op: str
    times: Size
    output_shape: Shape
    params: Size
    macs: Size
    elementwise: Size
    activations: Size
    passed_on: Size
    widest: Size


@dataclass(frozen=True)
class Cost:
    """Rows and their totals. `target` and `knobs` say what was counted."""

    layers: tuple[Row, ...]
    target: str = ""
    knobs: dict[str, Any] = field(default_factory=dict)
    title: str = ""

    def total(self, metric: str) -> Size:
        """The sum of one of `TOTALS` over all layers."""
        at = "params" if metric == "params" else metric
        return sum([getattr(row, at) for row in self.layers])

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
        return {metric: self.total(metric) for metric in TOTALS}

    def fold(self, depth: int) -> list[Fold]:
        """Rows whose names agree in their first `depth` parts as one."""
        groups: dict[str, list[Row]] = {}
        for row in self.layers:
            groups.setdefault(".".join(str(row.name).split(".")[:depth]), []).append(row)
        return [_fold(name, rows) for name, rows in groups.items() if not _is_input(rows)]

    def table(self, depth: int | None = None) -> Table:
        """The layers, or the blocks at this depth, as a table."""
        rows = [_layer_record(row, self.macs) for row in self.layers if not _is_input([row])]
        columns: tuple[Column, ...] = LAYER_COLUMNS
        if depth is not None:
            rows = [_fold_record(fold, self.macs) for fold in self.fold(depth)]
            columns = FOLD_COLUMNS
        if all(row["times"] == 1 for row in rows):
            columns = tuple(column for column in columns if column.key != "times")
        totals = {"name": "total", "share": None, **{metric: self.total(metric) for metric in TOTALS}}
        return Table(self.title or self.target, columns, rows, totals, [CONVENTION, *self.notes()])

    def notes(self) -> list[str]:
        """What the reader must know to read the numbers: knobs, and what the params are made of."""
        knobs = ", ".join(f"{name}={value_text(value)}" for name, value in self.knobs.items())
        total = self.totals
        parts = f"params: {total['weight']:,} weights, {total['bias']:,} biases, {total['norm']:,} normalisation"
        stored = f"; {self.buffers:,} buffers apart" if self.buffers else ""
        return [*([f"knobs: {knobs}"] if knobs else []), parts + stored]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each layer, as in the JSON."""
        return [
            {
                "name": str(row.name),
                "op": row.op.name,
                "inputs": [*map(str, row.inputs)],
                "input_shapes": [list(shape) for shape in row.input_shapes],
                "output_shape": list(row.output_shape),
                "times": row.times,
                **{metric: getattr(row, metric) for metric in TOTALS},
            }
            for row in self.layers
        ]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc show`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc_version": version(),
            "convention": CONVENTION,
            "target": self.target,
            "knobs": dict(self.knobs),
            "totals": self.totals,
            "layers": self.to_records(),
        }

    def to_pandas(self) -> Any:
        """The layers as a pandas.DataFrame."""
        import pandas

        return pandas.DataFrame(self.to_records())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


LAYER_COLUMNS = (
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
FOLD_COLUMNS = (
    Column("name", "block", "text"),
    Column("op", "op", "text", 4),
    Column("times", "×", "int", 6),
    Column("output_shape", "out", "shape", 1),
    Column("params", "params"),
    Column("macs", "MACs"),
    Column("elementwise", "elementwise", "int", 6),
    Column("activations", "activations", "int", 5),
    Column("passed_on", "passed on", "int", 2),
    Column("widest", "widest", "int", 2),
    Column("share", "share", "share", 3),
)


def cost(graph: Graph, *, target: str = "", knobs: dict[str, Any] | None = None, title: str = "") -> Cost:
    """What a layer graph costs: any networkx.DiGraph whose nodes carry an `op` and `inputs`.

    Raises GraphError for what is no layer graph, ShapeError for the first layer that cannot be.
    """
    about = graph.graph
    return Cost(tuple(walk(graph)), target or about.get("name", ""), knobs or about.get("knobs", {}), title)


def cost_of(network: Network, *, unrolled: bool = False) -> Cost:
    """What a network costs, layer by layer; repeats written out if `unrolled`."""
    graph = network.graph(unrolled=unrolled)
    title = f"{network.label}: {network.title}"
    return cost(graph, target=network.label, knobs=network.knobs, title=title)


def version() -> str:
    """The version of costcalc."""
    from costcalc import __version__

    return __version__


def _is_input(rows: Iterable[Row]) -> bool:
    return all(row.op.name == "input" for row in rows)


def _share(macs: Size, of: Size) -> float | None:
    return macs / of if isinstance(macs, int) and isinstance(of, int) and of else None


def _layer_record(row: Row, all_macs: Size) -> dict[str, Any]:
    record = {
        key: getattr(row, key) for key in ("times", "output_shape", "params", "macs", "elementwise", "activations")
    }
    first = row.input_shapes[0] if row.input_shapes else row.output_shape
    return {
        "name": str(row.name),
        "op": row.op.name,
        "input_shape": first,
        **record,
        "share": _share(row.macs, all_macs),
    }


def _fold_record(fold: Fold, all_macs: Size) -> dict[str, Any]:
    return {**fold._asdict(), "share": _share(fold.macs, all_macs)}


def _fold(name: str, rows: list[Row]) -> Fold:
    last = rows[-1]
    sums = {
        metric: sum(getattr(row, metric) for row in rows) for metric in ("params", "macs", "elementwise", "activations")
    }
    alone = rows[0].op.name if len(rows) == 1 else f"{len(rows)} layers"
    widths = [elements(row.output_shape) for row in rows]
    widest = max(widths) if all(isinstance(width, int) for width in widths) else None
    times = rows[0].times if len({str(row.times) for row in rows}) == 1 else 1
    return Fold(name, alone, times, last.output_shape, **sums, passed_on=elements(last.output_shape), widest=widest)
