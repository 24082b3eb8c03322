"""The largest value of a knob that keeps a budget: found by bisection, then checked value by value.

Bisection assumes that cost grows with the knob. It need not: a kernel as large as its image costs little. So all values
after the one found are counted too, to the end of the knob or to a limit that the answer names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from costcalc.analysis.metrics import USUAL
from costcalc.analysis.scaling.knob_steps import KnobSteps
from costcalc.analysis.sweep.totals import totals_of
from costcalc.errors import CostcalcError, ShapeError, TooDeep, UsageError
from costcalc.models.model import Model
from costcalc.text import value_text

STEPS_COMPARED_TOGETHER = 4096
MIN_STEPS_CHECKED_BEYOND = 50_000  # the value that was found
MAX_STEPS_TO_THE_END = 1_000_000  # of a knob, to count them all
MAX_ROUNDS = 16  # of checks that find a larger value, before the search gives up


def with_usual_metrics(budget: Iterable[str] = ()) -> tuple[str, ...]:
    """The usual metrics, and those that a budget names besides."""
    return tuple(dict.fromkeys((*USUAL, *budget)))


def costs_for_budget(model: Model, budget: Iterable[str] = ()) -> dict[str, int]:
    """The usual metrics and those of a budget, of one model."""
    return totals_of(model, with_usual_metrics(budget))


class BudgetSearch:
    """Steps of a knob, 1 or a thousandth, and what the network costs there. After `found`, `end` is the last step that
    was counted, and None if there is no later one."""

    def __init__(self, model: Model, knob: str, budget: Mapping[str, int]):
        self.model, self.knob, self.budget = model, knob, budget
        self.steps = KnobSteps(model, knob, with_usual_metrics(budget))
        self.value = self.steps.value
        self.known: dict[int, dict[str, int] | None] = {}
        self.end: int | None = None

    def costs(self, step: int) -> Any:
        """The costs at a step; None if it is invalid."""
        if step not in self.known:
            self.known[step] = self._counted(self.value(step))
        return self.known[step]

    def _counted(self, value: Any) -> dict[str, int] | None:
        try:
            return costs_for_budget(self._model(value), self.budget)
        except TooDeep:
            raise
        except CostcalcError:
            return None

    def _model(self, value: Any) -> Model:
        return self.model.at({self.knob: value})

    def fits(self, step: int) -> bool:
        """Is the step valid and within the budget?"""
        costs = self.costs(step)
        return costs is not None and all(costs[name] <= most for name, most in self.budget.items())

    def _exists(self, step: int) -> bool:
        return self.costs(step) is not None

    def _exceeds(self, step: int) -> bool:
        return not self.fits(step)

    def found(self) -> tuple[int, int | None]:
        """The last step that fits, and the next of which there is a network. Raises ShapeError if none fits, UsageError
        if there is no end to what fits."""
        start, end = self.steps.ends
        now = max(start, self.steps.index(self.model.values[self.knob]))
        low = start + bisect_left(range(start, now), True, key=self._exists)  # from there on to where it is now
        if self.fits(low):
            too_high = self._too_high(low, end)
            return self.beyond(low + bisect_left(range(low + 1, too_high), True, key=self._exceeds))
        at, following = self.beyond(start - 1)  # where cost falls, a later step may fit
        if at < start:
            raise self._none(now, following)
        return at, following

    def _too_high(self, low: int, end: int) -> int:
        high = low
        while high < end and self.fits(high):
            high = min(high + max(1, abs(high)), end)
        if self.fits(high):
            raise UsageError(
                f"{self.knob} may be as large as it can and keeps this budget: it does not affect the cost"
            )
        return high

    def _none(self, now: int, smallest: int | None) -> CostcalcError:
        """The error if no step fits: the costs of the smallest network, or why the current one is invalid."""
        said = f"no {self.knob}{self.up_to()} of {self.model.label} keeps this budget: at {self.knob} = "
        if smallest is not None:
            costs = ", ".join(f"{name} = {self.costs(smallest)[name]:,}" for name in self.budget)
            among = "" if self.steps.usual else f" among {self.steps.said()}"
            return ShapeError(f"{said}{value_text(self.value(smallest))}, the smallest{among}, it has {costs}")
        try:
            costs_for_budget(self._model(self.value(now)), self.budget)
        except CostcalcError as error:
            return ShapeError(f"{said}{value_text(self.value(now))} the network is invalid: {error}")
        raise AssertionError("it was counted before")

    def beyond(self, at: int) -> tuple[int, int | None]:
        """This step or the last after it that fits, and the next of which there is a network. Sets `end`."""
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
            if looked < last:  # too many steps whose network is invalid
                break
        else:
            raise UsageError(f"larger and larger {self.knob} keep this budget: it does not affect the cost")
        self.end = None if looked == self.steps.ends[1] else looked
        return at, following

    def _limit(self, at: int) -> int:
        """The last step that is counted for one that fits: the end of the knob, or a round number beyond."""
        end = self.steps.ends[1]
        return (
            end
            if end - at <= MAX_STEPS_TO_THE_END
            else min(end, (at // MIN_STEPS_CHECKED_BEYOND + 2) * MIN_STEPS_CHECKED_BEYOND)
        )

    def up_to(self) -> str:
        """` up to 100`: as far as was counted, if that is not all."""
        return "" if self.end is None else f" up to {value_text(self.value(self.end))}"

    def same_from(self, at: int) -> int:
        """The first of the steps in a row up to this one that all cost the same."""
        first, start, mine = at, self.steps.ends[0], self.costs(at)
        while first > start:
            earlier = range(max(start, first - STEPS_COMPARED_TOGETHER), first)
            other = np.flatnonzero(~self.steps.costs(earlier).same_as(mine))
            if len(other):
                return int(earlier[other[-1]]) + 1
            first = earlier[0]
        return first
