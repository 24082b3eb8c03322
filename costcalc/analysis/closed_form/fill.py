"""Numbers put into a formula: exact, by the same functions that count numbers. `subs` takes 400 times as long."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

from sympy import Add, Expr, Max, Min, Mul, Pow, Symbol, ceiling, floor, sympify

from costcalc import dims
from costcalc.dims.letters import Gcd, RoundTo
from costcalc.errors import ShapeError, UsageError

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    Add: lambda *values: sum(values),
    Mul: lambda *values: math.prod(values),
    Pow: lambda base, n: Fraction(base) ** n if n < 0 else base**n,
    floor: dims.floor,
    ceiling: dims.ceil,
    RoundTo: dims.round_to,
    Gcd: lambda a, b: dims.gcd(dims.normal(a), dims.normal(b)),
    Max: lambda *values: reduce(dims.maximum, values),
    Min: lambda *values: reduce(dims.minimum, values),
}


def fill(formula: Any, values: Mapping[str, Any], known: dict[Any, Any] | None = None) -> Any:
    """The number a formula is at these values of its letters: an int, or a Fraction if it is not whole.

    Values are ints or Fractions. Several formulas filled with the same values may share `known`.
    Raises UsageError for a letter without a value, ShapeError for a division by zero.
    """
    try:
        return dims.normal(_filled(sympify(formula), values, {} if known is None else known))
    except ZeroDivisionError:
        raise ShapeError("the formula divides by zero there") from None


def _filled(x: Expr, values: Mapping[str, Any], known: dict[Any, Any]) -> Any:
    if x.is_Integer:
        return int(x)
    if x in known:
        return known[x]
    if isinstance(x, Symbol):
        value = _value(x.name, values)
    elif x.is_Rational:
        value = Fraction(int(x.p), int(x.q))
    else:
        value = FUNCTIONS[x.func](*[_filled(part, values, known) for part in x.args])
    known[x] = value
    return value


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise UsageError(f"the formula has no value for {name!r}; give one: {name}=…")
    return values[name]
