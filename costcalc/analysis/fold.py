"""Rows of a walk taken together as blocks, by the first parts of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, is_rational
from costcalc.errors import UsageError
from costcalc.text import plural

NOT_JOINED: Mapping[str, str] = {}


class LayerBlock(NamedTuple):
    """Layers taken together as one row."""

    name: str
    op: str  # of a single layer, else how many layers there are
    times: Size | None  # None if it differs between layers
    output_shape: Shape  # of the last layer in `leaving`
    layers: tuple[Row, ...]
    leaving: tuple[Row, ...]  # the layers that others outside read; if there are none, the last layer
    costs: Mapping[str, Any] = {}  # metrics by name


def folded(rows: Sequence[Row], depth: int, joined: Mapping[str, str] = NOT_JOINED) -> list[LayerBlock]:
    """A block for the rows whose names agree in their first `depth` parts; inputs are left out. `joined` has the name
    of the block that stands for several of these, by the name of each.

    Raises UsageError for a depth that is not a whole number from 1.
    """
    if depth.__class__ is not int or depth < 1:
        raise UsageError(f"a depth is a whole number from 1, got {depth!r}")
    block = partial(_joined_block, depth=depth, joined=joined)
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(block(row.name), []).append(row)
    leaving, layouts = _leaving(rows, block), OutputLayouts.of(rows)
    return [
        _fold(name, inside, leaving[name], layouts)
        for name, inside in blocks.items()
        if not all(row.op.is_input for row in inside)
    ]


def block_names(rows: Iterable[Row]) -> set[str]:
    """Every layer and block by full name: `stage1.block.conv`, `stage1.block`, `stage1`."""
    parts = [str(row.name).split(".") for row in rows]
    return {".".join(names[:depth]) for names in parts for depth in range(1, len(names) + 1)}


def block_of(name: Any, depth: int) -> str:
    """The name of the block that a layer is in: its first `depth` parts."""
    return ".".join(str(name).split(".")[:depth])


def _joined_block(name: Any, depth: int, joined: Mapping[str, str]) -> str:
    block = block_of(name, depth)
    return joined.get(block, block)


def _leaving(rows: Sequence[Row], block: Callable[[Any], str]) -> defaultdict[str, set[str]]:
    """For each block, the names of its rows that rows of other blocks read."""
    leaving: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for source in map(str, row.inputs):
            there = block(source)
            if there != block(row.name):
                leaving[there].add(source)
    return leaving


def _fold(name: str, layers: list[Row], read: set[str], layouts: OutputLayouts) -> LayerBlock:
    leaving = tuple(row for row in layers if str(row.name) in read) or (layers[-1],)
    outputs = f", {len(leaving)} outputs" * (len(leaving) > 1)
    op = layers[0].op.name if len(layers) == 1 else f"{layers_text(layers)}{outputs}"
    times = layers[0].times if len({str(row.times) for row in layers}) == 1 else None
    shape = layouts.shown(leaving[-1].output_shape, leaving[-1].name)
    return LayerBlock(name, op, times, shape, tuple(layers), leaving)


def layer_count(rows: Iterable[Row]) -> Size:
    """How many layers run: each copy of a repeat counts, inputs do not."""
    return sum(row.times for row in rows if not row.op.is_input)


def layers_text(rows: Iterable[Row]) -> str:
    """`32 layers`, `15·d + 14 layers`: how many run."""
    count = layer_count(rows)
    return plural(count if is_rational(count) else formula_text(count), "layer")
