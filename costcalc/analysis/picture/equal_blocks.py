"""Blocks that are equal to the one before, which they alone read, are drawn once: ×n, also where no repeat says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from costcalc.analysis.picture.box_units import Rowset, Unit, equal_runs


@dataclass
class Copies:
    """The blocks that are drawn once, by the name of the first: how many there are, and the name of the last."""

    found: dict[str, tuple[int, str]] = field(default_factory=dict)


def drawn_once(rowset: Rowset, units: Sequence[Unit]) -> tuple[list[Unit], Copies]:
    """The units without those of blocks that are equal to the block before; the first such block has their rows.
    Outer blocks first. Marks the rows of copies in `rowset.tags`."""
    copies, now = Copies(), [*units]
    deepest = max((unit.name.count(".") for unit in now), default=0)
    for depth in range(1, deepest + 1):
        now = _at_depth(rowset, now, depth, copies)
    return now, copies


def _at_depth(rowset: Rowset, units: list[Unit], depth: int, copies: Copies) -> list[Unit]:
    """The units with runs of equal blocks of this depth as their first block. A block that is not in one piece, or has
    no unit inside, stays as it is."""
    runs = equal_runs(_block(unit.name, depth) for unit in units)
    times = Counter(name for name, _, _ in runs)
    unit_of = {at: number for number, unit in enumerate(units) for at in unit.drawn}
    kept: list[Unit] = []
    equal: list[list[Unit]] = []
    before: _Look | None = None
    for name, begin, end in runs:
        is_block = name != units[begin].name and times[name] == 1
        look = _look(rowset, units, begin, end, unit_of, name) if is_block else None
        if not (look and before and look.goes_on(before, rowset)):
            kept += _as_one(rowset, equal, depth, copies)
            equal = []
        equal.append(units[begin:end])
        before = look
    return kept + _as_one(rowset, equal, depth, copies)


def _as_one(rowset: Rowset, blocks: Sequence[Sequence[Unit]], depth: int, copies: Copies) -> list[Unit]:
    """The first of equal blocks with the rows of all; marks these rows. One block alone stays as it is."""
    if len(blocks) < 2:
        return [unit for block in blocks for unit in block]
    first, last = (_block(block[0].name, depth) for block in (blocks[0], blocks[-1]))
    copies.found[first] = len(blocks), last
    _tag(rowset, first, blocks)
    return [
        Unit(tuple(at for unit in same for at in unit.rows), same[0].name, False, len(same) * same[0].copies)
        for same in zip(*blocks)
    ]


def _block(name: str, depth: int) -> str:
    """The first parts of a name, so many that it still has one more; else the name."""
    parts = name.split(".")
    return ".".join(parts[:depth]) if len(parts) > depth else name


def _tag(rowset: Rowset, name: str, blocks: Sequence[Sequence[Unit]]) -> None:
    for copy, block in enumerate(blocks):
        for unit in block:
            for at in unit.rows:
                rowset.tags[at] = (*rowset.tags.get(at, ()), (name, copy))


@dataclass(frozen=True)
class _Look:
    """What a block is, but for where it stands; the rows that it reads from outside, and its own."""

    shape: tuple[Any, ...]
    outside: tuple[int, ...]
    rows: tuple[int, ...]

    def goes_on(self, before: _Look, rowset: Rowset) -> bool:
        """Is it equal to the block before, which it alone reads? What both read from elsewhere, as a mask, is the
        same."""
        if self.shape != before.shape or len(self.outside) != len(before.outside):
            return False
        mine, its = {*self.rows}, {*before.rows}
        read = [source in its for source in self.outside]
        elsewhere = all(a == b for a, b, inside in zip(self.outside, before.outside, read) if not inside)
        alone = all(reader in mine or reader in its for at in before.rows for reader in rowset.readers[at])
        return sum(read) == 1 and elsewhere and alone


def _look(
    rowset: Rowset, units: Sequence[Unit], begin: int, end: int, unit_of: dict[int, int], name: str
) -> _Look:  # fmt: skip
    shape: list[Any] = []
    outside: dict[int, int] = {}
    for unit in units[begin:end]:
        shape.append((unit.name[len(name) :], unit.copies))
        for at in unit.drawn:
            row = rowset.rows[at]
            inner = []
            for source in rowset.sources[at]:
                there = unit_of.get(source, -1)
                if begin <= there < end:
                    inner.append((there - begin, units[there].drawn.index(source)))
                else:
                    outside.setdefault(source, len(outside))
                    inner.append((-1, outside[source]))
            shape.append((row.op, tuple(map(tuple, row.input_shapes)), str(row.times), row.shared, tuple(inner)))
    rows = tuple(at for unit in units[begin:end] for at in unit.rows)
    return _Look(tuple(shape), tuple(outside), rows)
