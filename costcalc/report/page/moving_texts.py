"""Texts of a drawing in which sizes move: `28×28×16` as pieces, with the numbers of sizes between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.picture.layer_groups import named
from costcalc.analysis.picture.op_words import op_words
from costcalc.analysis.walk import Row
from costcalc.dims import is_symbolic
from costcalc.table import shape_text, visible

Pieces = list[str | int | tuple[int, str]]  # text, the number of a size, or that and the noun that it counts


class Sizes:
    """The sizes in the texts of a network's drawings, each once."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def number(self, size: Any) -> int:
        """Its number."""
        return self.numbers.setdefault(size, len(self.numbers))

    def gap(self, size: Any) -> Any:
        """What stands in a text for a size: itself, or if it is symbolic a gap with its number."""
        return Gap(self.number(size)) if is_symbolic(size) else size


class Gap:
    """A place in a text for a size. It equals no number, so that a stride of it is written."""

    def __init__(self, number: int):
        self.number = number

    def __str__(self) -> str:
        return f"\0{self.number}\0"


class _Gapped:
    """An op with gaps for the symbolic ones among its sizes."""

    def __init__(self, op: Any, symbolic: Any, sizes: Sizes):
        self.op, self.symbolic, self.sizes = op, symbolic, sizes

    def __getattr__(self, name: str) -> Any:
        size = getattr(self.symbolic, name)
        if name != "groups" and is_symbolic(size):
            return self.sizes.gap(size)
        if isinstance(size, tuple) and any(map(is_symbolic, size)):
            return tuple(map(self.sizes.gap, size))
        return getattr(self.op, name)


def words_of(rows: Iterable[tuple[Row, Row]], sizes: Sizes) -> Pieces:
    """`3×3 conv /2 + BN` of layers, each with numbers and with symbols."""
    pairs = {row.name: (row, other) for row, other in rows}
    shown = [pairs[row.name] for row in named([row for row, _ in pairs.values()])]
    return _pieces(" + ".join(op_words(_Gapped(row.op, other.op, sizes), row.output_shape) for row, other in shown))


def shape_of(row: Row, layouts: OutputLayouts, sizes: Sizes) -> Pieces:
    """`28×28×16`, the shape that a layer with symbols puts out."""
    shape = layouts.shown(row.output_shape, row.name)
    return _pieces(shape_text(type(shape)(map(sizes.gap, shape))))


def _pieces(text: str) -> Pieces:
    parts = text.split("\0")
    return [int(part) if at % 2 else visible(part) for at, part in enumerate(parts)]


def moves(pieces: Pieces) -> bool:
    """Is there a size in it?"""
    return not all(isinstance(piece, str) for piece in pieces)
