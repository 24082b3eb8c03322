"""Sizes: one arithmetic for numbers, symbols and arrays.

A size is an int, a sympy expression or an exact array of ints; a knob may also be a Fraction. Rules are written with
`+ - *` and the functions below, which work on all of them alike: only this room knows which kind it was given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from costcalc.dims import numeric
from costcalc.dims.factored_int import FactoredInt
from costcalc.dims.kinds import MAX_SIZE, canonical, clip, is_array, is_rational, is_symbolic, to_exact
from costcalc.dims.size_checks import at_first_point, check_size, first_failure, to_exact_array
from costcalc.errors import PointsDiffer, UsageError

if TYPE_CHECKING:
    from types import ModuleType

Size: TypeAlias = Any  # int | Fraction | sympy.Expr | numpy.ndarray: see the module's docstring
Shape: TypeAlias = tuple[Size, ...]
Truth: TypeAlias = Any  # True | False | None (symbols leave it undecided) | an array of bools

__all__ = [
    "MAX_SIZE", "FactoredInt", "Shape", "Size", "SizedShape", "Truth", "all_of", "at_first_point", "at_least",
    "broadcast_size", "broadcasts", "canonical", "ceil", "ceil_div", "check_size", "clip", "divides", "elements",
    "equal", "exact_div", "first_failure", "floor", "floor_div", "gcd", "is_array", "is_rational", "is_symbolic",
    "is_zero", "maximum", "minimum", "multiple_symbol", "one_number", "one_truth", "output_size", "prod", "round_to",
    "same_shape", "size_symbol", "to_exact", "to_exact_array", "whole",
]  # fmt: skip


def _symbolic() -> ModuleType:
    from costcalc.dims import symbolic  # sympy takes longer to import than most commands to run

    return symbolic


def size_symbol(name: str, *, real: bool = False) -> Size:
    """The symbol of that name: positive, and an integer unless `real`. All symbols are made here."""
    return _symbolic().size_symbol(name, real)


def multiple_symbol(symbol: Size, step: int) -> Size:
    """A symbol of the same name that is known to be a multiple of `step`, so that roundings vanish."""
    return _symbolic().Multiple(symbol, step)


def prod(sizes: Iterable[Size]) -> Size:
    """The product of sizes; 1 for none."""
    return math.prod(sizes)


def elements(shape: Shape) -> Size:
    """The number of elements of a tensor of this shape."""
    if type(shape) is SizedShape:
        return shape.elements
    if shape and type(shape[0]) is FactoredInt:
        return FactoredInt.elements(shape)
    return math.prod(shape)


class SizedShape(tuple[Size, ...]):
    """A shape with its number of elements cached: every metric reads it, and arrays multiply slowly."""

    elements: Size

    @classmethod
    def of(cls, shape: Shape, elements: Size) -> SizedShape:
        """The shape, with its number of elements."""
        self = cls(shape)
        self.elements = elements
        return self


def floor_div(a: Size, b: Size) -> Size:
    """⌊a / b⌋"""
    if type(a) is int is type(b):  # the common case, first: every layer calls these functions
        return a // b
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().floor_div(a, b)
    return a // b


def ceil_div(a: Size, b: Size) -> Size:
    """⌈a / b⌉ of whole numbers"""
    if _is_1(b):
        return a
    return floor_div(a + b - 1, b)


def floor(x: Size) -> Size:
    """⌊x⌋"""
    return floor_div(x, 1)


def ceil(x: Size) -> Size:
    """⌈x⌉"""
    return _symbolic().ceil(x) if is_symbolic(x) else -(-x // 1)


def exact_div(a: Size, b: Size) -> Size:
    """a / b, where b divides a: a need of the op says so."""
    if type(a) is int is type(b):
        return a // b
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().exact_div(a, b)
    if type(a) is FactoredInt or type(b) is FactoredInt:
        return FactoredInt.quotient(a, b)
    return a // b


def round_to(x: Size, multiple: Size) -> Size:
    """max(m, m·⌊x/m + 1/2⌋), and one m more where that would lose over 10 % of x.

    The width rounding of MobileNet and EfficientNet (`round_filters`, `_make_divisible`). Raises ShapeError unless the
    multiple is known to be a whole number from 1: else the result might not be whole.
    """
    multiple = check_size(multiple, "the multiple of round_to", 1)
    if is_symbolic(x) or is_symbolic(multiple):
        return _symbolic().round_to(x, multiple)
    return numeric.round_to(x, multiple)


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes; point by point on arrays."""
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().maximum(a, b)
    return numeric.maximum(a, b)


