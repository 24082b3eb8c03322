"""Bounds of the integers in an array, so that no int64 operation wraps around.

Every operation computes the bounds of its result in Python ints first, and so knows whether the result fits int64.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import mul
from typing import Any

INT64_LIMIT = 2**63  # an int64 is less

Bounds = tuple[int, int]  # no number is less than the first or greater than the second


def fit_int64(bounds: Bounds) -> bool:
    """Do all numbers within the bounds, and their negatives, fit into int64?"""
    return bounds[0] > -INT64_LIMIT and bounds[1] < INT64_LIMIT


def of_sum(m: Bounds, n: Bounds) -> Bounds:
    """x + y"""
    return m[0] + n[0], m[1] + n[1]


def of_maximum(m: Bounds, n: Bounds) -> Bounds:
    """max(x, y)"""
    return max(m[0], n[0]), max(m[1], n[1])


def of_gcd(m: Bounds, n: Bounds) -> Bounds:
    """gcd(x, y)"""
    return 0, max(*map(abs, m), *map(abs, n))


def of_product(m: Bounds, n: Bounds) -> Bounds:
    """x · y"""
    if m[0] >= 0 <= n[0]:  # sizes
        return m[0] * n[0], m[1] * n[1]
    corners = [x * y for x in m for y in n]
    return min(corners), max(corners)


def of_floor(m: Bounds, n: Bounds) -> Bounds:
    """⌊x / y⌋, where y is whole and not 0: 1 or more, or -1 or less."""
    divisors = n if n[0] > 0 or n[1] < 0 else (min(n[0], -1), -1, 1, max(n[1], 1))
    corners = [x // y for x in m for y in divisors]
    return min(corners), max(corners)


def of_power(m: Bounds, n: int) -> Bounds:
    """x ** n for n of at least 0"""
    most = max(-m[0], m[1]) ** n
    return (m[0] ** n if m[0] >= 0 else -most), most


def apply_within(operation: Callable[..., Any], a: Any, b: Any, bounds: Bounds) -> Any:
    """The operation on arrays or ints, in int64 if operands and result fit by their bounds, else in Python ints."""
    if fit_int64(bounds) and _is_int64(a) and _is_int64(b):
        return operation(a, b)
    return operation(to_python_ints(a), to_python_ints(b))


def scale(x: Any, bounds: Bounds, factor: int) -> tuple[Any, Bounds]:
    """Numbers times a positive factor, and the bounds of the result."""
    if factor == 1:
        return x, bounds
    bounds = bounds[0] * factor, bounds[1] * factor
    return apply_within(mul, x, factor, bounds), bounds


def to_python_ints(x: Any) -> Any:
    """The numbers as Python ints."""
    return x if isinstance(x, int) else x.astype(object)


def _is_int64(x: Any) -> bool:
    return -INT64_LIMIT < x < INT64_LIMIT if isinstance(x, int) else not x.dtype.hasobject
