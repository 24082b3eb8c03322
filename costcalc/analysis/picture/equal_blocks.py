"""Blocks that are equal to those before, which they alone read, are drawn once: ×n, also where no repeat says so.

What repeats is one block, or up to four that follow each other, as the two kinds of a Swin transformer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.picture.block_copies import Copies
from costcalc.analysis.picture.box_units import Rowset, Unit, equal_runs

MAX_PERIOD = 4  # blocks that repeat together


def without_repeats(rowset: Rowset, units: Sequence[Unit]) -> tuple[list[Unit], Copies]:
    """The units without those of blocks that are equal to the blocks before; the first such blocks have their rows.
    Outer blocks first, and those that repeat alone before those that repeat together. Marks the rows of copies in
    `rowset.tags`."""
    copies, now = Copies(), [*units]
    deepest = max((unit.name.count(".") for unit in now), default=0)
    for depth in range(1, deepest + 1):
        here = _Blocks(rowset, now, depth)
        for period in range(1, MAX_PERIOD + 1):
            found = here.without_repeats(period, copies)
            if len(found) < len(now):
                now, here = found, _Blocks(rowset, found, depth)
    return now, copies


class _Block(NamedTuple):
    """The units from `begin` to `end`, all those of one block. `signature` is what equal blocks have alike, None for
    units that are no block."""

    name: str
    begin: int
    end: int
    signature: Any


class _Blocks:
    """The blocks of a depth. One that is not in one piece, or has no unit inside, stays as it is."""

    def __init__(self, rowset: Rowset, units: list[Unit], depth: int):
        self.rowset, self.units, self.depth = rowset, units, depth
        self.unit_of = {at: number for number, unit in enumerate(units) for at in unit.rows}
        self.blocks = [*self._blocks()]
        self.reads: dict[tuple[int, int], _Reads] = {}

    def _blocks(self) -> Iterator[_Block]:
        runs = equal_runs(_block(unit.name, self.depth) for unit in self.units)
        times = Counter(name for name, _, _ in runs)
        for name, begin, end in runs:
            is_block = name != self.units[begin].name and times[name] == 1
            yield _Block(name, begin, end, self._signature(name, begin, end) if is_block else None)

    def _signature(self, name: str, begin: int, end: int) -> tuple[Any, ...]:
        """The block around it, and its units without what they read."""
        kinds, units = self.rowset.kinds, self.units[begin:end]
        inside = ((unit.name[len(name) :], unit.copies, *(kinds[at] for at in unit.drawn)) for unit in units)
        return name.rpartition(".")[0], *inside

    def without_repeats(self, period: int, copies: Copies) -> list[Unit]:
        """Drops blocks that repeat the `period` blocks before them; the first copy keeps the rows of all."""
        kept: list[Unit] = []
        at = 0
        while at < len(self.blocks):
            times = self._times(at, period)
            if times > 1:
                kept += self._as_one(at, period, times, copies)
            else:
                kept += self._inside(at, 1)
            at += times * period if times > 1 else 1
        return kept

    def _times(self, at: int, period: int) -> int:
        """How often the blocks from this one on stand one behind the other."""
        times, here = 1, at
        while self._may_repeat(here, period):
            if not self._reads_of(here + period, period).goes_on(self._reads_of(here, period), self.rowset):
                break
            times, here = times + 1, here + period
        return times

    def _may_repeat(self, at: int, period: int) -> bool:
        """May the blocks from this one on be equal to those behind them?"""
        here = self.blocks[at : at + 2 * period]
        if len(here) < 2 * period or any(block.signature is None for block in here):
            return False
        signatures = [block.signature for block in here]
        return signatures[:period] == signatures[period:] and len({signature[0] for signature in signatures}) == 1

    def _inside(self, at: int, count: int) -> list[Unit]:
        """The units of so many blocks."""
        return self.units[self.blocks[at].begin : self.blocks[at + count - 1].end]

    def _as_one(self, at: int, period: int, times: int, copies: Copies) -> list[Unit]:
        """The units of the first blocks with the rows of all; marks these rows."""
        names = [block.name for block in self.blocks[at : at + times * period]]
        frame = copies.add(names[:period], names[-1], times)
        each = [self._inside(at + copy * period, period) for copy in range(times)]
        self.rowset.tag(frame, each)
        return [
            Unit(tuple(row for unit in same for row in unit.rows), same[0].name, False, times * same[0].copies)
            for same in zip(*each)
        ]

    def _reads_of(self, at: int, period: int) -> _Reads:
        """What so many blocks from this one on read."""
        if (at, period) not in self.reads:
            self.reads[at, period] = self._find_reads(self.blocks[at].begin, self.blocks[at + period - 1].end)
        return self.reads[at, period]

    def _find_reads(self, begin: int, end: int) -> _Reads:
        outside: dict[int, int] = {}
        reads = tuple([(*self._read(unit, begin, end, outside),) for unit in self.units[begin:end]])
        rows = tuple([one for unit in self.units[begin:end] for one in unit.rows])
        return _Reads(reads, tuple(outside), rows)

    def _read(self, unit: Unit, begin: int, end: int, outside: dict[int, int]) -> Iterable[tuple[int, int]]:
        """What the rows of a unit read: units from `begin` to `end` and a place in these, or a number of what is
        outside."""
        for source in (source for at in unit.drawn for source in self.rowset.sources[at]):
            there = self.unit_of.get(source, -1)
            if begin <= there < end:
                yield there - begin, self.units[there].rows.index(source)
            else:
                yield -1, outside.setdefault(source, len(outside))


def _block(name: str, depth: int) -> str:
    """The first parts of a name, so many that it still has one more; else the name."""
    parts = name.split(".")
    return ".".join(parts[:depth]) if len(parts) > depth else name


@dataclass(frozen=True)
class _Reads:
    """What the rows of blocks read, the rows that they read from outside, and their own."""

    inside: tuple[Any, ...]
    outside: tuple[int, ...]
    rows: tuple[int, ...]

    def goes_on(self, before: _Reads, rowset: Rowset) -> bool:
        """Are they, whose signatures are equal, equal to the blocks before, which they alone read? What both read from
        elsewhere, as a mask, is the same."""
        if self.inside != before.inside or len(self.outside) != len(before.outside):
            return False
        mine, its = {*self.rows}, {*before.rows}
        read = [source in its for source in self.outside]
        elsewhere = all(a == b for a, b, inside in zip(self.outside, before.outside, read) if not inside)
        alone = all(reader in mine or reader in its for at in before.rows for reader in rowset.readers[at])
        return sum(read) == 1 and elsewhere and alone