def minimum(a: Size, b: Size) -> Size:
    """The smaller of two sizes; point by point on arrays."""
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().minimum(a, b)
    return -maximum(-a, -b)


def gcd(a: Size, b: Size) -> Size:
    """The greatest common divisor of two sizes."""
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().gcd(a, b)
    if is_array(a) or is_array(b):
        return numeric.arrays().gcd(a, b)
    return math.gcd(a, b)


def output_size(size: Size, kernel: Size, stride: Size, padding: Size, dilation: Size = 1) -> Size:
    """The output size of a convolution along one spatial axis.

    ⌊(size + 2·padding − dilation·(kernel−1) − 1) / stride⌋ + 1, or ⌈size / stride⌉ for padding 'same'.

    Padding 'same' is TensorFlow's: it keeps every stride-th position, and an odd zero is at the end.
    """
    if padding.__class__ is str:
        return ceil_div(size, stride)
    return floor_div(size + 2 * padding - dilation * (kernel - 1) - 1 + stride, stride)


def at_least(a: Size, b: Size) -> Truth:
    """a ≥ b"""
    if type(a) is int is type(b):
        return a >= b
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().at_least(a, b)
    return numeric.arrays().at_least(a, b) if is_array(a) or is_array(b) else a >= b


def equal(a: Size, b: Size) -> Truth:
    """a = b"""
    if a is b:
        return True
    if type(a) is int is type(b):
        return a == b
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().equal(a, b)
    return a == b


def is_zero(x: Size) -> Truth:
    """x = 0"""
    return equal(x, 0)


def divides(b: Size, a: Size) -> Truth:
    """a is a whole multiple of b"""
    if type(a) is int is type(b):
        return a % b == 0
    if is_symbolic(a) or is_symbolic(b):
        return _symbolic().divides(b, a)
    if _is_1(b):
        return whole(a)
    return a % b == 0


def whole(x: Size) -> Truth:
    """x is a whole number"""
    if type(x) is int:
        return True
    if is_symbolic(x):
        return _symbolic().whole(x)
    return getattr(x, "is_whole", False) or x % 1 == 0


def all_of(truths: Iterable[Truth]) -> Truth:
    """Do all hold? False if one does not, else None if one is undecided; point by point on arrays."""
    answer: Truth = True
    for truth in truths:
        if truth is False:
            return False
        answer = None if answer is None or truth is None else answer & truth
    return answer


def one_truth(truth: Any) -> bool | None:
    """The truth that all points of an array share; None if they differ."""
    if truth is True or truth is False:
        return truth
    return True if truth.all() else None if truth.any() else False


def decided(truth: Truth, what: str) -> bool:
    """The truth of all points, for a rule that must know. Raises UsageError, about `what`, where symbols leave it
    undecided, PointsDiffer where points of an array differ."""
    if truth is None:
        raise UsageError(f"{what} depends on symbols: set them")
    one = one_truth(truth)
    if one is None:
        raise PointsDiffer(truth, f"{what} differs between points of an array")
    return one


def one_number(x: Size) -> Size:
    """The number that all points of an array share, None if they differ; numbers and symbols unchanged."""
    return numeric.arrays().one_number(x) if is_array(x) else x


def same_shape(a: Shape, b: Shape) -> Truth:
    """All axes are equal."""
    return len(a) == len(b) and all_of(map(equal, a, b))


def broadcasts(a: Size, b: Size) -> Truth:
    """Two axes may meet in an elementwise operation: they are equal or one of them is 1."""
    if a is b or _is_1(a) or _is_1(b):
        return True
    if is_array(a) or is_array(b):
        return (a == b) | (a == 1) | (b == 1)
    return equal(a, 1) is True or equal(b, 1) is True or equal(a, b)


def broadcast_size(a: Size, b: Size) -> Size:
    """The size to which two axes broadcast: b where a is 1, else a."""
    if a is b or _is_1(b):
        return a
    if _is_1(a):
        return b
    if is_array(a) or is_array(b):
        return a + (b - a) * (a == 1)
    return b if equal(a, 1) is True else a


def _is_1(x: Size) -> bool:
    return type(x) is int and x == 1
