"""The steps of a knob: its values, and the costs of a network at each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from costcalc.analysis.metric_names import check_not_a_metric
from costcalc.analysis.metrics import USUAL
from costcalc.analysis.scaling.along import Costs, costs_at, costs_in_chunks
from costcalc.dims import canonical, ceil
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import CostcalcError, PointsDiffer, UnknownName, unknown
from costcalc.models.model import Model

VALUES_TO_TRY = 12  # in a row; all must be valid for a step to be used
INTEGER_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
MAX_FAILED_TRIES = 400  # to bind a network, each a few milliseconds
MAX_FAILED_RUNS = 24  # of an imported network, each some tenths of a second
STEPS_PER_UNIT = 1000  # a real knob is set in thousandths
REAL_STEPS = (Fraction(1, STEPS_PER_UNIT), *(Fraction(1, 2**n) for n in range(10, -1, -1)))


@dataclass(frozen=True)
class KnobSteps:
    """The values of a knob: whole numbers, or thousandths of a real knob; if these are invalid, multiples of a valid
    step, such as 1/32 where 32·w must be whole."""

    model: Model
    knob: str
    metrics: Sequence[str] = USUAL

    @cached_property
    def step(self) -> Any:
        """The first step whose multiples are valid: by default 1, or 1/1000 for a real knob."""
        return next((step for step in self._sizes if self._is_step(step)), self._sizes[0])

    @property
    def usual(self) -> bool:
        """Is it the default step of a knob of this kind?"""
        return bool(self.step == self._sizes[0])

    @property
    def _sizes(self) -> tuple[Any, ...]:
        """The steps to try."""
        return INTEGER_STEPS if self.model.knobs[self.knob].kind == "integer" else REAL_STEPS

    def _is_step(self, step: Any) -> bool:
        knob, now = self.model.knobs[self.knob], self.model.values[self.knob]
        first = min(max(int(now // step), int(-(-knob.low // step))), int(knob.high // step) - VALUES_TO_TRY)
        values = [step * i for i in range(first, first + VALUES_TO_TRY) if knob.low <= step * i <= knob.high]
        try:
            return self._are_networks(ExactArray.of(values))
        except PointsDiffer:  # a condition of the spec changes between them
            return all(map(self._are_networks, values))

    def _are_networks(self, values: Any) -> bool:
        """Is the network valid at all of these values? Raises PointsDiffer if they make different networks."""
        try:
            graph = self.model.layers({self.knob: values})
        except PointsDiffer:
            raise
        except (CostcalcError, ValueError):  # no value is valid
            return False
        return "valid" not in graph.graph

    def value(self, index: int) -> Any:
        """The value at an index, which counts steps from 0."""
        return canonical(Fraction(self.step) * index)

    def index(self, value: Any) -> int:
        """The index of the last step up to a value."""
        return int(value // self.step)

    @property
    def ends(self) -> tuple[int, int]:
        """The first and the last index that the knob allows."""
        knob = self.model.knobs[self.knob]
        return ceil(Fraction(knob.low) / self.step), int(knob.high // self.step)

    def costs(self, indices: Sequence[int]) -> Costs:
        """The costs of the network at these indices."""
        return costs_at(self.model, self._axes_at(indices), self.metrics)

    def chunks(self, first: int, last: int, metrics: Sequence[str]) -> Iterator[tuple[range, Costs]]:
        """The costs of the network from one index to another, in chunks. Ends early after many invalid steps."""
        steps = range(first, last + 1)
        most = MAX_FAILED_RUNS if self.model.architecture.only_here else MAX_FAILED_TRIES
        return costs_in_chunks(self.model, steps, self._axes_at, metrics, max_failed=most)

    def _axes_at(self, indices: Sequence[int]) -> dict[str, list[Any]]:
        return {self.knob: [self.value(index) for index in indices]}

    def said(self) -> str:
        """The step in words: `whole numbers`, `thousandths`, `multiples of 1/32`."""
        names = {1: "whole numbers", REAL_STEPS[0]: "thousandths"}
        return names.get(self.step) or f"multiples of {self.step}"


def check_size_knob(model: Model, knob: str) -> None:
    """Raises UnknownName for an unknown knob or one that is not numeric; UsageError for one with the name of a
    metric."""
    knobs = model.size_knobs
    if knob in model.knobs and knob not in knobs:
        raise UnknownName(f"knob {knob!r} of {model.label} is not numeric; numeric ones: {', '.join(knobs)}")
    if knob not in knobs:
        raise unknown("knob", knob, knobs)
    check_not_a_metric(knob)
