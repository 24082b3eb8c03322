"""Sizes with symbols: floors that collapse, and three-valued answers.

Every floor is kept in one canonical form, ⌊(x + c)/m⌋ + q with 0 ≤ c < m, written ⌈x/m⌉ where c = m − 1,
so that nested windows merge as they are built: ⌊(⌊(x + c)/m⌋ + k)/n⌋ = ⌊(x + c + k·m)/(m·n)⌋
(Graham, Knuth and Patashnik, Concrete Mathematics, eq. 3.11).
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache, lru_cache, reduce
from math import gcd as gcd_of
from math import lcm
from typing import Any

import sympy
from sympy import Add, Expr, Function, Integer, Mul, Symbol, ceiling, sympify
from sympy import floor as floor_of

from costcalc.dims import numeric
from costcalc.dims.expression_limits import check_tractable, expanded
from costcalc.errors import ShapeError


@cache
def size_symbol(name: str, real: bool) -> Symbol:
    """One symbol per name and kind: to sympy, symbols with other assumptions are different symbols."""
    return Symbol(name, positive=True) if real else Symbol(name, positive=True, integer=True)


class Multiple(Symbol):  # type: ignore[misc]
    """A size symbol that is known to be a multiple of `step`. It is another symbol than the plain one of its name."""

    __slots__ = ("step",)

    def __new__(cls, symbol: Symbol, step: int) -> Multiple:
        even = {"even": True} if step % 2 == 0 else {}
        self: Multiple = Symbol.__xnew__(cls, symbol.name, integer=True, positive=True, **even)
        self.step = step
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.step)

    def __reduce__(self) -> Any:
        return Multiple, (size_symbol(self.name, False), self.step)


class RoundTo(Function):  # type: ignore[misc]
    """`round_to(x, m)`: see `dims.round_to`. A whole multiple of m, at least m."""

    nargs = 2
    is_integer = True
    is_positive = True

    @classmethod
    def eval(cls, x: Expr, multiple: Expr) -> Expr | None:
        if x.is_Rational and multiple.is_Integer:
            return Integer(numeric.round_to(Fraction(int(x.p), int(x.q)), int(multiple)))
        return x if x.is_positive and multiple.is_positive and whole(x / multiple) is True else None


RoundTo.__name__ = "round_to"  # what sympy prints


def round_to(x: Expr, multiple: Expr) -> Expr:
    x, multiple = sympify(x), sympify(multiple)
    if whole(multiple) is not True or at_least(multiple, 1) is not True:
        raise ShapeError(f"the multiple of round_to must be a whole number from 1, and {multiple} may not be one")
    return RoundTo(x, multiple)


class Gcd(Function):  # type: ignore[misc]
    """`gcd(a, b)` of sizes. sympy's own takes symbols for variables of polynomials and gives 1 for r and 6."""

    nargs = 2
    is_integer = True
    is_positive = True

    @classmethod
    def eval(cls, a: Expr, b: Expr) -> Expr | None:
        if a.is_Integer and b.is_Integer:
            return Integer(gcd_of(int(a), int(b)))
        if divides(a, b) is True:
            return a
        return b if divides(b, a) is True else None


Gcd.__name__ = "gcd"


def gcd(a: Any, b: Any) -> Expr:
    return Gcd(sympify(a), sympify(b))


def ceil(x: Expr) -> Expr:
    return x if x.is_integer else ceiling(x)


def exact_div(a: Any, b: Any) -> Expr:
    return sympify(a) / sympify(b)


def maximum(a: Any, b: Any) -> Expr:
    return sympy.Max(a, b)


def minimum(a: Any, b: Any) -> Expr:
    return sympy.Min(a, b)


@lru_cache(maxsize=65536)
def floor_div(a: Any, b: Any) -> Expr:
    """⌊a / b⌋ in canonical form."""
    a, b = sympify(a), sympify(b)
    if b.is_zero:
        raise ZeroDivisionError("division by zero")
    if not (b.is_Integer and b.is_positive):
        return _floor_by_symbol(a, b)
    modulus = int(b)
    outside, inside, constant = [], [], Integer(0)
    for term in Add.make_args(expanded(a)):
        if term.is_number:
            constant += term
        elif _is_multiple(term, modulus):
            outside.append(term / modulus)
        else:
            inside.append(term)
    if not constant.is_Integer:
        return Add(*outside) + floor_of((Add(*inside) + constant) / modulus)
    return Add(*outside) + _floor(Add(*inside), int(constant), modulus)


