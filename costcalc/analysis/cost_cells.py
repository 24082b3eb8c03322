"""The cells of layers and blocks in the table and the JSON of a cost, and their usual columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.fold import LayerBlock
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.walk import Row
from costcalc.dims import Size
from costcalc.table import Column

RowValues = Mapping[str, Callable[[Row], Any]]  # by metric
NAME, OP, TIMES = Column("name", "layer", "text"), Column("op", "op", "text", 2), Column("times", "×", "int", 1)
IN, OUT = Column("input_shape", "in", "shape", 5), Column("output_shape", "out", "shape", 1)
SHARE = Column("share", "of MACs", "share", 2)
LAYER_COLUMNS: tuple[Column, ...] = (
    NAME, OP, TIMES, IN, OUT, metric_column("params"), metric_column("macs"), metric_column("elementwise", 3),
    metric_column("activations", 4), SHARE,
)  # fmt: skip
BLOCK_COLUMNS: tuple[Column, ...] = (
    Column("name", "block", "text"), Column("op", "op", "text", 5), TIMES, OUT, metric_column("params"),
    metric_column("macs"), metric_column("elementwise", 6), metric_column("activations", 6),
    metric_column("output", 2), metric_column("widest", 4), Column("share", "of MACs", "share", 3),
)  # fmt: skip


def about_block(block: LayerBlock) -> dict[str, Any]:
    """What a block is, without its costs."""
    return {"name": block.name, "op": block.op, "times": block.times, "output_shape": block.output_shape}


def layer_cells(values: RowValues, macs: Size, layouts: OutputLayouts, row: Row) -> dict[str, Any]:
    """A layer as it stands in the table."""
    out = layouts.shown(row.output_shape, row.name)
    first = layouts.shown(row.input_shapes[0], row.inputs[0]) if row.inputs else out
    return {
        "name": str(row.name), "op": row.op.name, "times": row.times,
        "input_shape": first, "output_shape": out,
        **{metric: value(row) for metric, value in values.items()}, "share": share(row.macs, macs),
    }  # fmt: skip


def record(values: RowValues, row: Row) -> dict[str, Any]:
    """A layer as it stands in the JSON."""
    return {
        "name": str(row.name), "op": row.op.name, "inputs": [*map(str, row.inputs)],
        "input_shapes": [list(shape) for shape in row.input_shapes], "output_shape": list(row.output_shape),
        "times": row.times, **{metric: value(row) for metric, value in values.items()},
    }  # fmt: skip


def share(macs: Size, of_all: Size) -> float | None:
    """The share of a layer or block in all MACs; None for symbols, or if there are none."""
    return macs / of_all if isinstance(of_all, int) and of_all else None
