"""Backwards from a budget: the largest value of a knob that keeps it.

largest(costcalc.load("mobilenet_v2@r=192"), "w", {"macs": 300_000_000}).value
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from costcalc.analysis.reconcile import read_figure
from costcalc.analysis.scaling.knob import Steps, check_size
from costcalc.analysis.sweep.metrics import ALL, METRICS, what_they_count
from costcalc.analysis.sweep.totals import totals_of
from costcalc.dims import is_number
from costcalc.dims.given import exact, shortened
from costcalc.errors import CostcalcError, ShapeError, TooDeep, UnknownName, UsageError, unknown
from costcalc.spec.network import Network
from costcalc.table import Column, Table, document
from costcalc.text import knobs_note, value_text

BUDGETS = [n for n, metric in ALL.items() if not metric.of and not metric.measured]  # what of a network grows with it
BEYOND = 4096  # steps after a value that fits, of which none may
ROUNDS = 16  # of so many steps, before there is no end to what fits
POWER = re.compile(r"([0-9]{1,20})e([0-9]{1,2})")
BUDGET = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?[KMGB]?|[0-9]{1,3}(,[0-9]{3}){1,6}")


def read_budget(texts: Iterable[str]) -> dict[str, int]:
    """`["macs=400M", "params=6,000,000"]`; K, M, G and B are thousands. Raises UnknownName and UsageError."""
    budget: dict[str, int] = {}
    for text in texts:
        name, _, most = (part.strip() for part in text.partition("="))
        if name not in BUDGETS:
            raise UnknownName(unknown("metric", name, BUDGETS))
        if power := POWER.fullmatch(most):
            most = power[1] + "0" * int(power[2])
        if not BUDGET.fullmatch(most):
            raise UsageError(f"{text[:60]!r} is no budget; write macs=400M or params=6,000,000")
        if name in budget:
            raise UsageError(f"{name} has two budgets; give one")
        digits, unit, _ = read_figure(most, 1000)
        budget[name] = int(digits * unit)
    return budget


def shown_with(budget: Iterable[str] = ()) -> tuple[str, ...]:
    """The usual metrics, and those that a budget names besides."""
    return tuple(dict.fromkeys((*METRICS, *budget)))


def limits_text(budget: Mapping[str, int]) -> str:
    """`macs ≤ 400,000,000, params ≤ 6,000,000`"""
    return ", ".join(f"{name} ≤ {most:,}" for name, most in budget.items())


def costs_of(net: Network, budget: Iterable[str] = ()) -> dict[str, int]:
    """These metrics of one network."""
    return totals_of(net, shown_with(budget))


def metric_columns(budget: Iterable[str] = (), rank: int = 1) -> list[Column]:
    """A column of a table for each of them; on a narrow terminal the first two stay and the last goes first."""
    return [Column(n, ALL[n].title, rank=rank + i if i > 1 else 0) for i, n in enumerate(shown_with(budget))]


@dataclass(frozen=True, eq=False, repr=False)
class Scaled:
    """A network at the largest value of a knob that keeps a budget. `least` is the smallest value that costs the same:
    rounding makes what lies between them free. `after` is the next value, which is over the budget."""

    net: Network
    knob: str
    budget: Mapping[str, int]
    value: Any
    least: Any
    after: Any  # None if there is none
    costs: Mapping[Any, Mapping[str, int]]  # of value and after
    steps: str = ""  # what was looked through, if it is not what a knob of its kind is set in

    def table(self) -> Table:
        """The largest that fits, and the next step."""
        columns = (
            Column("what", "", "text"), Column(self.knob, self.knob, "knob"),
            *metric_columns(self.budget),
        )  # fmt: skip
        among = f" among {self.steps}" if self.steps else ""
        notes = [f"largest {self.knob}{among} with {limits_text(self.budget)}"]
        if self.least != self.value:
            notes.append(f"{self.knob} from {value_text(self.least)} to {value_text(self.value)} costs the same")
        title = f"{self.net.label}: {self.net.title}"
        notes += [*knobs_note(self.net.knobs_but([self.knob])), *what_they_count(shown_with(self.budget))]
        return Table(title, columns, self.to_records(), None, notes)

    def to_records(self) -> list[dict[str, Any]]:
        """The largest that fits, and the next step if there is one."""
        found = (("fits", self.value), ("next step", self.after))
        return [{"what": what, self.knob: value, **self.costs[value]} for what, value in found if value is not None]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc scale`."""
        knobs = self.net.knobs_but([self.knob])
        return document(
            target=self.net.label, knobs=knobs, budget=dict(self.budget), knob=self.knob, value=self.value,
            same_cost_from=self.least, rows=self.to_records(),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<costcalc.Scaled {self.net.label}: {self.knob} = {value_text(self.value)}; table(), to_records()>"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def largest(net: Network, knob: str, budget: Mapping[str, int]) -> Scaled:
    """The largest value of a knob with which the network keeps a budget: most of each metric it names.

    A whole knob is looked for among whole numbers, a real one among thousandths or where these are no networks among
    steps that are; beyond the value found none of the next few thousand fits.
    Raises UnknownName for a knob or metric that is none, UsageError for a knob that makes no difference, ShapeError if
    even the smallest value costs more.
    """
    check_size(net, knob)
    budget = check_budget(budget)
    search = _Search(net, knob, budget)
    low, high = search.bounds()
    at, after = search.beyond(search.last(search.fits, low, high))
    costs = {search.value(step): search.costs(step) for step in (at, after) if step is not None}
    value, same = search.value(at), search.value(search.same_from(at))
    following = None if after is None else search.value(after)
    return Scaled(net, knob, budget, value, same, following, costs, "" if search.steps.usual else search.steps.said())


def check_budget(budget: Mapping[str, Any]) -> dict[str, Any]:
    """The budget in whole numbers. Raises UnknownName for a metric that is none, UsageError for no budget at all, or a
    most that is no number."""
    found = {}
    for metric, most in budget.items():
        if metric not in BUDGETS:
            raise UnknownName(unknown("metric", metric, BUDGETS))
        found[metric] = exact(most)
        if not is_number(found[metric]) or isinstance(most, bool):
            raise UsageError(f"{metric} is at most a number, got {shortened(most)}")
        found[metric] = int(found[metric] // 1)  # as counts are
    if not found:
        raise UsageError("no budget to keep; give one, as in --max macs=300M")
    return found


class _Search:
    """Steps of a knob, 1 or a thousandth, and what the network costs there."""

    def __init__(self, net: Network, knob: str, budget: Mapping[str, int]):
        self.net, self.knob, self.budget = net, knob, budget
        self.steps = Steps(net, knob, shown_with(budget))
        self.value = self.steps.value
        self.known: dict[int, dict[str, int] | None] = {}

    def costs(self, step: int) -> Any:
        """None where there is no such network."""
        if step not in self.known:
            self.known[step] = self._counted(self.value(step))
        return self.known[step]

    def _counted(self, value: Any) -> dict[str, int] | None:
        try:
            return costs_of(self._net(value), self.budget)
        except TooDeep:
            raise
        except CostcalcError:
            return None

    def _net(self, value: Any) -> Network:
        return self.net.at({**self.net.settings, self.knob: value}, self.net.label)

    def fits(self, step: int) -> bool:
        costs = self.costs(step)
        return costs is not None and all(costs[name] <= most for name, most in self.budget.items())

    def bounds(self) -> tuple[int, int]:
        """The smallest step of which there is a network, which fits, and one that does not, or the knob's own end."""
        start, end = self.steps.ends
        now = max(start, self.steps.index(self.net.knobs[self.knob]))
        low = self.first(lambda at: self.costs(at) is not None, start, now)
        if not self.fits(low):  # where cost falls
            low = self._where_it_falls(low)
        if not self.fits(low):
            costs = ", ".join(f"{name} = {self.costs(low)[name]:,}" for name in self.budget)
            smallest = f"at {self.knob} = {value_text(self.value(low))}, the smallest, it has {costs}"
            raise ShapeError(f"no {self.knob} of {self.net.label} keeps this budget: {smallest}")
        high = low
        while high < end and self.fits(high):
            high = min(high + max(1, abs(high)), end)
        if self.fits(high):
            raise UsageError(f"{self.knob} may be as large as it can and keeps this budget: it is not what costs")
        return low, high

    def _where_it_falls(self, low: int) -> int:
        """A later step that fits, else the first of which there is a network. Raises ShapeError if there is none."""
        at, following = self.beyond(low)
        if self.costs(at) is not None:
            return at
        if following is not None:
            return following
        try:
            costs_of(self._net(self.value(at)), self.budget)
        except CostcalcError as error:
            tried = f"{self.knob} = {value_text(self.value(at))} there is no such network: {error}"
            raise ShapeError(f"no {self.knob} of {self.net.label} keeps this budget: at {tried}") from None
        return at

    def beyond(self, at: int) -> tuple[int, int | None]:
        """The step found, or a later one that fits as well, where cost falls or there were no networks between; and the
        next of which there is a network."""
        for _ in range(ROUNDS):
            later = range(at + 1, min(at + BEYOND, self.steps.ends[1]) + 1)
            found = self.steps.costs(later)
            fitting = np.flatnonzero(found.keep(self.budget))
            if not len(fitting):
                valid = np.flatnonzero(found.valid)
                return at, later[valid[0]] if len(valid) else None
            at = later[fitting[-1]]
        raise UsageError(f"larger and larger {self.knob} keep this budget: it is not what costs")

    def same_from(self, at: int) -> int:
        """The first of the steps in a row up to this one that all cost the same."""
        first, start, mine = at, self.steps.ends[0], self.costs(at)
        while first > start:
            earlier = range(max(start, first - BEYOND), first)
            other = np.flatnonzero(~self.steps.costs(earlier).same_as(mine))
            if len(other):
                return int(earlier[other[-1]]) + 1
            first = earlier[0]
        return first

    def last(self, holds: Any, low: int, high: int) -> int:
        """The last step at which something holds that holds at `low`, and at `high` no more."""
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low

    def first(self, holds: Any, low: int, high: int) -> int:
        """The first step from which on something holds, as it does at `high`."""
        while high > low:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle + 1, high)
        return high
