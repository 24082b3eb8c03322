"""The data of the sliders: closed forms of the metrics, the conditions for them, and the range of each knob."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from sympy import Expr, Integer, Rational, floor

from costcalc.analysis.closed_form.derive import formula_of, walked
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.closed_form.slider_conditions import Condition, conditions
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metric_names import why_no_formula
from costcalc.analysis.metrics import METRICS, USUAL
from costcalc.analysis.power_laws import knob_exponents
from costcalc.dims import ceil, is_symbolic, size_symbol
from costcalc.errors import CostcalcError
from costcalc.models.knob import Knob
from costcalc.models.model import Model
from costcalc.report.page.javascript import code
from costcalc.text import value_text

SLIDER_STEPS_PER_UNIT = 100  # steps of a real knob from one whole number to the next
MIN_SLIDER_VALUES = 16  # of an integer knob


@dataclass(frozen=True)
class ClosedForms:
    """The closed forms of a network in all knobs that can be symbols: the formulas on the page, and the expression of
    each metric."""

    model: Model
    knobs: tuple[str, ...]
    formulas: tuple[Formula, ...]
    metrics: dict[str, Expr]
    conditions: list[Condition]

    def script(self) -> str:
        """The formulas as JavaScript."""
        symbols = [_symbol(self.model, name) for name in self.knobs]
        return code([*self.metrics.values()], self.conditions, symbols)

    def data(self) -> dict[str, Any]:
        """The data that the page's script reads: knobs with their ranges, settings, and the messages of conditions."""
        settings = self.settings()
        seen = {name: [values[name] for _, values in settings] for name in self.knobs}
        return {
            "knobs": [_knob_data(self.model.knobs[k], seen[k], self.steps_per_unit(k, seen[k])) for k in self.knobs],
            "settings": [{"name": n, "values": [value_text(values[k]) for k in self.knobs]} for n, values in settings],
            "metrics": [{"base": str(Fraction(value))} for value in self.values().values()],
            "conditions": [
                {"words": c.message, "texts": [size if isinstance(size, str) else None for size in c.sizes]}
                for c in self.conditions
            ],
        }  # fmt: skip

    def settings(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Named settings of the sliders: the current one, and the presets that set no knob without a slider."""
        now = self.model.values
        found: list[tuple[str, Mapping[str, Any]]] = [(self.model.label, now)]
        for name, preset in self.model.presets.items():
            values = {**now, **preset.settings}
            if all(values[knob] == now[knob] for knob in now if knob not in self.knobs) and name != self.model.label:
                found.append((name, values))
        return found

    def values(self) -> dict[str, Any]:
        """The metrics at the current setting."""
        from costcalc.dims.substitute import substitute

        known: dict[Any, Any] = {}  # terms that several metrics share
        now = {name: self.model.values[name] for name in self.knobs}
        return {metric: substitute(expression, now, known) for metric, expression in self.metrics.items()}

    def steps_per_unit(self, name: str, seen: Iterable[Any]) -> int:
        """Steps of a slider from one whole number to the next, so that it reaches all values of `seen`."""
        if self.model.knobs[name].kind == "integer":
            return 1
        return lcm(self.denominators().get(name, SLIDER_STEPS_PER_UNIT), *(Fraction(x).denominator for x in seen))

    def denominators(self) -> dict[str, int]:
        """For each real knob of which multiples such as 32·w must be whole, the denominator that makes them so: 32."""
        wholes = [sizes[0].as_coeff_Mul() for c in self.conditions for kind, sizes in c.claims if kind == "whole"]
        found: dict[str, int] = {}
        for factor, symbol in wholes:
            if symbol.is_Symbol and factor.is_Integer:
                found[symbol.name] = gcd(found.get(symbol.name, 0), int(factor))
        return found


def _symbol(model: Model, knob: str) -> Any:
    return size_symbol(knob, real=model.knobs[knob].kind == "real")


def _knob_data(knob: Knob, seen: Sequence[Any], steps_per_unit: int) -> dict[str, Any]:
    """A knob, and a slider from half of its least value in `seen` to twice the largest."""
    first = max(knob.low, Fraction(min(seen)) / 2)
    last = min(knob.high, max(2 * max(seen), MIN_SLIDER_VALUES if knob.kind == "integer" else 0))
    return {
        "name": knob.name, "kind": knob.kind, "about": knob.about, "steps_per_unit": steps_per_unit,
        "low": str(Fraction(knob.low)), "high": str(Fraction(knob.high)),
        "first": int(ceil(first * steps_per_unit)), "last": int(last * steps_per_unit),
    }  # fmt: skip


def closed_forms(model: Model, metrics: Sequence[str] = USUAL) -> ClosedForms:
    """The closed forms of these metrics, as far as they have one, in as many knobs as can be symbols. By default bytes
    have no formula of their own, because params have it. Raises CostcalcError without any closed form."""
    graph, rows, free = _walk_with_symbols(model, [*model.size_knobs])
    where = conditions(rows, graph.graph["assumed"])
    formulas = {m: formula_of(model, m, graph, rows) for m in metrics if not why_no_formula(METRICS[m])}
    shown = tuple(
        formula for metric, formula in formulas.items() if metrics != USUAL or METRICS[metric].unit != "bytes"
    )
    expressions = {metric: formula.expression for metric, formula in formulas.items()}
    return ClosedForms(model, tuple(free), shown, {**expressions, **macs_by_law(model, law_of(model, free))}, where)


def law_of(model: Model, free: Iterable[str]) -> dict[str, int]:
    """The exponents of these knobs in the power law of the MACs, and of the batch if there is a law."""
    powers = {knob: power for knob, power in knob_exponents(model).items() if knob in free}
    return powers | {"batch": 1} if powers and "batch" in free else powers


def macs_by_law(model: Model, powers: Mapping[str, int]) -> dict[str, Expr]:
    """The MACs by the power law, from those at the current setting, to the nearest unit; empty without a law."""
    macs = Integer(cost_of(model).macs)
    for knob, power in powers.items():
        start = Fraction(model.values[knob])
        macs *= (_symbol(model, knob) * Rational(start.denominator, start.numerator)) ** power
    return {"law": floor(macs + Rational(1, 2))} if powers else {}


def _walk_with_symbols(model: Model, wanted: list[str]) -> tuple[Any, Any, list[str]]:
    """The graph and its rows with symbols for these knobs, or for as many of them as can be symbols together."""
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
