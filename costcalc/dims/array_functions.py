"""Functions of exact arrays that are not operators."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from costcalc.dims.bounds import of_gcd, of_maximum
from costcalc.dims.exact_array import NUMBERS, ExactArray, combine, parts
from costcalc.dims.kinds import canonical, to_exact


def maximum(a: Any, b: Any) -> ExactArray:
    """The larger number at every point."""
    return combine(np.maximum, a, b, of_maximum)


def gcd(a: Any, b: Any) -> ExactArray:
    """The greatest common divisor at every point."""
    return combine(np.gcd, a, b, of_gcd)


def at_least(a: Any, b: Any) -> Any:
    """a ≥ b: True if the bounds show it, else an array of bools."""
    if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
        (_, p, (low, _)), (_, q, (_, high)) = parts(a), parts(b)
        if low * q >= high * p:
            return True
    return a >= b


def one_number(x: ExactArray) -> Any:
    """The number at all points; None if they differ."""
    low, high = x.bounds
    if low == high:
        return canonical(Fraction(low, x.den))
    first = x.num.flat[0]
    return canonical(Fraction(to_exact(first), x.den)) if (x.num == first).all() else None
