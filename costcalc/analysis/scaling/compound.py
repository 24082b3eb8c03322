"""A network on the compound line: its cost at a φ, or the largest φ that keeps a budget.

compound_model(costcalc.load("efficientnet"), CompoundLaw(), phi=3).table()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from costcalc.analysis.metric_limits import budget_text, check_budget
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.power_laws import EXPONENTS
from costcalc.analysis.scaling.along import costs_in_chunks
from costcalc.analysis.scaling.knob_steps import STEPS_PER_UNIT
from costcalc.analysis.scaling.phi import MAX_PHI, PAPER_LAW, CompoundLaw, check_law_knobs, read_phi, rounding_text
from costcalc.analysis.scaling.scale import metric_columns
from costcalc.analysis.scaling.search import costs_for_budget, with_usual_metrics
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.dims import canonical
from costcalc.errors import CostcalcError, NothingFits, Problem, UsageError, shorten
from costcalc.models.model import Model
from costcalc.result import RowsResult
from costcalc.table import Column, Table
from costcalc.text import equations_text, knobs_note, value_text


@dataclass(frozen=True, eq=False, repr=False)
class Compound(RowsResult):
    """A base, the point at φ, and the presets next to it in MACs. With a budget φ is the largest that keeps it, and
    `after` the next, which does not.

    `rows`: one dict for each network, by MACs: `times` those of the base, as many `promised` by the law, and the
    `error` of the promise as a share of the exact count.
    """

    base: Model
    law: CompoundLaw
    phi: Any
    rows: tuple[dict[str, Any], ...]
    budget: Mapping[str, int] | None = None
    after: Any = None

    @property
    def model_of_rows(self) -> Model:
        """Each row is a setting of its knobs."""
        return self.base

    @property
    def model(self) -> Model:
        """The network at φ."""
        knobs = self.law.at(self.base, self.phi)
        return self.base.with_knobs(**knobs)

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        at_phi = {name: (value,) for name, value in self.law.at(self.base, self.phi).items()}
        return [(self.base.label, warnings_of_grid(self.base, at_phi))]

    def table(self) -> Table:
        """The base, the point, and the nearest presets."""
        columns = (
            Column("what", "", "text"), Column("phi", "φ", "knob"), *(Column(k, k, "knob") for k in ("r", "d", "w")),
            *metric_columns(self.budget or (), 3),
            Column("times", "× MACs", "ratio", 1), Column("promised", "by law", "ratio", 1),
            Column("error", "its error", "share", 2),
        )  # fmt: skip
        return Table(self.base.heading, columns, self.to_records(), None, self.notes())

    def notes(self) -> list[str]:
        """The budget, the law, how its points are rounded, and the knobs that stay."""
        notes = []
        if self.budget:
            notes.append(f"largest φ, in thousandths, up to which {budget_text(self.budget)}")
        notes.append(f"{self.law.formula()} times those of {self.base.label}: {rounding_text(self.base)}")
        by_law = f"{self.law.product_text()} times as many for a φ of one more"
        notes.append(f"× MACs: times those of {self.base.label}; by law: {by_law}")
        fixed = knobs_note(self.base.values_but(EXPONENTS))
        return [*notes, *fixed, *metric_notes(with_usual_metrics(self.budget or ()), self.base.dtype, self.base.step)]

    def _fields(self) -> dict[str, Any]:
        law = {"alpha": self.law.alpha, "beta": self.law.beta, "gamma": self.law.gamma, "product": self.law.product}
        return {
            "target": self.base.label, "knobs": self.base.values_but(EXPONENTS), "law": law,
            "budget": dict(self.budget or {}), "phi": self.phi, "rows": self.to_records(),
        }  # fmt: skip

    def _summary(self) -> str:
        at = equations_text(self.law.at(self.base, self.phi))
        return f"{self.base.label}: φ = {value_text(self.phi)}, {at}"


def read_compound(text: str) -> Any:
    """The φ of `phi=3`; None for `phi`, which is to be solved for. Raises UsageError for other texts."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if name not in ("phi", "φ") or (equals and not value):
        raise UsageError(
            f"--compound {shorten(text)}: write phi=3, or phi for the largest that keeps the budget of --max"
        )
    return read_phi(value) if equals else None


