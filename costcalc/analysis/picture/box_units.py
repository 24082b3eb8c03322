"""What becomes one box of a picture: layers, by the numbers of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from costcalc.analysis.walk import Row

Tags = tuple[tuple[str, int], ...]  # the copied blocks that a row is in, and in which copy of each


@dataclass(frozen=True)
class Unit:
    """Rows that are one box, and their name. `is_folded`: they are a block, or several boxes as one. `copies` are those
    of equal blocks that are drawn once; `rows` are then those of the first, of the second, and so on."""

    rows: tuple[int, ...]
    name: str
    is_folded: bool = False
    copies: int = 1

    @property
    def drawn(self) -> tuple[int, ...]:
        """The rows of the first copy."""
        return self.rows[: len(self.rows) // self.copies]


@dataclass(frozen=True)
class Rowset:
    """The rows of a network and who reads whom, by numbers. `tags`: rows of blocks that are drawn once."""

    rows: Sequence[Row]
    tags: dict[int, Tags] = field(default_factory=dict)

    @cached_property
    def number(self) -> Mapping[str, int]:
        """The number of each row by its name."""
        return {str(row.name): at for at, row in enumerate(self.rows)}

    @cached_property
    def kinds(self) -> list[int]:
        """A number for each row; rows that cost the same, wherever they stand, have the same."""
        known: dict[Any, int] = {}
        keys = ((row.op, row.input_shapes, str(row.times), row.shared) for row in self.rows)
        return [known.setdefault(key, len(known)) for key in keys]

    @cached_property
    def sources(self) -> list[list[int]]:
        """The rows that each row reads."""
        return [[self.number[str(s)] for s in row.inputs if str(s) in self.number] for row in self.rows]

    @cached_property
    def readers(self) -> list[list[int]]:
        """The rows that read each row."""
        found: list[list[int]] = [[] for _ in self.rows]
        for at, sources in enumerate(self.sources):
            for source in sources:
                found[source].append(at)
        return found

    @cached_property
    def returned(self) -> list[int]:
        """The rows that the network returns: those it says, or those that no other reads."""
        said = [at for at, row in enumerate(self.rows) if row.is_output]
        return said or [at for at, row in enumerate(self.rows) if row.inputs and not self.readers[at]]

    def leaving(self, unit: Unit) -> list[int]:
        """The rows of a unit that the network returns, or that a row outside of it reads."""
        inside, returned = {*unit.rows}, {*self.returned}
        return [at for at in unit.rows if at in returned or not inside.issuperset(self.readers[at])]

    def are_unused(self, numbers: Iterable[int]) -> bool:
        """Are these parameters and buffers that no layer reads?"""
        return all(self.rows[at].op.name == "parameter" and not self.readers[at] for at in numbers)

    def tag(self, name: str, copies: Iterable[Sequence[Unit]]) -> None:
        """Marks the rows of copies that are drawn once under a name."""
        for copy, units in enumerate(copies):
            for at in (at for unit in units for at in unit.rows):
                self.tags[at] = (*self.tags.get(at, ()), (name, copy))

    def links(self, units: Sequence[Unit]) -> list[tuple[int, int]]:
        """Which unit reads which, by numbers of units, the source first. What a copy of a block reads of the copy
        before is inside of both."""
        unit_of = {at: number for number, unit in enumerate(units) for at in unit.rows}
        found: dict[tuple[int, int], None] = {}
        for number, unit in enumerate(units):
            for at in unit.rows:
                for source in self.sources[at]:
                    there = unit_of[source]
                    if there != number and not self._is_between_copies(source, at):
                        found[there, number] = None
        return [*found]

    def _is_between_copies(self, one: int, other: int) -> bool:
        if one not in self.tags or other not in self.tags:
            return False
        of_other = dict(self.tags[other])
        return any(of_other.get(block, copy) != copy for block, copy in self.tags[one])


def prefixes(name: str) -> list[str]:
    """The blocks that a layer is in, the outermost first: `a` and `a.b` for `a.b.conv`."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def taken_together(units: Sequence[Unit], name: str, copies: int) -> Unit:
    """Several units as one box, of which there are so many copies."""
    if len(units) == 1:
        return units[0]
    return Unit(tuple(at for unit in units for at in unit.rows), name, True, copies)


def equal_runs(keys: Iterable[str]) -> list[tuple[str, int, int]]:
    """Runs of equal keys: each with where it begins and where it ends."""
    found: list[tuple[str, int, int]] = []
    for at, key in enumerate(keys):
        if found and found[-1][0] == key:
            found[-1] = (key, found[-1][1], at + 1)
        else:
            found.append((key, at, at + 1))
    return found
