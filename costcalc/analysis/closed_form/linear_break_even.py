"""At which value of a knob two costs are equal, for knobs in which both costs are linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Add, Expr, Integer, Pow, Symbol

from costcalc.analysis.closed_form.terms import Sum, common_factor, divide, factored, merge_terms, product
from costcalc.dims.substitute import substitute


@dataclass(frozen=True)
class LinearBreakEven:
    """The value of a knob at which two cost the same: the first costs less while `knob` `sign` `expression`."""

    knob: str
    sign: str  # "<" or ">"
    expression: Expr
    value: Any  # the expression at the current settings, an int or a Fraction
    current: Any  # the knob now


def quotient(over: Sum, under: Sum) -> Expr:
    """over / under: term by term if `under` is one product, else one fraction."""
    if len(under) == 1:
        ((powers, number),) = under.items()
        return Add(*(product(n / number, divide(p, powers)) for p, n in over.items()))
    return factored(over) * Pow(factored(under), -1)


def break_evens(over: Sum, under: Sum, knobs: dict[str, Any]) -> list[LinearBreakEven]:
    """Where over = under, for each knob in which `over` is linear and `under` constant; without such a knob, for those
    in which both are linear."""
    found = []
    for name in knobs:
        first, second = _linear(over, name), _linear(under, name)
        if first is None or second is None:
            continue
        (a, b), (c, d) = first, second  # over = a·x + b, under = c·x + d
        slope = merge_terms([factored(a), -factored(c)])
        even = _even(name, slope, merge_terms([factored(d), -factored(b)]), knobs) if slope else None
        if even is not None:
            found.append((bool(c), even))
    simple = [even for mixed, even in found if not mixed]
    return simple or [even for _, even in found]


def _linear(total: Sum, name: str) -> tuple[Sum, Sum] | None:
    """(a, b) with total = a·x + b for the knob x; None if the total is not linear in x."""
    a: Sum = {}
    b: Sum = {}
    for powers, number in total.items():
        inside = {base: n for base, n in powers if name in {symbol.name for symbol in base.free_symbols}}
        if not inside:
            b[powers] = number
        elif len(inside) == 1 and isinstance(next(iter(inside)), Symbol) and set(inside.values()) == {1}:
            a[divide(powers, frozenset(inside.items()))] = number
        else:
            return None
    return a, b


def _even(name: str, slope: Sum, rest: Sum, knobs: dict[str, Any]) -> LinearBreakEven | None:
    """slope·x < rest, solved for x; None if at the current settings every or no positive x is a solution."""
    steep = substitute(factored(slope), knobs)
    if steep == 0 or not rest:
        return None
    sign = Integer(1 if steep > 0 else -1)
    slope, rest = ({powers: sign * n for powers, n in one.items()} for one in (slope, rest))
    shared = common_factor([*slope, *rest])
    expression = quotient(*({divide(p, shared): n for p, n in one.items()} for one in (rest, slope)))
    value = substitute(expression, knobs)
    return LinearBreakEven(name, "<" if steep > 0 else ">", expression, value, knobs[name]) if value > 0 else None