def _floor_by_symbol(a: Expr, b: Expr) -> Expr:
    """⌊a/b⌋; for whole b ⌊(⌊x/m⌋ + k)/b⌋ = ⌊(x + k·m)/(m·b)⌋, as for numbers."""
    atoms = [term for term in Add.make_args(a) if isinstance(term, (floor_of, ceiling))]
    if len(atoms) == 1 and b.is_integer and b.is_positive and (a - atoms[0]).is_integer:
        x, m = sympy.fraction(sympy.together(atoms[0].args[0]))
        if m.is_integer and m.is_positive and (x.is_integer or isinstance(atoms[0], floor_of)):
            up = m - 1 if isinstance(atoms[0], ceiling) else 0
            a, b = x + up + (a - atoms[0]) * m, m * b
    quotient = expanded(a / b)
    return quotient if quotient.is_integer else check_tractable(floor_of(quotient))


def _floor(x: Expr, c: int, m: int) -> Expr:
    """⌊(x + c)/m⌋ for an expression x without constant term."""
    if x == 0:
        return Integer(c // m)
    shared = reduce(gcd_of, (_content(term) for term in Add.make_args(x)), m)
    if shared > 1 and (x / shared).is_integer:
        x, c, m = expanded(x / shared), c // shared, m // shared
    inner = _parts(x) if isinstance(x, (floor_of, ceiling)) else None
    if inner is not None:
        within, k, n = inner
        return _floor(within, k + c * n, n * m)
    q, c = divmod(c, m)
    if m == 1:
        return (x if x.is_integer else floor_of(x)) + q
    if c == m - 1 and x.is_integer:
        return ceiling(x / m) + q
    return floor_of((x + c) / m) + q


def _content(term: Expr) -> int:
    coefficient = term.as_coeff_Mul()[0]
    return abs(int(coefficient)) if coefficient.is_Integer else 1


@lru_cache(maxsize=65536)
def _parts(atom: Expr) -> tuple[Expr, int, int] | None:
    """(x, c, m) of an atom that equals ⌊(x + c)/m⌋, or None if it has no such form."""
    (argument,) = atom.args
    terms = Add.make_args(expanded(argument))
    m = lcm(*(int(term.as_coeff_Mul()[0].q) for term in terms if term.as_coeff_Mul()[0].is_Rational))
    constant = sum((term for term in terms if term.is_number), Integer(0)) * m
    x = Add(*(term * m for term in terms if not term.is_number))
    if not constant.is_Integer:
        return None
    if isinstance(atom, ceiling):
        return (x, int(constant) + m - 1, m) if x.is_integer else None
    return x, int(constant), m


def _is_multiple(term: Expr, modulus: int) -> bool:
    if (term / modulus).is_integer:
        return True
    known, rest = term.as_coeff_Mul()  # `known` collects factors that divide the term
    if not known.is_Rational:
        return False
    for factor in Mul.make_args(rest):
        if isinstance(factor, RoundTo) and factor.args[1].is_Integer:
            known *= factor.args[1]
        elif isinstance(factor.as_base_exp()[0], Multiple):
            base, power = factor.as_base_exp()
            known *= base.step**power if power.is_Integer else 1
        elif not factor.is_integer:
            return False
    return bool((known / modulus).is_integer)


def whole(x: Expr) -> bool | None:
    """x is a whole number."""
    answer: bool | None = x.is_integer
    if answer is None:
        numerator, denominator = x.as_numer_denom()
        if denominator.is_Integer and all(_is_multiple(t, int(denominator)) for t in Add.make_args(numerator)):
            return True
    return answer


def divides(b: Any, a: Any) -> bool | None:
    return True if b == 1 else whole(sympify(a) / sympify(b))  # sizes are whole: `check_size` sees to it


@lru_cache(maxsize=65536)
def at_least(a: Any, b: Any) -> bool | None:
    difference = expanded(sympify(a) - sympify(b))
    if difference.is_nonnegative is not None:
        return bool(difference.is_nonnegative)
    if _least(difference) >= 0:
        return True
    return False if _least(-difference) > 0 else None


def _least(x: Expr) -> Any:
    """A lower bound of x: a factor is at least 0, a positive integer 1, round_to(x, m) m."""
    if isinstance(x, Add):
        return sum(map(_least, x.args))
    coefficient, rest = x.as_coeff_Mul()
    if rest == 1:
        return coefficient
    if coefficient < 0 or not rest.is_nonnegative:
        return -sympy.oo
    return coefficient * Mul(*map(_least_factor, Mul.make_args(rest)))


def _least_factor(x: Expr) -> Any:
    if isinstance(x, RoundTo) and x.args[1].is_Integer:
        return x.args[1]
    if isinstance(x, Multiple):
        return x.step
    return 1 if x.is_integer and x.is_positive else 0


@lru_cache(maxsize=65536)
def equal(a: Any, b: Any) -> bool | None:
    difference = sympify(a) - sympify(b)
    difference = difference if difference.is_Atom else expanded(difference)
    if difference == 0:
        return True
    if difference.is_nonzero or _least(difference) > 0 or _least(-difference) > 0:
        return False
    return None
