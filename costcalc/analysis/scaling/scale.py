"""The largest value of a knob that keeps a budget.

largest(costcalc.load("mobilenet_v2@r=192"), "w", {"macs": 300_000_000}).value
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.metric_limits import budget_text, check_budget
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.scaling.knob_steps import check_size_knob
from costcalc.analysis.scaling.search import BudgetSearch, with_usual_metrics
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.errors import Problem
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import knobs_note, value_text


def metric_columns(budget: Collection[str] = (), rank: int = 1) -> list[Column]:
    """A column for each metric; on a narrow terminal the first two and the budget's stay, and the last is dropped
    first."""
    names = with_usual_metrics(budget)
    return [metric_column(name, 0 if i < 2 or name in budget else rank + i) for i, name in enumerate(names)]


@dataclass(frozen=True, eq=False, repr=False)
class Scaled(Result):
    """A network at the largest value of a knob that keeps a budget.

    `least` is the smallest value with the same costs, `after` the next value, which is over the budget. `looked_to` is
    the last value that was counted, None if it is the knob's last; only then larger values that fit are excluded.
    """

    model: Model
    knob: str
    budget: Mapping[str, int]
    value: Any
    least: Any
    after: Any  # None without a next value
    costs: Mapping[Any, Mapping[str, int]]  # of value and after
    steps: str = ""  # in words, if they are not the usual steps
    looked_to: Any = None

    @property
    def model_of_rows(self) -> Model:
        """Each row is a setting of its knobs."""
        return self.model

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of_grid(self.model, {self.knob: (self.value,)}))]

    def table(self) -> Table:
        """The largest that fits, and the next step."""
        columns = (
            Column("what", "", "text"), Column(self.knob, self.knob, "knob"),
            *metric_columns(self.budget),
        )  # fmt: skip
        among = f" among {self.steps}" if self.steps else ""
        among += "" if self.looked_to is None else f" up to {value_text(self.looked_to)}"
        notes = [f"largest {self.knob}{among} with {budget_text(self.budget)}"]
        if self.least != self.value:
            notes.append(f"{self.knob} from {value_text(self.least)} to {value_text(self.value)} costs the same")
        title = self.model.heading
        notes += knobs_note(self.model.values_but([self.knob]))
        notes += metric_notes(with_usual_metrics(self.budget), self.model.dtype, self.model.step)
        return Table(title, columns, self.to_records(), None, notes)

    def to_records(self) -> list[dict[str, Any]]:
        """The largest that fits, and the next step if there is one."""
        found = (("fits", self.value), ("next step", self.after))
        return [{"what": what, self.knob: value, **self.costs[value]} for what, value in found if value is not None]

    def _fields(self) -> dict[str, Any]:
        return {
            "target": self.model.label, "knobs": self.model.values_but([self.knob]), "budget": dict(self.budget),
            "knob": self.knob, "value": self.value, "same_cost_from": self.least, "looked_to": self.looked_to,
            "rows": self.to_records(),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.model.label}: {self.knob} = {value_text(self.value)}"


def largest(model: Model, knob: str, budget: Mapping[str, int]) -> Scaled:
    """The largest value of a knob at which the network keeps a budget: a maximum for each metric in it.

    Searches whole numbers, for a real knob thousandths; where these are invalid, multiples of a valid step. Counts each
    value after the one found too, up to `looked_to` or the end of the knob. Raises UnknownName for a knob or metric
    that does not exist, UsageError for a knob without effect, NothingFits if no counted value keeps the budget.
    """
    check_size_knob(model, knob)
    budget = check_budget(budget)
    search = BudgetSearch(model, knob, budget)
    at, after = search.found()
    costs = {search.value(step): search.costs(step) for step in (at, after) if step is not None}
    return Scaled(
        model, knob, budget, search.value(at), search.value(search.same_from(at)),
        None if after is None else search.value(after), costs, "" if search.steps.usual else search.steps.said(),
        None if search.end is None else search.value(search.end),
    )  # fmt: skip
