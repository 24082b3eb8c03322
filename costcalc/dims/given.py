"""What was given: telling numbers, letters and columns apart, and refusing everything else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from costcalc.errors import ShapeError
from costcalc.text import value_text

size_text = value_text
LARGEST = 2**31  # no axis of a real network is longer; also keeps hostile numbers small


def is_letter(x: Any) -> bool:
    """Is this a sympy expression? Asked without importing sympy."""
    return hasattr(x, "free_symbols")


def is_column(x: Any) -> bool:
    """Is this a numpy array? Asked without importing numpy."""
    return hasattr(x, "dtype")


def normal(x: Any) -> Any:
    """A Fraction, a sympy number or a numpy scalar that is whole becomes an int; everything else stays."""
    if type(x) is int:
        return x
    if isinstance(x, Fraction) and x.denominator == 1:
        return x.numerator
    if getattr(x, "is_Integer", False):
        return int(x)
    if is_column(x) and x.ndim == 0:
        return x.item()
    if is_letter(x):
        from costcalc.dims.measure import affordable

        return affordable(x)
    return x


def checked(x: Any, what: str, low: int) -> Any:
    """x, if it is a whole number from `low` to `LARGEST`; else a ShapeError naming `what`.

    Letters pass, and so do columns of whole numbers: their values are for the needs of an op to judge.
    """
    x = normal(x)
    if isinstance(x, int) and not isinstance(x, bool):
        if low <= x <= LARGEST:
            return x
    elif is_letter(x):
        return x
    elif is_column(x) and x.dtype.kind in "iuO":
        return x if x.dtype.kind == "O" else x.astype("int64", copy=False)  # the narrower kinds wrap around sooner
    if isinstance(x, (int, Fraction)) and not isinstance(x, bool):
        raise ShapeError(f"{what} must be a whole number from {low} to 2^31, got {shortened(x)}")
    raise ShapeError(f"{what} must be a whole number, got {shortened(x)}")


def shortened(x: Any) -> str:
    """A value in a message, which a hostile one must not fill."""
    if isinstance(x, int) and not isinstance(x, bool) and x.bit_length() > 128:
        return f"{'-' if x < 0 else ''}2^{x.bit_length() - 1} or more"  # str() refuses numbers of 4,300 digits
    text = repr(x) if isinstance(x, bool) or not isinstance(x, (int, Fraction)) else size_text(x)
    return text if len(text) <= 60 else f"{text[:59]}…"
