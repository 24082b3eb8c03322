"""Formulas without floors, for knobs that are multiples of the product of all strides.

`r = 32·k` gives a polynomial in k, `r%32==0` the same in r.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import lcm
from typing import Any, NamedTuple

from sympy import Add, Expr, Rational, ceiling, floor

from costcalc.analysis.closed_form.derive import derive
from costcalc.analysis.closed_form.domain import Bound, Domain
from costcalc.analysis.closed_form.formula import Formula, Term
from costcalc.dims import canonical, ceil, is_array, size_symbol, whole
from costcalc.errors import Place, SpecError, UsageError, shorten, unknown
from costcalc.expressions import parse
from costcalc.models.model import Model
from costcalc.ops.check_needs import assumptions
from costcalc.ops.needs import Divides
from costcalc.text import value_text

SYMBOL_NAMES = "kmqtuvxyz"
MULTIPLE = re.compile(r"\s*(\w+)\s*%\s*([^=]+?)\s*==\s*0\s*")
PRODUCT = re.compile(r"\s*(\w+)\s*=\s*([^=]+?)\s*[*·]\s*([A-Za-z]\w*)\s*")


class Assumption(NamedTuple):
    """A knob is `modulus` times a whole number; with a `symbol` for that number, the formula is in it."""

    knob: str
    modulus: Any
    symbol: str = ""
    real: bool = False  # the knob is; then the text says that the symbol is whole

    def __str__(self) -> str:
        if self.symbol:
            factor = f"{value_text(self.modulus)}·" if self.modulus != 1 else ""
            return f"{self.knob} = {factor}{self.symbol}" + f", {self.symbol} whole" * self.real
        return f"{self.knob} a multiple of {value_text(self.modulus)}" if self.modulus != 1 else f"{self.knob} whole"


def parse_assumption(text: str, formula: Formula) -> Assumption:
    """Reads `r%32==0` or `r=32*k`. Raises UsageError for other texts, UnknownName for a knob that is not free."""
    match = MULTIPLE.fullmatch(text) or PRODUCT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{shorten(text)!r} is no assumption; write r%32==0 for a formula in r, or r=32*k for one in k"
        )
    knob, number, *symbol = match.groups()
    if knob not in formula.knobs:
        raise unknown("free knob", knob, formula.knobs, of=repr(shorten(text)))
    try:
        modulus = parse(number, Place("", 0, 0)).value({})
    except SpecError as error:
        raise UsageError(f"{shorten(text)!r}: {error.problems[0].message}") from None
    if symbol and symbol[0] in _taken(formula):
        raise UsageError(f"{shorten(text)!r}: {symbol[0]} is a knob or a size already; take another symbol")
    if not modulus > 0 or (formula.model.knobs[knob].kind == "integer" and not whole(modulus)):
        raise UsageError(f"{shorten(text)!r}: {knob} can be a multiple of 1, 2, 3, …")
    return Assumption(knob, modulus, symbol[0] if symbol else "", formula.model.knobs[knob].kind == "real")


def _taken(formula: Formula) -> set[str]:
    """The names of knobs and sizes in the formula and its model, as written and as printed."""
    model = formula.model
    sizes = model.architecture.named_sizes(model.values)
    return {*formula.knobs, *model.knobs, *sizes, *formula.display_names.values()}


def default_assumptions(formula: Formula) -> list[Assumption]:
    """For each integer knob that is rounded: that it is a multiple of all its divisors, `r = 32·k`."""
    moduli: dict[str, int] = {}
    for atom in formula.expression.atoms(floor, ceiling):
        for term in Add.make_args(atom.args[0]):
            divisor, symbol = term.as_coeff_Mul()
            if symbol.is_Symbol and symbol.is_integer and divisor.is_Rational and divisor.q > 1:
                moduli[symbol.name] = lcm(moduli.get(symbol.name, 1), int(divisor.q))
    taken = _taken(formula)
    free = [symbol for symbol in SYMBOL_NAMES if symbol not in taken]
    return [Assumption(knob, modulus, symbol) for (knob, modulus), symbol in zip(sorted(moduli.items()), free)]


def floor_free(formula: Formula, assumptions: Sequence[Assumption] | None = None) -> Formula:
    """The formula under assumptions, by default `default_assumptions`, under which its floors vanish."""
    if assumptions is None:
        assumptions = default_assumptions(formula)
    _refuse_clashes(assumptions)
    for assumption in assumptions:
        formula = _under(formula, assumption)
    return formula


def _refuse_clashes(assumptions: Sequence[Assumption]) -> None:
    """Raises UsageError for two assumptions about one knob, or with one symbol."""
    for name, several in Counter(assumption.knob for assumption in assumptions).items():
        if several > 1:
            raise UsageError(f"two assumptions about {name}; say it in one")
    for name, several in Counter(assumption.symbol for assumption in assumptions).items():
        if name and several > 1:
            raise UsageError(f"{name} stands for two things; give each assumption a symbol of its own")


def closed_form(model: Model, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
    """The closed form of a metric in the knobs that are not set, and the one without floors; with assumptions such as
    `r%32==0` or `r=32*k` only the one under them. Raises as `derive` and `parse_assumption` do.
    """
    formula = derive(model, metric)
    if assume:
        texts = [assume] if isinstance(assume, str) else assume
        return floor_free(formula, [parse_assumption(text, formula) for text in texts])
    return replace(formula, simpler=lambda: floor_free(formula) if default_assumptions(formula) else None)


def _under(formula: Formula, assumption: Assumption) -> Formula:
    knob, modulus, symbol, real = assumption
    old = size_symbol(knob, real=formula.model.knobs[knob].kind == "real")
    factor = Rational(modulus.numerator, modulus.denominator)
    times = size_symbol(symbol or f"{knob}_times")
    new, back = (times, {}) if symbol else (old, {times: old / factor})

    def changed(expression: Expr) -> Expr:
        return expression.xreplace({old: factor * times}).xreplace(back)

    now = canonical(Fraction(formula.knobs[knob]) / modulus)
    value = (now if symbol else formula.knobs[knob]) if whole(now) else None
    multiple = {} if symbol and not real else {new.name: 1 if symbol else modulus}
    return replace(
        formula,
        terms=tuple(Term(term.name, changed(term.expression)) for term in formula.terms),
        knobs=dict((new.name, value) if name == knob else (name, other) for name, other in formula.knobs.items()),
        spatial=frozenset(new if size == old else size for size in formula.spatial),
        names={changed(e): name for e, name in formula.names.items() if changed(e).is_Function},
        given=(*formula.given, str(assumption)),
        multiples={**formula.multiples, **multiple},
        polynomial_in=formula.polynomial_in | {new},
        domain_finder=partial(_rescaled, formula, assumption),
        checker=partial(_check, formula, assumption),
    )


def _check(formula: Formula, assumption: Assumption, values: dict[str, Any]) -> None:
    """Raises ShapeError where the assumption, or the formula without it, does not hold."""
    knob, modulus, symbol, _ = assumption
    if symbol:
        values = {**values, knob: canonical(values[symbol] * modulus)}
        del values[symbol]
    else:
        value = values[knob]
        sizes = str(assumption), value if is_array(value) else value_text(value)
        message = "the formula holds for {}, not for {}"
        assumptions([Divides(modulus, value, message=message, message_sizes=sizes)])
    formula.check(values)


def _rescaled(formula: Formula, assumption: Assumption) -> Domain:
    """The domain with the knob's bounds as those of the symbol, or rounded to multiples."""
    knob, modulus, symbol, _ = assumption
    shown = formula.printer.symbol(knob)
    bounds: list[Bound] = []
    for bound in formula.domain.bounds:
        if bound.symbol != shown:
            bounds.append(bound)
            continue
        least, most = ceil(Fraction(bound.low) / modulus), bound.high and bound.high // modulus
        if symbol and (least > 1 or most):
            bounds.append(Bound(symbol, least, most))
        elif not symbol:
            bounds.append(Bound(shown, canonical(least * modulus), most and canonical(most * modulus)))
    return replace(formula.domain, bounds=tuple(bounds))
