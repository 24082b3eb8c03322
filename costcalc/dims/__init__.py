"""Sizes, in one arithmetic for numbers, letters and columns.

A size is an int, a sympy expression (a letter) or a numpy column of ints; a knob may also be a
Fraction. Rules are written with `+ - *` and the functions below, and work on all of them alike.
This room is the only one that knows which kind it was given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from costcalc.dims.shown import Shown
from costcalc.errors import ShapeError

if TYPE_CHECKING:
    from types import ModuleType

Size: TypeAlias = Any  # int | Fraction | sympy.Expr | numpy.ndarray: see the module's docstring
Shape: TypeAlias = tuple[Size, ...]
Truth: TypeAlias = Any  # True | False | None (a letter cannot tell) | a column of bools

LARGEST = 2**31  # no axis of a real network is longer; also keeps hostile numbers small

__all__ = [
    "LARGEST", "Shape", "Shown", "Size", "Truth", "at_least", "ceil", "ceil_div", "divides", "elements", "equal",
    "exact_div", "floor", "floor_div", "is_column", "is_letter", "is_zero", "maximum", "minimum", "normal", "prod",
    "round_to", "same_shape", "size_symbol", "whole", "windows",
]  # fmt: skip


def is_letter(x: Size) -> bool:
    """Is this a sympy expression? Asked without importing sympy."""
    return hasattr(x, "free_symbols")


def is_column(x: Size) -> bool:
    """Is this a numpy array? Asked without importing numpy."""
    return hasattr(x, "dtype")


def _letters() -> ModuleType:
    from costcalc.dims import letters  # sympy takes longer to import than most commands to run

    return letters


def size_symbol(name: str, *, real: bool = False) -> Size:
    """The letter of that name: positive, and an integer unless `real`. The only maker of letters."""
    return _letters().size_symbol(name, real)


def prod(sizes: Iterable[Size]) -> Size:
    """The product of sizes; 1 for none."""
    return math.prod(sizes)


def elements(shape: Shape) -> Size:
    """How many numbers a tensor of this shape holds."""
    if shape and type(shape[0]) is Shown:
        return Shown.elements(shape)
    return math.prod(shape)


def floor_div(a: Size, b: Size) -> Size:
    """⌊a / b⌋"""
    if is_letter(a) or is_letter(b):
        return _letters().floor_div(a, b)
    return a // b


def ceil_div(a: Size, b: Size) -> Size:
    """⌈a / b⌉ of whole numbers"""
    return floor_div(a + b - 1, b)


def floor(x: Size) -> Size:
    """⌊x⌋"""
    return floor_div(x, 1)


def ceil(x: Size) -> Size:
    """⌈x⌉"""
    return _letters().ceil(x) if is_letter(x) else -(-x // 1)


def exact_div(a: Size, b: Size) -> Size:
    """a / b, where b divides a: an op says so in its needs."""
    if is_letter(a) or is_letter(b):
        return _letters().exact_div(a, b)
    if type(a) is Shown or type(b) is Shown:
        return Shown.quotient(a, b)
    return a // b


def round_to(x: Size, multiple: Size) -> Size:
    """max(m, m·⌊x/m + 1/2⌋), and one m more where that would lose over 10 % of x.

    The width rounding of MobileNet and EfficientNet (`round_filters`, `_make_divisible`).
    """
    if is_letter(x) or is_letter(multiple):
        return _letters().round_to(x, multiple)
    rounded = maximum(multiple, floor_div(2 * x + multiple, 2 * multiple) * multiple)
    return rounded + multiple * (10 * rounded < 9 * x)


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes; point by point on columns."""
    if is_letter(a) or is_letter(b):
        return _letters().maximum(a, b)
    if is_column(a) or is_column(b):
        import numpy

        return numpy.maximum(a, b)
    return max(a, b)


def minimum(a: Size, b: Size) -> Size:
    """The smaller of two sizes; point by point on columns."""
    return -maximum(-a, -b)


def windows(size: Size, kernel: Size, stride: Size, padding: Size, dilation: Size = 1) -> Size:
    """⌊(size + 2·padding − dilation·(kernel−1) − 1) / stride⌋ + 1, or ⌈size / stride⌉ for padding 'same'.

    Padding 'same' is TensorFlow's: as many zeros as keep every stride-th position, the odd one at the end.
    """
    if padding == "same":
        return size if type(stride) is int and stride == 1 else ceil_div(size, stride)
    if padding == "valid":
        padding = 0
    return floor_div(size + 2 * padding - dilation * (kernel - 1) - 1 + stride, stride)


def at_least(a: Size, b: Size) -> Truth:
    """a ≥ b"""
    if is_letter(a) or is_letter(b):
        return _letters().at_least(a, b)
    return a >= b


def equal(a: Size, b: Size) -> Truth:
    """a = b"""
    if is_letter(a) or is_letter(b):
        return _letters().equal(a, b)
    return a == b


def is_zero(x: Size) -> Truth:
    """x = 0: True, False, or None where a letter cannot tell."""
    return equal(x, 0)


def divides(b: Size, a: Size) -> Truth:
    """a is a whole multiple of b"""
    if is_letter(a) or is_letter(b):
        return _letters().whole(a / b)
    return a % b == 0


def whole(x: Size) -> Truth:
    """x is a whole number"""
    if type(x) is int:
        return True
    return _letters().whole(x) if is_letter(x) else x % 1 == 0


def same_shape(a: Shape, b: Shape) -> Truth:
    """All axes equal: False if one differs, None if a letter leaves it open."""
    if a == b:
        return True
    if len(a) != len(b):
        return False
    answer: Truth = True
    for x, y in zip(a, b, strict=True):
        here = equal(x, y)
        if here is False:
            return False
        if here is not True:
            answer = here if answer is True else answer
    return answer


def normal(x: Size) -> Size:
    """A Fraction that is whole becomes an int; everything else stays."""
    return x.numerator if isinstance(x, Fraction) and x.denominator == 1 else x


def size_text(x: Size) -> str:
    """A size as it stands in a message."""
    return str(x) if not isinstance(x, Fraction) else f"{float(x):.12g}"


def checked(x: Size, what: str, low: int) -> Size:
    """x, if it is a whole number from `low` to `LARGEST` (letters pass); else a ShapeError naming `what`."""
    if type(x) is int:
        if low <= x <= LARGEST:
            return x
    elif is_letter(x) or is_column(x) or (isinstance(x, int) and not isinstance(x, bool)):
        return x
    raise ShapeError(
        f"{what} must be a whole number from {low} to 2^31, got {size_text(x)[:40]}"
        if isinstance(x, (int, Fraction)) and not isinstance(x, bool)
        else f"{what} must be a whole number, got {x!r}"[:120]
    )
