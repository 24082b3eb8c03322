"""Rows of a walk taken together as blocks, by the first parts of their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.images import as_image, image_names
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, is_rational
from costcalc.errors import UsageError


class LayerBlock(NamedTuple):
    """Layers as one row, and those of them that layers outside read.

    Of a block that no layer outside reads, what leaves is its last layer's. The shape is that of the last that leaves.
    `times` is None where layers differ in it.
    """

    name: str
    op: str
    times: Size | None
    output_shape: Shape
    layers: tuple[Row, ...]
    leaving: tuple[Row, ...]
    costs: Mapping[str, Any] = {}  # metrics by name


def folded(rows: Sequence[Row], depth: int) -> list[LayerBlock]:
    """Rows whose names agree in their first `depth` parts as one; inputs are left out.

    Raises UsageError for a depth that is not a whole number from 1.
    """
    if depth.__class__ is not int or depth < 1:
        raise UsageError(f"a depth is a whole number from 1, got {depth!r}")
    blocks: dict[str, list[Row]] = {}
    for row in rows:
        blocks.setdefault(_block(row.name, depth), []).append(row)
    leaving, images = _leaving(rows, depth), image_names(rows)
    return [_fold(name, inside, leaving[name], images) for name, inside in blocks.items() if not is_input(inside)]


def is_input(rows: Iterable[Row]) -> bool:
    """Are these the inputs of a network, which cost nothing?"""
    return all(row.op.is_input for row in rows)


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


def _fold(name: str, layers: list[Row], read: set[str], images: set[str]) -> LayerBlock:
    leaving = tuple(row for row in layers if str(row.name) in read) or (layers[-1],)
    outputs = f", {len(leaving)} outputs" * (len(leaving) > 1)
    last = leaving[-1]
    return LayerBlock(
        name,
        layers[0].op.name if len(layers) == 1 else f"{_layers(layers)} layers{outputs}",
        layers[0].times if len({str(row.times) for row in layers}) == 1 else None,
        as_image(last.output_shape, last.name, images),
        tuple(layers),
        leaving,
    )


def _layers(rows: Sequence[Row]) -> Size:
    """How many layers there are, copies of repeats among them; rows where the number of copies is a symbol."""
    count = sum(row.times for row in rows)
    return count if is_rational(count) else len(rows)
