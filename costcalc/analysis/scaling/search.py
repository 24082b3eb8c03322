"""Searches the largest value of a knob that keeps a budget: by bisection, then value by value.

Bisection assumes that cost grows with the knob, but a kernel as large as its image costs little. So all values after
the one found are counted too, to the end of the knob or to a limit that the answer names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from costcalc.analysis.metrics import USUAL
from costcalc.analysis.scaling.knob_steps import KnobSteps
from costcalc.analysis.sweep.totals import totals_of
from costcalc.errors import CostcalcError, NothingFits, ShapeError, TooDeep, UsageError
from costcalc.models.model import Model
from costcalc.text import value_text

STEPS_COMPARED_TOGETHER = 4096
MIN_STEPS_CHECKED_BEYOND = 50_000  # after the step that was found
MAX_STEPS_TO_THE_END = 1_000_000  # to count them all
MAX_ROUNDS = 16  # in which a larger value is found, before the search gives up


def with_usual_metrics(budget: Iterable[str] = ()) -> tuple[str, ...]:
    """The usual metrics, then the others of a budget."""
    return tuple(dict.fromkeys((*USUAL, *budget)))


def costs_for_budget(model: Model, budget: Iterable[str] = ()) -> dict[str, int]:
    """A model's usual metrics and those of a budget."""
    return totals_of(model, with_usual_metrics(budget))


class NoLimit(UsageError):
    """Every value of a knob keeps a budget, up to `looked_to`, the last that was counted."""

    def __init__(self, message: str, hint: str, looked_to: Any):
        super().__init__(message, hint)
        self.looked_to = looked_to


class BudgetSearch:
    """Steps of a knob, and the costs of the network there. After `found`, `end` is the last step that was counted, None
    if that is the knob's last."""

    def __init__(self, model: Model, knob: str, budget: Mapping[str, int]):
        self.model, self.knob, self.budget = model, knob, budget
        self.steps = KnobSteps(model, knob, with_usual_metrics(budget))
        self.value = self.steps.value
        self.known: dict[int, dict[str, int] | CostcalcError] = {}
        self.end: int | None = None

    def costs(self, step: int) -> Any:
        """The costs at a step; None if the network is invalid there."""
        if step not in self.known:
            try:
                self.known[step] = costs_for_budget(self.model.at({self.knob: self.value(step)}), self.budget)
            except TooDeep:
                raise
            except CostcalcError as error:
                self.known[step] = error
        found = self.known[step]
        return None if isinstance(found, CostcalcError) else found

    def is_within(self, step: int) -> bool:
        """Is the network valid there and within the budget?"""
        costs = self.costs(step)
        return costs is not None and all(costs[name] <= most for name, most in self.budget.items())

    def found(self) -> tuple[int, int | None]:
        """The last step that fits, and the next valid one.

        Raises NothingFits if none does, ShapeError if none is valid, NoLimit if all fit.
        """
        start, end = self.steps.ends
        now = max(start, self.steps.index(self.model.values[self.knob]))
        low = start + bisect_left(range(start, now), True, key=lambda step: self.costs(step) is not None)
        if self.is_within(low):
            high = self._too_high(low, end)
            return self.beyond(low + bisect_left(range(low + 1, high), True, key=lambda step: not self.is_within(step)))
        for first in dict.fromkeys((start, low)):  # where cost falls, a later step may fit
            at, following = self.beyond(first - 1)
            if at >= first:
                return at, following
            if following is not None:
                break
        raise self._none(now, following)

    def _too_high(self, low: int, end: int) -> int:
        """A step after `low`, which fits, that does not."""
        high = low
        while high < end and self.is_within(high):
            high = min(high + max(1, abs(high)), end)
        if self.is_within(high):
            largest = value_text(self.value(end))
            hint = f"take a smaller one, or one of a metric that {self.knob} affects"
            raise NoLimit(f"every {self.knob} up to {largest} stays within this budget", hint, self.value(end))
        return high

    def _none(self, now: int, smallest: int | None) -> CostcalcError:
        """The error that no step fits, with the costs at the smallest valid one, or why the network is invalid now."""
        up_to = "" if self.end is None else f" up to {value_text(self.value(self.end))}"
        said = f"no {self.knob}{up_to} of {self.model.label} keeps this budget: at {self.knob} = "
        if smallest is None:
            return ShapeError(f"{said}{value_text(self.value(now))} the network is invalid: {self.known[now]}")
        costs = ", ".join(f"{name} = {self.costs(smallest)[name]:,}" for name in self.budget)
        among = "" if self.steps.usual else f" among {self.steps.said()}"
        return NothingFits(f"{said}{value_text(self.value(smallest))}, the smallest{among}, it has {costs}")

    def beyond(self, at: int) -> tuple[int, int | None]:
        """The last step after this one that fits, or this one, and the next valid step. Sets `end`."""
        looked, following = at, None
        for _ in range(MAX_ROUNDS):
            last = self._limit(at)
            if last <= looked:
                break
            for indices, costs in self.steps.chunks(looked + 1, last, [*self.budget]):
                fitting, valid = np.flatnonzero(costs.keep(self.budget)), np.flatnonzero(costs.valid)
                if len(fitting):
                    at, following = indices[fitting[-1]], None
                    valid = valid[valid > fitting[-1]]
                if following is None and len(valid):
                    following = indices[valid[0]]
                looked = indices[-1]
            if looked < last:  # too many invalid steps
                break
        else:
            more = f"no upper limit of {self.knob} found: larger and larger values stay within this budget"
            raise NoLimit(more, "", self.value(at))
        self.end = None if looked == self.steps.ends[1] else looked
        return at, following

    def _limit(self, at: int) -> int:
        """The last step to count if this one fits: the end of the knob, or a round number further on."""
        end = self.steps.ends[1]
        far = (at // MIN_STEPS_CHECKED_BEYOND + 2) * MIN_STEPS_CHECKED_BEYOND
        return end if end - at <= MAX_STEPS_TO_THE_END else min(end, far)

    def same_from(self, at: int) -> int:
        """The first step of the run of steps up to this one that cost the same."""
        first, start, mine = at, self.steps.ends[0], self.costs(at)
        while first > start:
            earlier = range(max(start, first - STEPS_COMPARED_TOGETHER), first)
            other = np.flatnonzero(~self.steps.costs(earlier).same_as(mine))
            if len(other):
                return int(earlier[other[-1]]) + 1
            first = earlier[0]
        return first
