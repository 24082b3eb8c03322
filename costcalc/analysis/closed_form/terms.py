"""Sums of products: like terms merged, common factors in front, terms collected by image size.

Multiplies out only where it must: `sympy.factor` takes minutes on a whole model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from math import gcd, lcm
from typing import Any

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from costcalc.dims.expression_limits import expanded

Powers = frozenset[tuple[Any, int]]  # (base, exponent): the symbols, roundings and sums that are multiplied
Sum = dict[Powers, Any]  # powers -> their rational coefficient
Key = Callable[[Any], bool]
UNIT = Integer(1)


def merge_terms(expressions: Iterable[Expr]) -> Sum:
    """The sum of the expressions, like terms merged, in order."""
    total: Sum = {}
    for expression in expressions:
        for term in Add.make_args(expression):
            for powers, coefficient in _split(term):
                total[powers] = total.get(powers, 0) + coefficient
    return {powers: coefficient for powers, coefficient in total.items() if coefficient}


def _split(term: Expr) -> Iterator[tuple[Powers, Any]]:
    """The coefficient and powers of a product; a number times a sum is multiplied out first."""
    if isinstance(term, Mul) and len(term.args) == 2 and term.args[0].is_Rational and isinstance(term.args[1], Add):
        for powers, coefficient in merge_terms([term.args[1]]).items():
            yield powers, coefficient * term.args[0]
        return
    coefficient = Integer(1)
    exponents: dict[Any, int] = {}
    for factor in Mul.make_args(term):
        base, n = (factor.args[0], int(factor.args[1])) if _is_power(factor) else (factor, 1)
        if isinstance(base, Add):
            content, base = base.as_content_primitive()
            if all(part.could_extract_minus_sign() for part in base.args):
                content, base = -content, -base
            coefficient *= content**n
        if base.is_Rational:
            coefficient *= base**n
            continue
        for inner in Mul.make_args(base):
            inner, m = (inner.args[0], int(inner.args[1])) if _is_power(inner) else (inner, 1)
            exponents[inner] = exponents.get(inner, 0) + n * m
    yield frozenset((base, n) for base, n in exponents.items() if n), coefficient


def _is_power(x: Expr) -> bool:
    return isinstance(x, Pow) and bool(x.args[1].is_Integer)


def product(coefficient: Any, powers: Powers, rest: Expr = UNIT) -> Expr:
    """coefficient · powers · rest, without multiplying out."""
    number, rest = rest.as_coeff_Mul()
    coefficient *= number
    factors = [Pow(base, n) for base, n in powers]
    if not factors and isinstance(rest, Add):  # sympy would multiply a number into a sum
        return rest if coefficient == 1 else Mul(coefficient, rest, evaluate=False)
    return Mul(coefficient, *factors, rest)


def common_factor(powers: Iterable[Powers]) -> Powers:
    """The largest product that divides all of them."""
    first, *others = [dict(one) for one in powers]
    shared = {base: min([n, *(one.get(base, 0) for one in others)]) for base, n in first.items()}
    negative = {base: n for one in others for base, n in one.items() if n < 0 and base not in first}
    for base, n in negative.items():
        shared[base] = min([n, *(one.get(base, 0) for one in others), 0])
    return frozenset((base, n) for base, n in shared.items() if n)


def divide(powers: Powers, divisor: Powers) -> Powers:
    """powers / divisor"""
    exponents = dict(powers)
    for base, n in divisor:
        exponents[base] = exponents.get(base, 0) - n
    return frozenset((base, n) for base, n in exponents.items() if n)


def content(total: Sum) -> Any:
    """The largest number that divides every coefficient a whole number of times."""
    values = [Rational(value) for value in total.values()]
    return Rational(reduce(gcd, (abs(int(v.p)) for v in values)), reduce(lcm, (int(v.q) for v in values)))


def factored(total: Sum, keys: tuple[Key, ...] = (), *, numbers: bool = True) -> Expr:
    """The sum with common factors in front (numbers too if `numbers`), and the rest grouped by each key in turn: terms
    with the same powers of the bases that the key selects stand together."""
    if not total:
        return Integer(0)
    shared = common_factor(total)
    number = content(total) if numbers and len(total) > 1 else UNIT
    if len(total) > 1 and all(coefficient < 0 for coefficient in total.values()):
        number = -number
    rest = {divide(powers, shared): coefficient / number for powers, coefficient in total.items()}
    if len(rest) == 1:
        ((powers, coefficient),) = rest.items()
        return product(coefficient * number, shared | powers)
    for i, key in enumerate(keys):
        groups: dict[Powers, Sum] = {}
        for powers, coefficient in rest.items():
            group = frozenset((base, n) for base, n in powers if key(base))
            groups.setdefault(group, {})[divide(powers, group)] = coefficient
        if len(groups) > 1:
            parts = [_grouped(group, inner, keys[i + 1 :], numbers) for group, inner in groups.items()]
            return product(number, shared, Add(*parts))
    return product(number, shared, Add(*(product(coefficient, powers) for powers, coefficient in rest.items())))


def _grouped(group: Powers, inner: Sum, keys: tuple[Key, ...], numbers: bool) -> Expr:
    broken = any(coefficient.q > 1 for coefficient in inner.values())  # r²·(3·w + 1)/2, not halves inside
    return product(1, group, factored(inner, keys, numbers=numbers or broken))


def multiply_out(total: Sum, symbol: Any) -> Sum:
    """The sum as a polynomial in the symbol: every inner sum that contains it is multiplied out."""
    parts = []
    for powers, coefficient in total.items():
        sums = frozenset(
            (base, n) for base, n in powers if isinstance(base, Add) and symbol in base.free_symbols and n > 0
        )
        rest = product(coefficient, divide(powers, sums))
        inside = expanded(product(1, sums))
        parts += [rest * term for term in Add.make_args(inside)]
    return merge_terms(parts)


def grouping_keys(spatial: frozenset[Symbol]) -> tuple[Key, ...]:
    """The grouping of a cost's formula: by image size, then by how often a block is repeated."""
    return (lambda base: not spatial.isdisjoint(base.free_symbols), lambda base: isinstance(base, Add))
