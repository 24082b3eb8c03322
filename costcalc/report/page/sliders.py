"""What the sliders need: the closed forms of the metrics, where they hold, and how far each knob goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from sympy import Expr, Integer, Rational, floor

from costcalc.analysis.closed_form.conditions import Condition, conditions
from costcalc.analysis.closed_form.derive import formula_of, walked
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metrics import METRICS, USUAL, has_formula
from costcalc.analysis.power_laws import knob_exponents
from costcalc.dims import ceil, is_symbolic, size_symbol
from costcalc.errors import CostcalcError
from costcalc.models.knob import Knob
from costcalc.models.model import Model
from costcalc.report.page.javascript import code
from costcalc.text import value_text

SLIDER_STEPS_PER_UNIT = 100  # steps of a real knob from one whole number to the next
MIN_SLIDER_VALUES = 16  # values that a whole knob has at least


@dataclass(frozen=True)
class ClosedForms:
    """The formulas of a network in all knobs that can be letters: those that are shown, and each metric's sum."""

    model: Model
    knobs: tuple[str, ...]
    formulas: tuple[Formula, ...]
    metrics: dict[str, Expr]
    conditions: list[Condition]

    def script(self) -> str:
        """The formulas as JavaScript."""
        letters = [size_symbol(name, real=self.model.knobs[name].kind == "real") for name in self.knobs]
        return code([*self.metrics.values()], self.conditions, letters)

    def data(self) -> dict[str, Any]:
        """What the page's script reads: knobs and how far they go, settings to begin with, the words of conditions."""
        settings = self.settings()
        seen = {name: [values[name] for _, values in settings] for name in self.knobs}
        return {
            "knobs": [knob_data(self.model.knobs[k], seen[k], self.grain(k, seen[k])) for k in self.knobs],
            "settings": [{"name": name, "values": [text(values[k]) for k in self.knobs]} for name, values in settings],
            "metrics": [{"base": _fraction(value)} for value in self.values().values()],
            "conditions": [
                {"words": c.message, "texts": [size if isinstance(size, str) else None for size in c.sizes]}
                for c in self.conditions
            ],
        }  # fmt: skip

    def settings(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Where the sliders can be put: as the knobs are set, and at the presets that differ in no other knob."""
        now = self.model.values
        found: list[tuple[str, Mapping[str, Any]]] = [(self.model.label, now)]
        for name, preset in self.model.presets.items():
            values = {**now, **preset.settings}
            if all(values[knob] == now[knob] for knob in now if knob not in self.knobs) and name != self.model.label:
                found.append((name, values))
        return found

    def values(self) -> dict[str, Any]:
        """The metrics as the knobs are set."""
        from costcalc.dims.substitute import substitute

        known: dict[Any, Any] = {}
        now = {name: self.model.values[name] for name in self.knobs}
        return {metric: substitute(expression, now, known) for metric, expression in self.metrics.items()}

    def grain(self, name: str, seen: Iterable[Any]) -> int:
        """Steps of a slider from one whole number to the next."""
        if self.model.knobs[name].kind == "integer":
            return 1
        return lcm(
            self.parts_of_whole().get(name, SLIDER_STEPS_PER_UNIT), *(Fraction(value).denominator for value in seen)
        )

    def parts_of_whole(self) -> dict[str, int]:
        """For real knobs of which a multiple must be whole, such as 32·w, the parts that see to it: thirty-seconds."""
        wholes = [sizes[0].as_coeff_Mul() for c in self.conditions for kind, sizes in c.claims if kind == "whole"]
        found: dict[str, int] = {}
        for factor, letter in wholes:
            if letter.is_Symbol and factor.is_Integer:
                found[letter.name] = gcd(found.get(letter.name, 0), int(factor))
        return found


def knob_data(knob: Knob, seen: Iterable[Any], grain: int) -> dict[str, Any]:
    """A knob, and a slider from half of the least value that it is known with to twice the largest."""
    seen = [*seen]
    first = max(knob.low, Fraction(min(seen)) / 2)
    last = min(knob.high, max(2 * max(seen), MIN_SLIDER_VALUES if knob.kind == "integer" else 0))
    return {
        "name": knob.name, "kind": knob.kind, "about": knob.about, "grain": grain,
        "low": _fraction(knob.low), "high": _fraction(knob.high),
        "first": int(ceil(first * grain)), "last": int(last * grain),
    }  # fmt: skip


def text(value: Any) -> str:
    """A value as the page reads it: 1.25, or 1/3."""
    return value_text(Fraction(value))


def _fraction(value: Any) -> str:
    value = Fraction(value)
    return f"{value.numerator}/{value.denominator}"


def closed_forms(model: Model, metrics: Sequence[str] = USUAL) -> ClosedForms:
    """The closed forms of these metrics, or those of them that have one, in as many knobs as can be letters. The usual
    bytes stand beside their params, with no formula of their own. Raises CostcalcError if there is none."""
    graph, rows, free = _walked_with(model, [*model.size_knobs])
    where = conditions(rows, graph.graph["assumed"])
    formulas = {m: formula_of(model, m, graph, rows) for m in metrics if not has_formula(METRICS[m])}
    shown = tuple(
        formula for metric, formula in formulas.items() if metrics != USUAL or METRICS[metric].unit != "bytes"
    )
    moved = {metric: formula.expression for metric, formula in formulas.items()}
    return ClosedForms(model, tuple(free), shown, {**moved, **said_by_law(model, law_of(model, free))}, where)


def law_of(model: Model, free: Iterable[str]) -> dict[str, int]:
    """The powers of those of these knobs that the MACs are said to grow with; with the batch they are sure to."""
    powers = {knob: power for knob, power in knob_exponents(model).items() if knob in free}
    return powers | {"batch": 1} if powers and "batch" in free else powers


def said_by_law(model: Model, powers: Mapping[str, int]) -> dict[str, Expr]:
    """The MACs by the law, from what they are as the network is set, to the nearest unit; nothing without a law."""
    said = Integer(cost_of(model).macs)
    for knob, power in powers.items():
        start = Fraction(model.values[knob])
        letter = size_symbol(knob, real=model.knobs[knob].kind == "real")
        said *= (letter * Rational(start.denominator, start.numerator)) ** power
    return {"law": floor(said + Rational(1, 2))} if powers else {}


def _walked_with(model: Model, wanted: list[str]) -> tuple[Any, Any, list[str]]:
    """The rows with letters for these knobs; for those of them, one after the other, with which it can be done."""
    try:
        return *walked(model, wanted), wanted
    except CostcalcError as error:
        refused = error
    free: list[str] = []
    found: tuple[Any, Any] | None = None
    for name in wanted:
        try:
            found = walked(model, [*free, name], seconds=2)
            free.append(name)
        except CostcalcError:
            continue
    if found is None:
        raise refused
    graph, rows = found
    free = [name for name in free if is_symbolic(graph.graph["knobs"][name])]
    return graph, rows, free
