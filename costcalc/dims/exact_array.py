"""Arrays of exact numbers, in int64 where that cannot wrap around.

An array is `num / den`: a numpy array over one integer, with bounds on all entries of num (bounds.py). Results that
might not fit int64 are computed in Python ints, which is slower: nothing wraps and nothing is rounded. A comparison
that the bounds decide does not read the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from operator import add, eq, floordiv, ge, gt, le, lt, mul, ne
from typing import Any

import numpy as np

from costcalc.dims.bounds import (
    Bounds,
    apply_within,
    fit_int64,
    of_floor,
    of_power,
    of_product,
    of_sum,
    scale,
    to_python_ints,
)
from costcalc.dims.kinds import canonical, is_rational, to_exact
from costcalc.dims.shared_products import product

Array = Any  # numpy.ndarray of int64, of bools, or of Python's ints and Fractions
Parts = tuple[Any, int, Bounds]  # num (an array or an int), den, bounds of num


def _comparison(sign: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def compared(a: Any, b: Any) -> Any:
        if isinstance(b, str):  # as padding may be
            return NotImplemented
        (x, _), (y, _), _ = _alike(a, b)
        return sign(x, y)

    return compared


class ExactArray:
    """Exact numbers with the operators of sizes. A comparison gives an array of bools; shapes broadcast as in numpy."""

    __slots__ = ("bounds", "den", "num")
    __array_ufunc__ = None  # so that a numpy array of bools times this is exact
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, num: Array, den: int = 1, bounds: Bounds | None = None):
        self.num, self.den = num, den
        self.bounds = bounds or (floor(to_exact(num.min())), ceil(to_exact(num.max())))

    @classmethod
    def of(cls, values: Iterable[Any], shape: tuple[int, ...] | None = None) -> ExactArray:
        """An array of ints, Fractions, and floats read as their decimal digits. Raises TypeError for anything else."""
        numbers = [to_exact(value) for value in values]
        for number in numbers:
            if not is_rational(number) or isinstance(number, bool):
                raise TypeError(f"no exact number: {number!r}")
        den = lcm(*(number.denominator for number in numbers))
        nums = [number.numerator * (den // number.denominator) for number in numbers]
        bounds = min(nums, default=0), max(nums, default=0)
        num = np.empty(len(nums), dtype=np.int64 if fit_int64(bounds) else object)
        num[:] = nums
        return cls(num.reshape(shape or num.shape), den, bounds)

    # ---- attributes as numpy's

    @property
    def dtype(self) -> Any:
        """The numpy type of its numerators."""
        return self.num.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.num.shape  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(self.num.size)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return int(self.num.ndim)

    def reduced(self) -> ExactArray:
        """The same numbers; over 1 if all of them are whole."""
        if self.den == 1 or (self.num % self.den).any():
            return self
        return _floor(self, 1)

    @property
    def is_whole(self) -> bool:
        """Is it known, without reading the numbers, that all are whole? Arrays of objects may hold Fractions."""
        return self.den == 1 and not self.num.dtype.hasobject

    def are_within(self, low: int, high: int) -> bool:
        """Do the bounds show that no number is below `low` or above `high`?"""
        return low * self.den <= self.bounds[0] and self.bounds[1] <= high * self.den

    def first(self, truth: Any) -> Any:
        """The first number at which an array of bools of its shape is True; None if it is nowhere."""
        at = np.flatnonzero(truth)
        return self.at(np.unravel_index(at[0], self.shape), self.shape) if len(at) else None

    def at(self, point: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        """The number at a point of the shape to which it broadcasts."""
        return canonical(Fraction(to_exact(np.broadcast_to(self.num, shape)[point]), self.den))

    def values(self) -> Array:
        """A numpy array: of int64 if the numbers are whole and fit, else of Python's ints and Fractions."""
        if self.den == 1:
            return self.num
        numbers = _fractions(self)
        numbers.ravel()[:] = [canonical(number) for number in numbers.ravel()]
        return numbers

    def __getitem__(self, point: Any) -> Any:
        return self.values()[point]

    def __len__(self) -> int:
        return len(self.num)

    def tolist(self) -> Any:
        """The numbers as nested lists of ints and Fractions."""
        return self.values().tolist()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return np.array(self.values(), dtype=dtype)

    def __repr__(self) -> str:
        text = ", ".join(str(x) for x in self.values().ravel()[:3])
        return f"<array of {self.num.size}: {text}{', …' if self.num.size > 3 else ''}>"

    # ---- arithmetic

    def __add__(self, other: Any) -> Any:
        return self if other.__class__ is int and other == 0 else combine(add, self, other, of_sum)  # sums start with 0

    __radd__ = __add__

    def __neg__(self) -> ExactArray:
        low, high = self.bounds
        return ExactArray(-self.num, self.den, (-high, -low))

    def __sub__(self, other: Any) -> Any:
        return self + (-other if isinstance(other, NUMBERS) else ExactArray(-_as_int64(other)))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if other.__class__ is int and other == 1:  # products start with 1
            return self
        return product(self, other, _multiply)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, ExactArray):
            quotients = _fractions(self) / _fractions(other)
            return ExactArray.of(quotients.ravel(), quotients.shape)
        return self * (1 / Fraction(other))

    def __rtruediv__(self, other: Any) -> Any:
        return ExactArray.of([other]) / self

    def __floordiv__(self, other: Any) -> Any:
        if other.__class__ is int and other == 1 and self.is_whole:
            return self
        return _floor(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _floor(other, self)

    def __mod__(self, other: Any) -> Any:
        return self - self // other * other

    def __rmod__(self, other: Any) -> Any:
        return other - other // self * self

    def __pow__(self, n: int) -> Any:
        if n < 0:
            return ExactArray.of([1]) / self**-n
        bounds = of_power(self.bounds, n)
        return ExactArray(apply_within(pow, self.num, n, bounds), self.den**n, bounds)

    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = map(_comparison, (eq, ne, lt, le, gt, ge))


NUMBERS = (ExactArray, int, Fraction)  # exact, unlike numpy arrays, which may hold floats and wrap


def combine(operation: Callable[..., Any], a: Any, b: Any, bounds_of: Callable[[Bounds, Bounds], Bounds]) -> ExactArray:
    """An operation that acts on numbers over one denominator as on their numerators."""
    (x, m), (y, n), den = _alike(a, b)
    bounds = bounds_of(m, n)
    return ExactArray(apply_within(operation, x, y, bounds), den, bounds)


def _multiply(a: Any, b: Any) -> ExactArray:
    """a · b"""
    (x, p, m), (y, q, n) = parts(a), parts(b)
    if p != 1 and y.__class__ is int:  # 32 times twentieths are 8 times fifths
        common = gcd(y, p)
        y, p, n = y // common, p // common, (y // common, y // common)
    bounds = of_product(m, n)
    return ExactArray(apply_within(mul, x, y, bounds), p * q, bounds)


def _floor(a: Any, b: Any) -> ExactArray:
    """⌊a / b⌋ = ⌊(a.num · b.den) / (b.num · a.den)⌋"""
    (x, p, m), (y, q, n) = parts(a), parts(b)
    if n[0] <= 0 <= n[1] and not (y if isinstance(y, int) else (y != 0).all()):
        raise ZeroDivisionError
    common = gcd(p, q)
    over, m = scale(x, m, q // common)
    under, n = scale(y, n, p // common)
    if not isinstance(under, int) and under.dtype.hasobject:  # may hold Fractions, for which `of_floor` is wrong
        return ExactArray(floordiv(to_python_ints(over), under))
    bounds = of_floor(m, n)
    return ExactArray(apply_within(floordiv, over, under, bounds), 1, bounds)


def _alike(a: Any, b: Any) -> tuple[tuple[Any, Bounds], tuple[Any, Bounds], int]:
    """Two numerators over one denominator, each with its bounds, and the denominator."""
    (x, p, m), (y, q, n) = parts(a), parts(b)
    if p == q:
        return (x, m), (y, n), p
    den = lcm(p, q)
    return scale(x, m, den // p), scale(y, n, den // q), den


def parts(x: Any) -> Parts:
    """A number or an array as numerator, denominator and bounds of the numerator."""
    if x.__class__ is ExactArray:
        return x.num, x.den, x.bounds
    if x.__class__ is int:
        return x, 1, (x, x)
    if isinstance(x, int | Fraction):
        return x.numerator, x.denominator, (x.numerator, x.numerator)
    if x.dtype.kind == "b":
        return x.astype(np.int64), 1, (0, 1)
    return parts(ExactArray(_as_int64(x)))


def _as_int64(x: Any) -> Array:
    """Bools and ints of numpy as int64; Python's ints and Fractions stay."""
    array = np.asarray(x)
    return array if array.dtype == object else array.astype(np.int64)


def _fractions(x: ExactArray) -> Array:
    numbers = np.empty(x.num.shape, dtype=object)
    numbers.ravel()[:] = [Fraction(num, x.den) for num in x.num.ravel().tolist()]
    return numbers
