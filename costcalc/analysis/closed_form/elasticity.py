"""How a cost responds to each knob, and which blocks it comes from, at the current settings."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import log2
from typing import Any

from sympy import Add, Expr, Max, Min, ceiling, diff, floor

from costcalc.analysis.closed_form.formula import Formula, derive, label
from costcalc.analysis.cost import cost_of, warnings_of
from costcalc.dims import canonical
from costcalc.dims.substitute import substitute
from costcalc.dims.symbolic import Gcd, RoundTo
from costcalc.errors import CostcalcError, UnknownName
from costcalc.models.model import Model
from costcalc.result import TableResult
from costcalc.table import Column, Table
from costcalc.text import value_text

NOTE = (
    "elasticity: d log {metric} / d log knob here, roundings relaxed: ceil(x), floor(x) and round_to(x, m) taken as x\n"
    "doubled: the exact {metric} with the knob doubled over those now, and the exponent, log2 of that"
)


def derive_in_all(model: Model, metric: str) -> Formula:
    """The formula in all knobs, set or not; in those not set if which layers there are depends on others."""
    every = model.size_knobs
    try:
        return derive(model, metric, free=every)
    except UnknownName:
        raise
    except CostcalcError:
        return derive(model, metric)


def elasticities(model: Model, metric: str = "macs") -> TableResult:
    """For each whole or real knob d log(metric) / d log(knob) at the current settings, and what doubling it does.

    Raises UnknownName for an unknown metric, UsageError for a knob that is not numeric, CostcalcError if the network
    costs nothing of it.
    """
    model.needs_numbers("elasticity")
    formula = derive_in_all(model, metric)
    if formula() == 0:
        raise CostcalcError(f"{model.label} has no {metric}: nothing changes with a knob")
    slopes = tangent(formula, formula.knobs)
    rows = []
    for symbol in sorted(formula.expression.free_symbols, key=lambda symbol: [*formula.knobs].index(symbol.name)):
        twice = doubled(model, symbol.name, metric)
        rows.append({
            "knob": formula.display_names.get(symbol.name, symbol.name), "at": formula.knobs[symbol.name],
            "elasticity": slopes[symbol.name], "doubled": twice and canonical(twice), "exponent": twice and log2(twice),
        })  # fmt: skip
    columns = (
        Column("knob", "knob", "text"), Column("at", "at", "knob", 1), Column("elasticity", "elasticity", "real"),
        Column("doubled", "doubled", "ratio", 2), Column("exponent", "exponent", "real", 2),
    )  # fmt: skip
    title, notes = f"{label(metric)} of {model.label}: what each knob does", [NOTE.format(metric=label(metric))]
    return _result(model, metric, Table(title, columns, rows, None, notes))


def _result(model: Model, metric: str, table: Table) -> TableResult:
    document = {"target": model.label, "metric": metric, "knobs": dict(model.values), "rows": table.to_records()}
    return TableResult(table, document, ((model.label, warnings_of(model)),))


def tangent(formula: Formula, values: Mapping[str, Any]) -> dict[str, Any]:
    """d log(metric) / d log(knob) of each symbol at these values, with roundings relaxed: exact ints and Fractions."""
    relaxed = [_relaxed(term.expression, values) for term in formula.terms]
    smooth = substitute(Add(*relaxed), values)
    found = {}
    for symbol in formula.expression.free_symbols:
        slope = sum(substitute(diff(part, symbol), values) for part in relaxed if symbol in part.free_symbols)
        found[symbol.name] = canonical(Fraction(slope) * values[symbol.name] / smooth)
    return found


def doubled(model: Model, knob: str, metric: str = "macs") -> Fraction | None:
    """How many times the exact cost there is with a knob doubled; None if the network is invalid, or costs nothing."""
    try:
        twice = model.at({knob: 2 * model.values[knob]})
        now, then = (cost_of(one).total(metric) for one in (model, twice))
    except CostcalcError:
        return None
    return Fraction(then, now) if now else None


def _relaxed(x: Expr, values: Mapping[str, Any]) -> Expr:
    """The formula without roundings; of max and min the side that counts at these values, a gcd as its value there."""
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
    """What each block costs at the current settings, its share and its formula in all knobs, the largest first."""
    formula = derive_in_all(model, metric)
    known: dict[Any, Any] = {}
    parts = [(substitute(part.expression, formula.knobs, known), part) for part in formula.parts]
    total = sum(value for value, _ in parts)
    rows = []
    for value, part in sorted(parts, key=lambda pair: -pair[0]):
        text = formula.printer.write(part.expression)
        rows.append({"name": part.name, "value": value, "share": value / total if total else None, "formula": text})
    columns = (
        Column("name", "block", "text"), Column("value", label(metric)), Column("share", "share", "share"),
        Column("formula", "formula", "text", 1),
    )  # fmt: skip
    totals = {"name": "total", "value": total, "share": 1.0 if total else None, "formula": ""}
    at = ", ".join(
        f"{formula.display_names.get(name, name)} = {value_text(value)}" for name, value in formula.knobs.items()
    )
    title, notes = f"{label(metric)} of {model.label} by block", [f"at {at}", *formula.lines()]
    return _result(model, metric, Table(title, columns, rows, totals, notes))