def compound_model(
    model: Model, law: CompoundLaw = PAPER_LAW, phi: Any = None, budget: Mapping[str, Any] | None = None
) -> Compound:
    """The network scaled by φ, or by the largest φ that keeps a budget.

    Raises UsageError for a network without depth, width and resolution, or unless either a φ or a budget is given;
    NothingFits for a budget that not even φ = 0 keeps; CostcalcError for a network without MACs.
    """
    check_law_knobs(model)
    budget = check_budget(budget) if budget else {}
    if phi is not None and budget:
        raise UsageError("φ is given, and there is nothing to solve for: leave out the budget, or the value of phi")
    if phi is None:
        if not budget:
            raise UsageError("no φ and no budget: give --compound phi=3, or a budget as in --max macs=400M")
        phi = largest_phi(model, law, budget)
    after = _next(model, law, phi, budget) if budget else None
    points = {0: "base", phi: "fits" if budget else "scaled", **({} if after is None else {after: "next step"})}
    base = costs_for_budget(model)["macs"]
    if not base:
        raise CostcalcError(f"{model.label} has no MACs for the law to multiply")
    rows = [_row(model, law, at, what, base, budget) for at, what in points.items()]
    rows += _nearest(model, next(row["macs"] for row in rows if row["phi"] == phi), base, budget)
    return Compound(model, law, phi, tuple(sorted(rows, key=lambda row: row["macs"])), budget, after)


def _next(model: Model, law: CompoundLaw, phi: Any, budget: Iterable[str]) -> Any:
    """The next φ; None if its network is invalid."""
    after = phi + Fraction(1, STEPS_PER_UNIT)
    try:
        _costs(model, law.at(model, after), budget)
    except CostcalcError:
        return None
    return after


def _row(model: Model, law: CompoundLaw, phi: Any, what: str, base: int, budget: Iterable[str]) -> dict[str, Any]:
    knobs = law.at(model, phi)
    costs, promised = _costs(model, knobs, budget), law.promised(phi)
    times = Fraction(costs["macs"], base)
    about = {"times": times, "promised": promised, "error": (promised - times) / times if times else None}
    return {"what": what, "phi": phi, **knobs, **costs, **about}


def _costs(model: Model, knobs: Mapping[str, Any], budget: Iterable[str]) -> dict[str, int]:
    return costs_for_budget(model.at(knobs), budget)


def _nearest(model: Model, macs: int, base: int, budget: Iterable[str]) -> list[dict[str, Any]]:
    """The presets with the next fewer and the next more MACs, the base excepted."""
    rows = []
    for name, preset in model.presets.items():
        knobs = {knob: preset.settings.get(knob, model.values[knob]) for knob in EXPONENTS}
        if knobs != {knob: model.values[knob] for knob in EXPONENTS}:
            costs = _costs(model, preset.settings, budget)
            about = {"times": Fraction(costs["macs"], base), "promised": None, "error": None}
            rows.append({"what": name, "phi": None, **knobs, **costs, **about})
    below = max((row for row in rows if row["macs"] <= macs), key=lambda row: row["macs"], default=None)
    above = min((row for row in rows if row["macs"] > macs), key=lambda row: row["macs"], default=None)
    return [row for row in (below, above) if row]


def largest_phi(model: Model, law: CompoundLaw, budget: Mapping[str, int]) -> Any:
    """The largest φ in thousandths such that it and all smaller ones keep the budget.

    Raises NothingFits if φ = 0 does not keep it, UsageError for a law that enlarges nothing and a budget all φ keep.
    """
    if law.product == 1:
        raise UsageError("with α = β = γ = 1 no φ makes a network larger")
    for steps, costs in costs_in_chunks(
        model, range(MAX_PHI * STEPS_PER_UNIT + 1), partial(_line, model, law), [*budget]
    ):
        fits = costs.keep(budget)
        if not fits.all():
            first = steps[int(np.argmin(fits))]
            if first == 0:
                at_0 = costs_for_budget(model, budget)
                said = ", ".join(f"{name} = {at_0[name]:,}" for name in budget)
                raise NothingFits(f"no φ keeps this budget: at φ = 0, which is {model.label} itself, it has {said}")
            return canonical(Fraction(first - 1, STEPS_PER_UNIT))
    raise UsageError("φ may be as large as it can and keeps this budget: it does not affect the cost")


def _line(model: Model, law: CompoundLaw, steps: range) -> dict[str, list[Any]]:
    """Depth, width and resolution at each φ, in thousandths."""
    points = law.line(model, [Fraction(step, STEPS_PER_UNIT) for step in steps])
    return {knob: [point[knob] for point in points] for knob in EXPONENTS}
