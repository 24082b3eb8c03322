"""Limits on the size of formulas, checked before sympy multiplies them out, which can take hours."""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any, NamedTuple

import sympy
from sympy import Expr

from costcalc.errors import ShapeError

MAX_TERMS = 1000  # of a size multiplied out; those of real networks have fewer than ten
MAX_TERMS_IN_ROUNDING = 32  # sympy asks several times of each whether it is whole
MAX_DEGREE = 4096
MAX_BITS = 4096  # of a coefficient, as for numbers
MAX_ROUNDING_DEPTH = 24  # roundings inside roundings that do not collapse; sympy needs seconds for a hundred


class Measure(NamedTuple):
    """Upper bounds: terms when multiplied out, degree, bits of the largest coefficient, depth of roundings."""

    terms: int
    degree: int
    bits: int
    depth: int


LIMITS = Measure(MAX_TERMS, MAX_DEGREE, MAX_BITS, MAX_ROUNDING_DEPTH)
COUNT_LIMIT = 10**9  # counting stops here


@lru_cache(maxsize=65536)
def measure(x: Expr) -> Measure:
    """The measure of a formula, from the cached measures of its parts."""
    if x.is_Rational:
        return Measure(1, 0, max(int(x.p).bit_length(), int(x.q).bit_length()), 0)
    if not x.args:
        return Measure(1, 1, 1, 0)
    if x.is_Pow and x.args[1].is_Integer:
        return _power(measure(x.args[0]), abs(int(x.args[1])))
    parts = [measure(part) for part in x.args]
    terms, degrees, bits, depths = zip(*parts)
    if x.is_Add:
        return _capped(sum(terms), max(degrees), max(bits) + len(parts).bit_length(), max(depths))
    if x.is_Mul:
        count = 1
        for some in terms:
            count = min(count * some, COUNT_LIMIT)
        return _capped(count, sum(degrees), sum(bits), max(depths))
    return _capped(1 if max(terms) <= MAX_TERMS_IN_ROUNDING else COUNT_LIMIT, max(degrees), max(bits), max(depths) + 1)


def _power(base: Measure, n: int) -> Measure:
    n = min(n, COUNT_LIMIT)
    few = base.terms <= MAX_TERMS and n <= MAX_DEGREE
    terms = 1 if base.terms == 1 else comb(base.terms + n - 1, n) if few else COUNT_LIMIT
    return _capped(terms, base.degree * n, base.bits * n, base.depth)


def _capped(*measures: int) -> Measure:
    return Measure(*(min(one, COUNT_LIMIT) for one in measures))


def check_tractable(x: Any) -> Any:
    """x. Raises ShapeError if sympy cannot work on it in reasonable time."""
    if any(one > limit for one, limit in zip(measure(x), LIMITS)):
        raise ShapeError("a size is too large a formula to work with; set some of its symbols to numbers")
    return x


def expanded(x: Any) -> Expr:
    """x multiplied out. Raises ShapeError as `check_tractable` does."""
    return sympy.expand(check_tractable(x))
