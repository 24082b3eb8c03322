"""The values of a knob at which the order of two networks by cost changes.

break_even(costcalc.load("resnet50"), costcalc.load("efficientnet_b3"), "r").table()
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import lcm
from typing import Any

import numpy as np

from costcalc.analysis.columns import measure_of
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metric_names import metric_of, why_not_whole
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.scaling.along import Costs, costs_at
from costcalc.analysis.scaling.knob_steps import KnobSteps, check_size_knob
from costcalc.analysis.sweep.grid import MAX_VALUES_OF_A_KNOB, given_axes
from costcalc.analysis.warnings import warnings_of
from costcalc.dims import canonical, ceil
from costcalc.errors import Problem, ShapeError, UsageError, unknown
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import plural, settings_text, value_text

DEFAULT_REACH = 10  # the last value looked at by default, in times the larger setting


@dataclass(frozen=True)
class Stretch:
    """Values in a row at which the first network costs more (`sign` 1), as much (0) or less (-1) than the second."""

    sign: int
    first: Any
    last: Any
    costs: tuple[int, int]  # of both at the first of these values


@dataclass(frozen=True, eq=False, repr=False)
class BreakEven(Result):
    """The stretches of a knob's values, in order: from one to the next the order of the two networks changes."""

    models: tuple[Model, Model]
    knob: str
    by: str
    values: Sequence[Any]  # those looked at
    stretches: tuple[Stretch, ...]
    invalid: int = 0  # how many of the values make one of the networks invalid

    @property
    def crossings(self) -> list[Any]:
        """The values at which the order changes: another network costs more, or both cost the same."""
        return [stretch.first for stretch in self.stretches[1:]]

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each stretch: `from` and `to`, the network that costs `more` (None for neither), both costs at
        `from`, and the `ratio` of the first to the second."""
        return [self._record(stretch) for stretch in self.stretches]

    def _record(self, stretch: Stretch) -> dict[str, Any]:
        first, second = stretch.costs
        more = self.models[stretch.sign < 0].label if stretch.sign else None
        return {
            "from": stretch.first, "to": stretch.last, "more": more, "first": first, "second": second,
            "ratio": Fraction(first, second) if second else None,
        }  # fmt: skip

    def table(self) -> Table:
        """A row for each stretch."""
        label, names = METRICS[self.by].title, [model.label for model in self.models]
        of = measure_of(self.by)
        columns = (
            Column("from", f"{self.knob} from", "knob"), Column("to", "to", "knob"),
            Column("more", f"more {label}", "text"),
            Column("first", names[0], measure=of), Column("second", names[1], measure=of, unit_of="first"),
            Column("ratio", f"to {names[1]}", "factor", 1),
        )  # fmt: skip
        rows = [{**row, "more": row["more"] or "the same"} for row in self.to_records()]
        return Table(f"{label} of {names[0]} and {names[1]} by {self.knob}", columns, rows, None, self.notes())

    def notes(self) -> list[str]:
        """The answer in words, the values looked at, and the knobs that stay."""
        looked = f"{plural(len(self.values), 'value')} of {self.knob} from {value_text(self.values[0])}"
        step = {b - a for a, b in pairwise(self.values)}
        steps = f" by {value_text(*step)}" if len(step) == 1 else ""
        looked = f"{looked} to {value_text(self.values[-1])}{steps}"
        notes = [self.sentence(), f"looked at: {looked}; costs are those at the first"]
        if self.invalid:
            notes.append(f"at {self.invalid:,} of them one of the two networks is invalid")
        for model in self.models:
            fixed = model.values_but([self.knob])
            notes += [f"{model.label}: {settings_text(fixed)}"] if fixed else []
        return [*notes, *metric_notes([self.by], self.models[0].dtype, self.models[0].step)]

    def sentence(self) -> str:
        """`resnet50 has more MACs than vgg16 at every r that was looked at, from 32 to 2240`, or the stretch after
        the last crossing."""
        last, label = self.stretches[-1], METRICS[self.by].title
        if last.sign:
            names = [model.label for model in (self.models if last.sign > 0 else self.models[::-1])]
            what = f"{names[0]} has more {label} than {names[1]}"
        else:
            what = f"both have the same {label}"
        if len(self.stretches) == 1:
            ends = f"from {value_text(last.first)} to {value_text(last.last)}"
            return f"{what} at every {self.knob} that was looked at, {ends}"
        earlier = len(self.stretches) - 2
        before = ["", "; it changes once before"][earlier] if earlier < 2 else f"; it changes {earlier:,} times before"
        to_the_last = f"to {value_text(last.last)}"
        to_the_last += ", the last that was looked at" if last.last == self.values[-1] else ""
        return f"{what} from {self.knob} = {value_text(last.first)} {to_the_last}{before}"

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(model.label, warnings_of(model)) for model in self.models]

    def _fields(self) -> dict[str, Any]:
        targets = [{"target": model.label, "knobs": model.values} for model in self.models]
        about = {"from": self.values[0], "to": self.values[-1], "values": len(self.values), "invalid": self.invalid}
        return {
            "by": self.by, "knob": self.knob, "targets": targets, "looked_at": about, "crossings": self.crossings,
            "rows": self.to_records(),
        }  # fmt: skip

    def _summary(self) -> str:
        return self.sentence()


def break_even(first: Model, second: Model, knob: str, values: Any = None, *, by: str = "macs") -> BreakEven:
    """Where the order of two networks changes as a knob of one or both grows: `r`, or `r=32:512:1`.

    Without values: every whole number, or thousandth of a real knob, from the smallest that both take to ten times the
    larger of their settings. Raises UnknownName for a metric or knob that does not exist, UsageError for values that
    the knob does not take, ShapeError if at no value both networks are valid.
    """
    metric_of(by, unless=why_not_whole)
    if values is None:
        knob, _, text = (part.strip() for part in knob.partition("="))
        values = text or None
    models = (first, second)
    for model in models:
        model.require_numeric("break-even")
    looked_at = _values(models, knob, values)
    found = [_costs(model, knob, looked_at, by) for model in models]
    valid = found[0].valid & found[1].valid
    if not valid.any():
        span = f"at no {knob} from {value_text(looked_at[0])} to {value_text(looked_at[-1])} both are networks"
        raise ShapeError("; ".join([span, *(one.reason for one in found if one.reason)]))
    stretches = tuple(_stretches(looked_at, np.flatnonzero(valid), *(one.values[by] for one in found)))
    return BreakEven(models, knob, by, looked_at, stretches, int((~valid).sum()))


def _values(models: tuple[Model, Model], knob: str, given: Any) -> Sequence[Any]:
    """The values to look at, smallest first."""
    having = [model for model in models if knob in model.knobs]
    if not having:
        for model in models:
            model.require_knobs("break_even")
        raise unknown("knob", knob, {name for model in models for name in model.knobs})
    for model in having:
        check_size_knob(model, knob)
    if given is not None:
        given = [*given] if isinstance(given, Iterator) else given  # it can be read once
        return sorted(set.intersection(*({*given_axes({knob: given}, n.knobs, n.name)[knob]} for n in having)))
    steps = [KnobSteps(model, knob) for model in having]
    step = reduce(_common_multiple, (Fraction(s.step) for s in [s for s in steps if not s.usual] or steps))
    knobs = [model.knobs[knob] for model in having]
    low = max(one.low for one in knobs)
    high = min(
        *(one.high for one in knobs),
        DEFAULT_REACH * max(model.values[knob] for model in having),
        low + step * MAX_VALUES_OF_A_KNOB,
    )
    values = [canonical(step * i) for i in range(ceil(low / step), int(high // step) + 1)]
    if not values:
        raise UsageError(f"no value of {knob} that both networks take: say which to look at, as in {knob}=32:512:32")
    return values


def _common_multiple(a: Fraction, b: Fraction) -> Fraction:
    """The least common multiple: 1/16 of 1/32 and 1/16."""
    return Fraction(lcm(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)


def _costs(model: Model, knob: str, values: Sequence[Any], by: str) -> Costs:
    """The costs of the network at each value; the same at each if it has no such knob."""
    if knob not in model.knobs:
        cost = cost_of(model).total(by)
        return Costs(np.ones(len(values), bool), {by: np.full(len(values), cost, object)})
    return costs_at(model, {knob: values}, [by])


def _stretches(values: Sequence[Any], valid: Any, first: Any, second: Any) -> Iterator[Stretch]:
    """The runs of the same sign among the values at which both networks are valid."""
    a, b = first[valid], second[valid]
    signs = (a > b).astype(int) - (a < b).astype(int)
    starts = [0, *(np.flatnonzero(signs[1:] != signs[:-1]) + 1).tolist()]
    for start, end in zip(starts, [*starts[1:], len(signs)]):
        costs = (int(a[start]), int(b[start]))
        yield Stretch(int(signs[start]), values[valid[start]], values[valid[end - 1]], costs)
