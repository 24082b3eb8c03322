"""The largest value of a knob that keeps a budget.

largest(costcalc.load("mobilenet_v2@r=192"), "w", {"macs": 300_000_000}).value
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.metrics import metric_notes, metric_of, why_not_whole
from costcalc.analysis.scaling.knob_steps import check_size_knob
from costcalc.analysis.scaling.search import BudgetSearch, with_usual_metrics
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.dims import clip, is_rational, to_exact
from costcalc.errors import Problem, UsageError, shorten
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import knobs_note, read_amount, value_text


def read_budget(texts: Iterable[str]) -> dict[str, int]:
    """Reads `["macs=400M", "params=6,000,000", "weight_bytes=16MB"]`. Raises UnknownName and UsageError."""
    budget: dict[str, int] = {}
    for text in texts:
        name, _, most = (part.strip() for part in text.partition("="))
        if name in budget:
            raise UsageError(f"{name} has two budgets; give one")
        budget[name] = read_limit(name, most)
    return budget


def read_limit(metric: str, most: Any) -> int:
    """The limit of a metric, from a number or a text as on the command line. Raises UnknownName and UsageError."""
    metric_of(metric, unless=why_not_whole)
    if isinstance(most, str):
        amount = read_amount(most, of_bytes=metric.endswith("_bytes"))
        if amount is None:
            example = f"{metric}=24GB" if metric.endswith("_bytes") else "macs=400M or params=6,000,000"
            raise UsageError(f"{shorten(f'{metric}={most}')!r} is not a budget; write {example}")
        return amount
    number = to_exact(most)
    if not is_rational(number) or isinstance(most, bool):
        raise UsageError(f"{metric} is at most a number, got {clip(most)}")
    return int(number // 1)  # as counts are


def read_bytes(within: Any) -> int:
    """So many bytes as memory may hold, from a number or a text such as 24GB. Raises UsageError."""
    if isinstance(within, str) and read_amount(within, of_bytes=True) is None:
        raise UsageError(f"--within {shorten(within)!r} is not a budget; write --within 24GB or 16GiB")
    return read_limit("memory_bytes", within)


def budget_text(budget: Mapping[str, int]) -> str:
    """`macs ≤ 400,000,000, params ≤ 6,000,000`"""
    return ", ".join(f"{name} ≤ {most:,}" for name, most in budget.items())


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


def check_budget(budget: Mapping[str, Any]) -> dict[str, int]:
    """The budget in whole numbers. Raises UnknownName for an unknown metric, UsageError for an empty budget or a limit
    that is not a number."""
    if not budget:
        raise UsageError("no budget to keep; give one, as in --max macs=300M")
    return {metric: read_limit(metric, most) for metric, most in budget.items()}
