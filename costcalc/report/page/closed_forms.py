"""The closed forms of a network that its page evaluates: of its metrics, of its rows, and the conditions for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Any

from sympy import Expr, Integer, Rational, floor

from costcalc.analysis.closed_form.derive import beyond_limits, formula_of, limits_of, row_values, walked
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.closed_form.slider_conditions import Condition, conditions, known_where
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metric_names import why_no_formula
from costcalc.analysis.metrics import METRICS, USUAL
from costcalc.analysis.power_laws import knob_exponents
from costcalc.analysis.walk import Row
from costcalc.dims import is_symbolic, size_symbol
from costcalc.errors import CostcalcError
from costcalc.models.model import Model
from costcalc.ops.needs import Need

SLIDER_STEPS_PER_UNIT = 100  # steps of a real knob from one whole number to the next


@dataclass(frozen=True, eq=False)
class ClosedForms:
    """The closed forms of a network in all knobs that can be symbols: the formulas on the page, the expression of each
    metric, and the layers with symbols for sizes."""

    model: Model
    knobs: tuple[str, ...]
    formulas: tuple[Formula, ...]
    metrics: dict[str, Expr]
    conditions: list[Condition]
    graph: Any
    rows: Sequence[Row]

    @property
    def symbols(self) -> dict[str, Any]:
        """The symbol of each knob."""
        return {name: symbol_of(self.model, name) for name in self.knobs}

    def of_rows(self, metric: str) -> list[Any]:
        """The closed form of a metric of each row. Raises CostcalcError for one that has none."""
        if why := why_no_formula(METRICS[metric]):
            raise CostcalcError(f"{METRICS[metric].title} {why}")
        return row_values(metric, self.graph, self.rows, self.model.dtype)

    @cached_property
    def presets(self) -> dict[tuple[tuple[str, Any], ...], dict[str, Mapping[str, Any]]]:
        """The presets and the value of each knob there, by what they change of the knobs without a slider: under `()`
        those that sliders reach."""
        now = self.model.values
        found: dict[tuple[tuple[str, Any], ...], dict[str, Mapping[str, Any]]] = {(): {}}
        for name in self.model.presets:
            values = {**now, **self.model.at_preset(name).values}
            changed = tuple((k, v) for k, v in values.items() if k not in self.knobs and v != now.get(k))
            found.setdefault(changed, {})[name] = values
        return found

    def settings(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The presets that sliders reach, and the value of each knob there, but for the network as it is set."""
        yield from ((name, values) for name, values in self.presets[()].items() if name != self.model.label)

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


def symbol_of(model: Model, knob: str) -> Any:
    """The symbol that stands for a knob in closed forms."""
    return size_symbol(knob, real=model.knobs[knob].kind == "real")


def closed_forms(model: Model, metrics: Sequence[str] = USUAL, *, with_law: bool = True) -> ClosedForms:
    """The closed forms of these metrics, as far as they have one, in as many knobs as can be symbols. By default bytes
    have no formula of their own, because params have it. Raises CostcalcError without any closed form, UsageError for a
    network without knobs or with symbols as knobs."""
    model.require_knobs("a slider")
    model.require_numeric("a slider")
    graph, rows, free = _walk_with_symbols(model, [*model.size_knobs], metrics)
    where = [*conditions(rows, graph.graph["assumed"]), *known_where(_limits(metrics, graph))]
    formulas = {m: formula_of(model, m, graph, rows) for m in metrics if not why_no_formula(METRICS[m])}
    shown = tuple(
        formula for metric, formula in formulas.items() if metrics != USUAL or METRICS[metric].unit != "bytes"
    )
    expressions = {metric: formula.expression for metric, formula in formulas.items()}
    if with_law:
        expressions |= macs_by_law(model, law_of(model, free))
    return ClosedForms(model, tuple(free), shown, expressions, where, graph, rows)


def law_of(model: Model, free: Iterable[str]) -> dict[str, int]:
    """The exponents of these knobs in the power law of the MACs, and of the batch if there is a law."""
    powers = {knob: power for knob, power in knob_exponents(model).items() if knob in free}
    return powers | {"batch": 1} if powers and "batch" in free else powers


def macs_by_law(model: Model, powers: Mapping[str, int]) -> dict[str, Expr]:
    """The MACs by the power law, from those at the current setting, to the nearest unit; empty without a law."""
    macs = Integer(cost_of(model).macs)
    for knob, power in powers.items():
        start = Fraction(model.values[knob])
        macs *= (symbol_of(model, knob) * Rational(start.denominator, start.numerator)) ** power
    return {"law": floor(macs + Rational(1, 2))} if powers else {}


def _limits(metrics: Sequence[str], graph: Any) -> Sequence[Need]:
    """Where the layers of an imported network are known, as far as one of these metrics asks."""
    return [*{id(need): need for metric in metrics for need in limits_of(metric, graph)}.values()]


def _walk_with_symbols(model: Model, wanted: list[str], metrics: Sequence[str]) -> tuple[Any, Any, list[str]]:
    """The graph and rows with symbols for as many of these knobs as can be symbols together and whose limits hold at
    the current values; and the names of these knobs."""
    graph, rows = _walked(model, wanted)
    free = [name for name in wanted if is_symbolic(graph.graph["knobs"].get(name))]
    beyond = {*beyond_limits({name: model.values[name] for name in free}, _limits(metrics, graph))}
    if beyond:
        return _walk_with_symbols(model, [name for name in free if name not in beyond], metrics)
    return graph, rows, free


def _walked(model: Model, wanted: list[str]) -> tuple[Any, Any]:
    try:
        return walked(model, wanted)
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
    return found
