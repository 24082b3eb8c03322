"""Tells numbers, symbols and arrays apart, and gives each its canonical form."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from costcalc.errors import shorten
from costcalc.text import value_text

MAX_SIZE = 2**31  # no axis of a real network is longer; also keeps hostile numbers small


def is_rational(x: Any) -> bool:
    """Is this a plain number, and neither a symbol nor an array?"""
    return isinstance(x, (int, Fraction))


def is_symbolic(x: Any) -> bool:
    """Is this a sympy expression? Asked without importing sympy."""
    return hasattr(x, "free_symbols")


def is_array(x: Any) -> bool:
    """Is this a numpy array? Asked without importing numpy."""
    return hasattr(x, "dtype")


def canonical(x: Any) -> Any:
    """An int for a whole Fraction, sympy number or numpy scalar; anything else unchanged."""
    if type(x) is int:
        return x
    if is_array(x):
        return canonical(x.item()) if x.ndim == 0 else x
    if isinstance(x, Fraction) and x.denominator == 1:
        return x.numerator
    if getattr(x, "is_Integer", False):
        return int(x)
    if is_symbolic(x):
        from costcalc.dims.expression_limits import check_tractable

        return check_tractable(x)
    return x


def to_exact(x: Any) -> Any:
    """The canonical form of x; a finite float is read as its decimal digits."""
    x = x.item() if is_array(x) and x.ndim == 0 else x
    return canonical(Fraction(str(x)) if isinstance(x, float) and math.isfinite(x) else x)


def clip(x: Any) -> str:
    """A value as text for a message, cut if long."""
    if hasattr(x, "bounds"):  # an ExactArray: the reader did not write its numbers
        return f"an array of {x.size:,} values"
    if isinstance(x, int) and not isinstance(x, bool) and x.bit_length() > 128:
        return f"{'-' if x < 0 else ''}2^{x.bit_length() - 1} or more"  # str() refuses numbers of 4,300 digits
    text = repr(x) if isinstance(x, bool) or not isinstance(x, (int, Fraction)) else value_text(x)
    return shorten(text)
