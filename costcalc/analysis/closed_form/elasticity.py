"""How a cost responds to each knob, and the share of each block in it, at the current settings."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import log2
from typing import Any

from sympy import Add, Expr, Max, Min, ceiling, diff, floor

from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.warnings import warnings_of
from costcalc.dims import canonical
from costcalc.dims.substitute import substitute
from costcalc.dims.symbolic import Gcd, RoundTo
from costcalc.errors import CostcalcError, UnknownName
from costcalc.models.model import Model
from costcalc.result import TableResult
from costcalc.table import Column, Table

NOTE = (
    "elasticity: d log {metric} / d log knob here, roundings relaxed: ceil(x), floor(x) and round_to(x, m) taken as x\n"
    "doubled: the exact {metric} with the knob doubled over those now, and the exponent, log2 of that"
)


def derive_in_all(model: Model, metric: str) -> Formula:
    """The formula in all numeric knobs, set or not; only in those not set if the set ones decide which layers exist."""
    try:
        return derive(model, metric, free=model.size_knobs)
    except UnknownName:
        raise
    except CostcalcError:
        return derive(model, metric)


def elasticities(model: Model, metric: str = "macs") -> TableResult:
    """For each numeric knob d log(metric) / d log(knob) at the current settings, and the effect of doubling it.

    Raises UnknownName for an unknown metric, UsageError for a knob that is set to a symbol, CostcalcError if the
    metric is 0.
    """
    model.require_numeric("elasticity")
    formula = derive_in_all(model, metric)
    if formula() == 0:
        raise CostcalcError(f"{model.label} has no {metric}: nothing changes with a knob")
    slopes = elasticities_at(formula, formula.knobs)
    rows = []
    for symbol in sorted(formula.expression.free_symbols, key=lambda symbol: [*formula.knobs].index(symbol.name)):
        twice = doubled(model, symbol.name, metric)
        rows.append({
            "knob": formula.printer.symbol(symbol.name), "at": formula.knobs[symbol.name],
            "elasticity": slopes[symbol.name], "doubled": twice and canonical(twice), "exponent": twice and log2(twice),
        })  # fmt: skip
    columns = (
        Column("knob", "knob", "text"), Column("at", "at", "knob", 1), Column("elasticity", "elasticity", "real"),
        Column("doubled", "doubled", "ratio", 2), Column("exponent", "exponent", "real", 2),
    )  # fmt: skip
    title = METRICS[metric].title
    table = Table(f"{title} of {model.label}: what each knob does", columns, rows, None, [NOTE.format(metric=title)])
    return _result(model, metric, table)


def _result(model: Model, metric: str, table: Table) -> TableResult:
    document = {"target": model.label, "metric": metric, "knobs": dict(model.values), "rows": table.to_records()}
    return TableResult(table, document, ((model.label, warnings_of(model)),))


def elasticities_at(formula: Formula, values: Mapping[str, Any]) -> dict[str, Any]:
    """d log(metric) / d log(knob) by knob at these values, roundings relaxed: exact ints and Fractions."""
    relaxed = [_relaxed(term.expression, values) for term in formula.terms]
    smooth = substitute(Add(*relaxed), values)
    found = {}
    for symbol in formula.expression.free_symbols:
        slope = sum(substitute(diff(part, symbol), values) for part in relaxed if symbol in part.free_symbols)
        found[symbol.name] = canonical(Fraction(slope) * values[symbol.name] / smooth)
    return found


def doubled(model: Model, knob: str, metric: str = "macs") -> Fraction | None:
    """The exact cost with a knob doubled over the cost now; None if that network is invalid or the cost now is 0."""
    try:
        twice = model.at({knob: 2 * model.values[knob]})
        now, then = (cost_of(one).total(metric) for one in (model, twice))
    except CostcalcError:
        return None
    return Fraction(then, now) if now else None


def _relaxed(x: Expr, values: Mapping[str, Any]) -> Expr:
    """The formula without roundings; max and min become the argument chosen at these values, a gcd its value."""
    if not x.args:
        return x
    if isinstance(x, (ceiling, floor, RoundTo)):
        return _relaxed(x.args[0], values)
    if isinstance(x, (Max, Min)):
        side = (max if isinstance(x, Max) else min)(x.args, key=lambda arg: substitute(arg, values))
        return _relaxed(side, values)
    if isinstance(x, Gcd):
        return substitute(x, values)
    return x.func(*(_relaxed(part, values) for part in x.args))


def by_term(model: Model, metric: str = "macs") -> TableResult:
    """The cost of each block at the current settings, its share, and its formula in all knobs; the largest first."""
    formula = derive_in_all(model, metric)
    known: dict[Any, Any] = {}
    parts = [(substitute(part.expression, formula.knobs, known), part) for part in formula.parts]
    total = sum(value for value, _ in parts)
    rows = []
    for value, part in sorted(parts, key=lambda pair: -pair[0]):
        text = formula.cell(part.expression)
        rows.append({"name": part.name, "value": value, "share": value / total if total else None, "formula": text})
    title = METRICS[metric].title
    columns = (
        Column("name", "block", "text"), Column("value", title), Column("share", "share", "share"),
        Column("formula", "formula", "text", 1),
    )  # fmt: skip
    totals = {"name": "total", "value": total, "share": 1.0 if total else None, "formula": ""}
    notes = [f"at {formula.printer.settings(formula.knobs)}", *formula.lines()]
    return _result(model, metric, Table(f"{title} of {model.label} by block", columns, rows, totals, notes))
