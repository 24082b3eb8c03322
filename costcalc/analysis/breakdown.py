"""Where the difference between networks is: two of them block by block, or several by the size of their maps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costcalc.analysis.align import FLAT, Pair, by_size
from costcalc.analysis.columns import measure_of
from costcalc.analysis.cost import Cost
from costcalc.analysis.metrics import METRICS
from costcalc.table import Column, Table
from costcalc.text import plural

BY_POSITION = "blocks of other names stand beside each other by position alone"
BY_SIZE = "layers stand beside each other by the size of the maps that they make"
SMALL = 8  # layers with MACs, of networks whose blocks need no note
MIN_ALIKE = 3  # rows that are alike are taken together
MAX_SIZES = 16  # rows of a table by size


@dataclass(frozen=True)
class Breakdown:
    """Two networks by one metric: all pairs."""

    first: Cost
    second: Cost
    by: str
    pairs: tuple[Pair, ...]

    def table(self) -> Table:
        """A row for each pair; those that are alike together in one."""
        title, of = METRICS[self.by].title, measure_of(self.by)
        saved = sum(pair.saved for pair in self.pairs)
        sign = -1 if saved < 0 else 1
        columns = (
            *((Column("size", "maps", "text"),) if self._is_by_size else ()),
            Column("first", self.first.target, "text"), Column("first_cost", title, rank=1, measure=of),
            Column("second", self.second.target, "text"),
            Column("second_cost", title, rank=1, measure=of, unit_of="first_cost"),
            Column("saved", "added" if saved < 0 else "saved", rank=2, measure=of, unit_of="first_cost"),
            Column("share", "of the difference", "share", 3),
        )  # fmt: skip
        rows = [
            {**row, "first_cost": row["first_cost"] or None, "second_cost": row["second_cost"] or None,
             "saved": sign * row["saved"]}
            for row in self._shown()
        ]  # fmt: skip
        totals = {columns[0].key: "total", "saved": sign * saved}
        totals |= {"first_cost": self.first.total(self.by), "second_cost": self.second.total(self.by)}
        return Table(_heading(self.by), columns, rows, totals, self._notes())

    @property
    def _is_by_size(self) -> bool:
        return any(pair.size for pair in self.pairs)

    def _notes(self) -> list[str]:
        if self._is_by_size:
            return [BY_SIZE]
        renamed = any(pair.first and pair.second and pair.first != pair.second for pair in self.pairs)
        return [BY_POSITION] if renamed and not all(map(is_short, (self.first, self.second))) else []

    def _shown(self) -> list[dict[str, Any]]:
        """The records, with those that are alike taken together below the others."""
        alike = [pair for pair in self.pairs if pair.is_alike]
        if len(alike) < MIN_ALIKE:
            return self.to_records()
        both = sum(pair.first_cost for pair in alike)
        together = Pair(plural(len(alike), "row") + " alike", both, "", both)
        rows = [record for record, pair in zip(self.to_records(), self.pairs) if not pair.is_alike]
        return [*rows, {**together._asdict(), "saved": 0, "share": Fraction(0) if rows else None}]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each pair, with what it saves and its share of that."""
        saved = sum(pair.saved for pair in self.pairs)
        return [
            {**pair._asdict(), "saved": pair.saved, "share": Fraction(pair.saved, saved) if saved else None}
            for pair in self.pairs
        ]


def is_short(cost: Cost) -> bool:
    """Are there few layers with MACs?"""
    return sum(1 for row in cost.layers if row.costs["macs"] != 0) <= SMALL


def table_by_size(costs: tuple[Cost, ...], by: str) -> Table | None:
    """Several networks by the size of their maps: a row for each size, a column for each network. None if they have no
    size in common, or many, or are alike."""
    found = [{part.name: part.cost for part in by_size(cost, by)} for cost in costs]
    common = set.intersection(*map(set, found)) - {FLAT}
    sizes = sorted(set().union(*found) - {FLAT}, key=largest_first)
    if not common or len(sizes) > MAX_SIZES:
        return None
    of = measure_of(by)
    networks = [Column(f"network{i}", c.target, measure=of, unit_of="network0") for i, c in enumerate(costs)]
    rows = [
        {"size": size, **{f"network{i}": each.get(size) for i, each in enumerate(found)}} for size in (*sizes, FLAT)
    ]
    totals = {"size": "total", **{f"network{i}": cost.total(by) for i, cost in enumerate(costs)}}
    shown = [row for row in rows if any(row[column.key] for column in networks)]
    if all(len({row[column.key] for column in networks}) == 1 for row in shown):
        return None
    return Table(_heading(by), (Column("size", "maps", "text"), *networks), shown, totals, [BY_SIZE])


def largest_first(size: str) -> tuple[int, ...]:
    """A key that sorts sizes of maps, `56×56`, from large to small."""
    return tuple(-int(side) for side in size.split("×"))


def _heading(by: str) -> str:
    return f"where the {METRICS[by].title} {'work is' if by == 'elementwise' else 'are'}"
