"""Rows of a walk taken together as blocks, by the first parts of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.images import as_shown, images_of
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, elements, is_number
from costcalc.errors import UsageError
from costcalc.table import Column

METRICS = ("params", "macs", "elementwise", "activations")


class Fold(NamedTuple):
    """A block of layers as one row. `passed_on` elements leave it; the `widest` tensor inside has so many.

    What leaves is what layers outside read, all of it together; of a block that nobody reads, its last layer. The
    shape is that of the last that leaves. `times` is None where layers differ in it.
    """

    name: str
    op: str
    times: Size | None
    output_shape: Shape
    params: Size
    macs: Size
    elementwise: Size
    activations: Size
    passed_on: Size
    widest: Size | None


COLUMNS: tuple[Column, ...] = (
    Column("name", "block", "text"),
    Column("op", "op", "text", 5),
    Column("times", "×", "int", 1),
    Column("output_shape", "out", "shape", 1),
    Column("params", "params"),
    Column("macs", "MACs"),
    Column("elementwise", "elementwise", "int", 6),
    Column("activations", "activations", "int", 6),
    Column("passed_on", "passed on", "int", 2),
    Column("widest", "widest", "int", 4),
    Column("share", "share", "share", 3),
)


def folded(rows: Sequence[Row], depth: int) -> list[Fold]:
    """Rows whose names agree in their first `depth` parts as one; inputs are left out.

    Raises UsageError for a depth that is no whole number from 1.
    """
    if depth.__class__ is not int or depth < 1:
        raise UsageError(f"a depth is a whole number from 1, got {depth!r}")
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(_block(row.name, depth), []).append(row)
    leaving, images = _leaving(rows, depth), images_of(rows)
    return [_fold(name, inside, leaving[name], images) for name, inside in blocks.items() if not is_input(inside)]


def is_input(rows: Iterable[Row]) -> bool:
    """Are these the inputs of a network, which cost nothing?"""
    return all(row.op.name == "input" for row in rows)


def block_names(rows: Iterable[Row]) -> set[str]:
    """Every layer and block by full name: `stage1.block.conv`, `stage1.block`, `stage1`."""
    parts = [str(row.name).split(".") for row in rows]
    return {".".join(names[:depth]) for names in parts for depth in range(1, len(names) + 1)}


def _block(name: Any, depth: int) -> str:
    return ".".join(str(name).split(".")[:depth])


def _leaving(rows: Sequence[Row], depth: int) -> defaultdict[str, set[str]]:
    """Of each block the names of the rows that others read."""
    leaving: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for source in map(str, row.inputs):
            there = _block(source, depth)
            if there != _block(row.name, depth):
                leaving[there].add(source)
    return leaving


def _fold(name: str, rows: list[Row], leaving: set[str], images: set[str]) -> Fold:
    out = [row for row in rows if str(row.name) in leaving] or rows[-1:]
    sums = {metric: sum(getattr(row, metric) for row in rows) for metric in METRICS}
    widths = [elements(row.output_shape) for row in rows]
    return Fold(
        name,
        rows[0].op.name if len(rows) == 1 else f"{_layers(rows)} layers" + f", {len(out)} outputs" * (len(out) > 1),
        rows[0].times if len({str(row.times) for row in rows}) == 1 else None,
        as_shown(out[-1].output_shape, out[-1].name, images),
        **sums,
        passed_on=sum(elements(row.output_shape) for row in out),
        widest=max(widths) if all(isinstance(width, int) for width in widths) else None,
    )


def _layers(rows: Sequence[Row]) -> Size:
    """How many layers there are, copies of repeats among them; without them where their number is none."""
    count = sum(row.times for row in rows)
    return count if is_number(count) else len(rows)
