"""Numbers of a table in units, one for each column: 4.089 under `MACs (G)`. The values stay exact, and so do JSON and
CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from costcalc.errors import UsageError, shorten, unknown
from costcalc.table.cells import InUnit, plain_number
from costcalc.table.data import COUNT, IN_BYTES, AnyTable, Column, Scale, TableData
from costcalc.text import BYTES, COUNTS, split_names

AUTO, NONE = "auto", "none"
OF_COUNTS = {name: size for name, size in COUNTS.items() if name not in ("", "B")}
OF_BYTES = BYTES
WORDS = (AUTO, NONE, *OF_COUNTS, *OF_BYTES)
OWN_UNITS = ("short", "bytes")  # kinds of columns whose cells each have a unit
MIN_LARGEST = 10_000  # a column whose largest number is smaller has no unit of its own accord
DIGITS, MAX_DECIMALS = 4, 3  # of the largest number of a column


class Units(NamedTuple):
    """The unit of counts and the unit of bytes: a name, `auto` for the largest that a column fills, or `none`."""

    counts: str = NONE
    bytes: str = NONE

    def shown(self, number: int | None, *, of_bytes: bool) -> int | None:
        """One number as a table is to show it, where a column has numbers of several kinds; in full below a thousandth
        of the unit."""
        unit, known = (self.bytes, OF_BYTES) if of_bytes else (self.counts, OF_COUNTS)
        if unit == AUTO and number is not None:
            unit = _largest_unit(abs(number), known)
        in_full = number is None or unit == NONE or abs(number) * 1000 < known[unit]
        return number if in_full or number is None else InUnit(number, unit, known[unit])

    def of(self, column: Column) -> str:
        """The unit of a column; none for one that neither counts nor is of bytes."""
        return {COUNT: self.counts, IN_BYTES: self.bytes}.get(column.measure, NONE)


EXACTLY = Units()


def read_units(text: str) -> Units:
    """Reads `auto`, `none`, `M`, `MiB` or `M,MiB`. Raises UnknownName, and UsageError for two units of one kind."""
    names = split_names(text)
    for name in names:
        if name not in WORDS:
            raise unknown("unit", name, WORDS)
    counts = [name for name in names if name not in OF_BYTES]
    of_bytes = [name for name in names if name not in OF_COUNTS]
    if len(counts) > 1 or len(of_bytes) > 1:
        raise UsageError(f"units {shorten(text)!r}: give one of counts and one of bytes, as in M,MiB")
    return Units((*counts, NONE)[0], (*of_bytes, NONE)[0])


def in_units(table: AnyTable, units: Units) -> AnyTable:
    """The table with its columns of counts and bytes in these units; without units exact, where cells had their own."""
    exact = [replace(one, kind="int") if one.measure and one.kind in OWN_UNITS else one for one in table.columns]
    table = replace(table, columns=tuple(exact))
    groups: dict[str, list[str]] = {}
    for column in table.columns:
        if units.of(column) != NONE:
            groups.setdefault(column.unit_of or column.key, []).append(column.key)
    largest = {of: _largest(table, keys) for of, keys in groups.items()}
    columns = [_scaled(one, units.of(one), largest.get(one.unit_of or one.key, 0)) for one in table.columns]
    return replace(table, columns=tuple(columns))


def _largest(table: TableData, keys: list[str]) -> int | float:
    rows = chain(table.rows, [table.totals] if table.totals else [])
    numbers = (plain_number(row.get(key)) for row in rows for key in keys)
    return max((abs(number) for number in numbers if number is not None), default=0)


def _scaled(column: Column, unit: str, largest: int | float) -> Column:
    if unit == NONE:
        return column
    known = OF_BYTES if column.measure == IN_BYTES else OF_COUNTS
    unit = _largest_unit(largest, known) if unit == AUTO else unit
    if unit == NONE:
        return column
    whole = len(str(int(largest // known[unit])))
    decimals = min(MAX_DECIMALS, max(1, DIGITS - whole)) if known[unit] > 1 else 0
    title = f"{column.title.removesuffix(' bytes')} ({unit})"
    return replace(column, title=title, scale=Scale(known[unit], decimals))


def _largest_unit(number: int | float, known: Mapping[str, int]) -> str:
    """The largest unit that a number fills; none for a small number."""
    fitting = {name: size for name, size in known.items() if size <= number and not _is_decimal(name)}
    return NONE if number < MIN_LARGEST or not fitting else max(fitting, key=known.__getitem__)


def _is_decimal(name: str) -> bool:
    """Is this a decimal unit of bytes, as MB? Of their own accord bytes are in MiB."""
    return name in OF_BYTES and not name.endswith("iB")
