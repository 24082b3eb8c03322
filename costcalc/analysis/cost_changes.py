"""What has changed in the costs of networks since a revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from costcalc.analysis.annotations import annotation
from costcalc.analysis.metrics import METRICS
from costcalc.table import Column, RelativeDifference, Table, cell
from costcalc.table.units import Units
from costcalc.text import plural

CHANGED, NEW, REMOVED, REPAIRED = "changed", "new", "removed", "unreadable before"
COLUMNS = (
    Column("target", "network", "text"), Column("metric", "metric", "text"), Column("before", "before"),
    Column("now", "now"), Column("change", "difference", rank=2), Column("relative", "change", "signed", 1),
)  # fmt: skip
LISTED = 10  # names in a note


class Change(NamedTuple):
    """A metric of a network that has another value now. `before` is None for a new network, or one that could not be
    read there; `now` for one that was removed."""

    target: str
    what: str
    metric: str
    before: int | None
    now: int | None
    was: str = ""  # its name there, if it had another
    file: str = ""

    @property
    def change(self) -> int | None:
        """The difference; None if one of both is lacking."""
        return None if self.before is None or self.now is None else self.now - self.before

    @property
    def relative(self) -> RelativeDifference | None:
        """The difference as a part of the value before; None where that is 0 or lacking."""
        change = self.change
        if change is None or not self.before:
            return None
        return RelativeDifference(float(Fraction(change, self.before)), change)


@dataclass(frozen=True, eq=False)
class CostChanges:
    """The costs of networks that differ from those at a revision. `revision` is as it was named, `commit` in full, and
    `at` says in words which one it is."""

    revision: str
    commit: str
    at: str
    metrics: tuple[str, ...]  # that are compared
    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    not_compared: tuple[tuple[str, str], ...] = ()  # a network, and the reason
    renamed: tuple[tuple[str, str], ...] = ()  # the name there, and the one here
    unlisted: tuple[str, ...] = ()  # networks that are there, and no longer named in the project
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`since main (1a2b3c4): the cost of 1 of 3 networks differs`"""
        names = dict.fromkeys(change.target for change in self.changes)
        if not names:
            return f"since {self.at}: " + ("no cost differs" if self.unchanged else "no network could be compared")
        of_all, one = plural(len(names) + len(self.unchanged), "network"), len(names) == 1
        return f"since {self.at}: the {'cost' if one else 'costs'} of {len(names):,} of {of_all} differ{'s' * one}"

    def table(self, units: Units) -> Table:
        """The differences, and what was not compared."""
        return Table(self.title, COLUMNS, [_shown(row, units) for row in self.to_records()], None, [*self._notes()])

    def _notes(self) -> Iterable[str]:
        yield f"compared: {', '.join(self.metrics)}"
        for what in (NEW, REMOVED, REPAIRED):
            if names := dict.fromkeys(change.target for change in self.changes if change.what == what):
                yield f"{what}: {_listed([*names])}"
        if self.renamed:
            yield f"renamed: {_listed([f'{old} → {new}' for old, new in self.renamed])}"
        if self.changes and self.unchanged:
            yield f"as before: {_listed(self.unchanged)}"
        if self.unlisted:
            yield f"no longer checked: {_listed(self.unlisted)}"
        for target, why in self.not_compared:
            yield f"not compared: {target}: {why}"
        yield from self.remarks

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each value that differs, all exact."""
        return [{**change._asdict(), "change": change.change, "relative": change.relative} for change in self.changes]

    def fields(self) -> dict[str, Any]:
        """Its part of the JSON document."""
        return {
            "revision": self.revision, "commit": self.commit, "metrics": [*self.metrics], "changes": self.to_records(),
            "unchanged": [*self.unchanged], "renamed": [{"from": old, "to": new} for old, new in self.renamed],
            "no_longer_checked": [*self.unlisted], "remarks": [*self.remarks],
            "not_compared": [{"target": target, "because": why} for target, why in self.not_compared],
        }  # fmt: skip

    def annotations(self) -> list[str]:
        """A notice for each network whose cost has changed, and for each that was not compared."""
        lines = []
        for target, changes in groupby(self.changes, lambda change: change.target):
            found = [*changes]
            text = "; ".join(map(_sentence, found))
            lines.append(annotation("notice", f"{target}: {text}", found[0].file, f"cost since {self.at}"))
        said = [f"{target}: {why}" for target, why in self.not_compared] + [*self.remarks]
        return [*lines, *(annotation("notice", text, title="not compared") for text in said)]


def changes_between(
    target: str, what: str, before: Mapping[str, int] | None, now: Mapping[str, int] | None, was: str = "",
    file: str = "",
) -> list[Change]:  # fmt: skip
    """The metrics whose values differ; all of them if one side is lacking."""
    found = []
    for metric in {**(before or {}), **(now or {})}:
        old, new = (None if side is None else side.get(metric) for side in (before, now))
        if old != new:
            found.append(Change(target, what, metric, old, new, was, file))
    return found


def _shown(row: dict[str, Any], units: Units) -> dict[str, Any]:
    """A row as the table has it: numbers in their unit, and the name that a network had."""
    of_bytes = METRICS[row["metric"]].unit == "bytes"
    numbers = {key: units.shown(row[key], of_bytes=of_bytes) for key in ("before", "now", "change")}
    return {**row, **numbers}


def _sentence(change: Change) -> str:
    """`macs 1,000 → 1,200 (+20.0 %)`"""
    old, new = ("none" if value is None else f"{value:,}" for value in (change.before, change.now))
    part = "" if change.relative is None else f" ({cell(change.relative, 'signed')})"
    return f"{change.metric} {old} → {new}{part}"


def _listed(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    first = [*names]
    more = f" and {len(first) - LISTED:,} more" if len(first) > LISTED else ""
    return ", ".join(first[:LISTED]) + more
