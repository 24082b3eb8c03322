"""Budgets of networks, kept or broken, and what a change does to their costs: yes or no for CI.

check_budgets([costcalc.load("resnet50")], [{"macs": 4_200_000_000}]).ok
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

from costcalc.analysis.annotations import annotation
from costcalc.analysis.cost import Cost, numeric_cost
from costcalc.analysis.cost_changes import CostChanges
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.errors import Problem
from costcalc.graph.freezing import train_step_of
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table, cell, visible
from costcalc.table.units import EXACTLY, Units

COLUMNS = (
    Column("target", "network", "text"), Column("metric", "metric", "text"), Column("value", "counted"),
    Column("budget", "budget"), Column("over", "over by"), Column("left", "left", rank=2),
    Column("used", "of the budget", "share", 1),
)  # fmt: skip


class Budgeted(NamedTuple):
    """A metric of a network, and the most that it may be. `file` is that of its spec, if it has one."""

    target: str
    metric: str
    value: int
    budget: int
    file: str = ""

    @property
    def over(self) -> int:
        """By how much the budget is broken; 0 if it is kept."""
        return max(0, self.value - self.budget)

    @property
    def left(self) -> int:
        """How much of the budget is left; 0 if it is broken."""
        return max(0, self.budget - self.value)

    @property
    def used(self) -> Fraction | None:
        """The value as a part of the budget; None for a budget of 0."""
        return Fraction(self.value, self.budget) if self.budget else None

    def __str__(self) -> str:
        """`net.yaml: macs 4,089,184,256 > 4,000,000,000, over by 89,184,256 (2.2 %)`"""
        part = f" ({cell(self.used - 1, 'share')})" if self.used else ""
        return f"{self.target}: {self.metric} {self.value:,} > {self.budget:,}, over by {self.over:,}{part}"


@dataclass(frozen=True, eq=False, repr=False)
class Check(Result):
    """Budgets of networks, and if a revision was named what has changed since. `ok`: is every budget kept?"""

    budgets: tuple[Budgeted, ...]
    costs: tuple[Cost, ...] = ()
    changes: CostChanges | None = None
    units: Units = EXACTLY
    source: str = ""  # the file that the budgets are from

    @property
    def broken(self) -> tuple[Budgeted, ...]:
        """The budgets that are broken."""
        return tuple(each for each in self.budgets if each.over)

    @property
    def ok(self) -> bool:
        """Is every budget kept?"""
        return not self.broken

    @property
    def unbudgeted(self) -> tuple[str, ...]:
        """The networks that no budget is about."""
        named = {each.target for each in self.budgets}
        return tuple(cost.target for cost in self.costs if cost.target not in named)

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return [(cost.target, cost.warnings) for cost in self.costs]

    def tables(self) -> list[Table]:
        """The budgets, broken ones first; and the costs that have changed."""
        tables = [self._table()] if self.budgets or self.changes is None else []
        if self.changes is not None:
            tables.append(self.changes.table(self.units))
        metrics = dict.fromkeys([*(each.metric for each in self.budgets), *self._metrics_changed()])
        tables[-1].notes += self._notes(metrics)
        return tables

    def _table(self) -> Table:
        rows = self.to_records() if self.budgets else []
        for row in rows:
            of_bytes = METRICS[row["metric"]].unit == "bytes"
            shown = {key: self.units.shown(row[key], of_bytes=of_bytes) for key in ("value", "budget", "over", "left")}
            empty = "left" if row["over"] else "over"
            row |= {**shown, empty: None}
        notes = [f"budgets: {self.source}"] if self.source else []
        notes += [f"without a budget: {', '.join(self.unbudgeted)}"] if self.unbudgeted else []
        return Table(self.verdict, COLUMNS, rows, notes=notes)

    @property
    def verdict(self) -> str:
        """`1 of 3 budgets is broken`"""
        broken, all = len(self.broken), len(self.budgets)
        if all == 1:
            return f"the budget is {'broken' if broken else 'kept'}"
        if not broken:
            return f"all {all:,} budgets are kept"
        return f"{broken:,} of {all:,} budgets {'is' if broken == 1 else 'are'} broken"

    def _metrics_changed(self) -> Iterator[str]:
        return (change.metric for change in self.changes.changes) if self.changes else iter(())

    def _notes(self, metrics: Iterable[str]) -> list[str]:
        """What the metrics count, with the dtype and the training step that all networks share."""
        dtypes, steps = {cost.dtype for cost in self.costs}, {train_step_of(cost.graph) for cost in self.costs}
        return metric_notes(
            metrics, dtypes.pop() if len(dtypes) == 1 else None, steps.pop() if len(steps) == 1 else None
        )

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each budget, broken ones first; without budgets one for each cost that has changed."""
        if not self.budgets and self.changes is not None:
            return self.changes.to_records()
        listed = sorted(self.budgets, key=lambda each: not each.over)
        return [{**each._asdict(), "over": each.over, "left": each.left, "used": each.used} for each in listed]

    def _fields(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "budgets": self.to_records() if self.budgets else [], "without_budget": [*self.unbudgeted],
            "against": None if self.changes is None else self.changes.fields(),
        }  # fmt: skip

    def _summary(self) -> str:
        said = [self.verdict] if self.budgets else []
        return ", ".join([*said, *([self.changes.title] if self.changes else [])])

    def to_github(self) -> str:
        """Annotations for GitHub Actions: an error for each budget that is broken, a notice for each network whose cost
        has changed or could not be compared; and what was found, in a line."""
        lines = [annotation("error", str(each), each.file, f"{each.metric} over budget") for each in self.broken]
        if self.changes is not None:
            lines += self.changes.annotations()
        return "".join(f"{line}\n" for line in [*lines, visible(self._summary())])


def check_budgets(models: Sequence[Model], limits: Sequence[Mapping[str, int]], files: Sequence[str] = ()) -> Check:
    """Each network beside its own limits, metric by metric. Raises UsageError for a metric or a network that has no
    numbers."""
    costs = tuple(numeric_cost(model, "check") for model in models)
    found = [
        Budgeted(cost.target, metric, int(cost.total(metric)), most, file)
        for cost, own, file in zip(costs, limits, files or ("",) * len(costs))
        for metric, most in own.items()
    ]
    return Check(tuple(found), costs)


def with_changes(check: Check, changes: CostChanges) -> Check:
    """The check with what has changed since a revision."""
    return replace(check, changes=changes)
