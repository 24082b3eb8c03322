"""Columns: one exact number for each point, as fast as a machine counts where it cannot wrap around.

A column is `num / den`: an array of int64 over one whole number, and a bound that no |num| exceeds. The bound follows
every operation in Python's own ints, so that a product which might leave 64 bits is known before it is made; it is
then made of Python's ints, and slower. Nothing wraps and nothing is rounded, whatever the values are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm
from operator import add, eq, floordiv, ge, gt, le, lt, mul, ne
from typing import Any

import numpy as np

from costcalc.dims.given import exact, is_number, normal

WORD = 2**63  # an int64 is less

Array = Any  # numpy.ndarray of int64, of bools, or of Python's ints and Fractions
Parts = tuple[Any, int, int]  # num (an array or an int), den, bound


class Column:
    """Exact numbers with an operator for each that sizes have. Comparisons answer with an array of bools.

    Shapes stretch as numpy's do: a column over widths and one over depths make one over both.
    """

    __slots__ = ("bound", "den", "num")
    __array_ufunc__ = None  # an array of bools times a column is a column
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, num: Array, den: int = 1, bound: int | None = None):
        self.num, self.den = num, den
        self.bound = max(map(abs, map(int, (num.min(), num.max())))) if bound is None else bound

    @classmethod
    def of(cls, values: Iterable[Any], shape: tuple[int, ...] | None = None) -> Column:
        """A column of ints, Fractions, and floats read as their decimal digits. Raises TypeError for anything else."""
        numbers = [normal(exact(value)) for value in values]
        for number in numbers:
            if not is_number(number) or isinstance(number, bool):
                raise TypeError(f"no exact number: {number!r}")
        den = lcm(*(number.denominator for number in numbers))
        nums = [number.numerator * (den // number.denominator) for number in numbers]
        bound = max(map(abs, nums), default=0)
        num = np.empty(len(nums), dtype=np.int64 if bound < WORD else object)
        num[:] = nums
        return cls(num.reshape(shape or num.shape), den, bound)

    # ---- what numpy would say of it

    @property
    def dtype(self) -> Any:
        """That of its numerators."""
        return self.num.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis."""
        return tuple(self.num.shape)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return int(self.num.ndim)

    def reduced(self) -> Column:
        """The same numbers, without a denominator if all of them are whole."""
        if self.den == 1 or (self.num % self.den).any():
            return self
        return Column(self.num // self.den, 1, self.bound // self.den)

    def first(self, truth: Any) -> Any:
        """The first number at which an array of truths, of the same shape, is True; None if there is none."""
        at = np.flatnonzero(truth)
        return self.at(np.unravel_index(at[0], self.shape), self.shape) if len(at) else None

    def at(self, point: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        """The number at one point of a larger shape."""
        return normal(Fraction(int(np.broadcast_to(self.num, shape)[point]), self.den))

    def values(self) -> Array:
        """An array of int64 if the numbers are whole and fit, else of Python's ints and Fractions."""
        if self.den == 1:
            return self.num
        exactly = [normal(Fraction(int(num), self.den)) for num in self.num.ravel()]
        made = np.empty(len(exactly), dtype=object)
        made[:] = exactly
        return made.reshape(self.num.shape)

    def __getitem__(self, point: Any) -> Any:
        return self.values()[point]

    def __len__(self) -> int:
        return len(self.num)

    def tolist(self) -> Any:
        """The numbers as Python's own, nested like the axes."""
        return self.values().tolist()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return np.array(self.values(), dtype=dtype)

    def __repr__(self) -> str:
        text = ", ".join(str(x) for x in self.values().ravel()[:3])
        return f"<column of {self.num.size}: {text}{', …' if self.num.size > 3 else ''}>"

    # ---- arithmetic

    def __add__(self, other: Any) -> Any:
        return _sum(self, other)

    __radd__ = __add__

    def __neg__(self) -> Column:
        return Column(-self.num, self.den, self.bound)

    def __sub__(self, other: Any) -> Any:
        return _sum(self, -other if isinstance(other, Column | int | Fraction) else Column(-_whole(other)))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        (a, p, m), (b, q, n) = _parts(self), _parts(other)
        if isinstance(b, int):  # 32 times twentieths are 8 times fifths
            common = gcd(b, p)
            b, p, n = b // common, p // common, n // common
        return Column(_made(mul, a, b, m * n), p * q, m * n)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Column):
            quotients = _fractions(self) / _fractions(other)
            return Column.of(quotients.ravel(), quotients.shape)
        return self * (1 / Fraction(other))

    def __rtruediv__(self, other: Any) -> Any:
        return Column.of([other]) / self

    def __floordiv__(self, other: Any) -> Any:
        return _floor(_parts(self), _parts(other))

    def __rfloordiv__(self, other: Any) -> Any:
        return _floor(_parts(other), _parts(self))

    def __mod__(self, other: Any) -> Any:
        return self - self // other * other

    def __rmod__(self, other: Any) -> Any:
        return other - other // self * self

    def __pow__(self, n: int) -> Any:
        if n < 0:
            return Column.of([1]) / self**-n
        return Column(_made(pow, self.num, n, self.bound**n), self.den**n, self.bound**n)

    # ---- comparisons

    def __eq__(self, other: object) -> Any:
        return False if isinstance(other, str) else _compared(eq, self, other)

    def __ne__(self, other: object) -> Any:
        return True if isinstance(other, str) else _compared(ne, self, other)

    def __lt__(self, other: Any) -> Any:
        return _compared(lt, self, other)

    def __le__(self, other: Any) -> Any:
        return _compared(le, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(gt, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compared(ge, self, other)


def maximum(a: Any, b: Any) -> Column:
    """The larger number at every point."""
    (x, m), (y, n), den = _alike(a, b)
    return Column(_made(np.maximum, x, y, max(m, n)), den, max(m, n))


def common_divisor(a: Any, b: Any) -> Column:
    """The greatest common divisor of whole numbers at every point."""
    (x, m), (y, n), _ = _alike(a, b)
    return Column(_made(np.gcd, x, y, max(m, n)), 1, max(m, n))


def _sum(a: Any, b: Any) -> Column:
    (x, m), (y, n), den = _alike(a, b)
    return Column(_made(add, x, y, m + n), den, m + n)


def _floor(a: Parts, b: Parts) -> Column:
    """⌊a / b⌋ = ⌊(a.num · b.den) / (b.num · a.den)⌋"""
    (x, p, m), (y, q, n) = a, b
    if not (np.all(y) if isinstance(y, np.ndarray) else y):
        raise ZeroDivisionError
    common = gcd(p, q)
    over = _made(mul, x, q // common, m * (q // common))
    under = _made(mul, y, p // common, n * (p // common))
    least = abs(under) if isinstance(under, int) else 1  # the least that a whole number but 0 is
    return Column(_made(floordiv, over, under, max(m * q, n * p)), 1, m * (q // common) // least + 1)


def _compared(sign: Callable[..., Any], a: Any, b: Any) -> Any:
    (x, _), (y, _), _ = _alike(a, b)
    return sign(x, y)


def _alike(a: Any, b: Any) -> tuple[tuple[Any, int], tuple[Any, int], int]:
    """Both over one denominator: two numerators with their bounds, and it."""
    (x, p, m), (y, q, n) = _parts(a), _parts(b)
    if p == q:
        return (x, m), (y, n), p
    den = lcm(p, q)
    up, uq = den // p, den // q
    return (_made(mul, x, up, m * up), m * up), (_made(mul, y, uq, n * uq), n * uq), den


def _parts(x: Any) -> Parts:
    if isinstance(x, Column):
        return x.num, x.den, x.bound
    if isinstance(x, int | Fraction):
        return x.numerator, x.denominator, abs(x.numerator)
    return _parts(Column(_whole(x)))


def _whole(x: Any) -> Array:
    """Truths as 0 and 1, a machine's ints as int64; Python's own stay."""
    array = np.asarray(x)
    return array if array.dtype == object else array.astype(np.int64)


def _made(operation: Callable[..., Any], a: Any, b: Any, bound: int) -> Any:
    """The operation in int64 if all that comes in and goes out is known to fit, else in Python's ints."""
    if bound < WORD and _fits(a) and _fits(b):
        return operation(a, b)
    return operation(_unbounded(a), _unbounded(b))


def _fits(x: Any) -> bool:
    return -WORD < x < WORD if isinstance(x, int) else x.dtype != object


def _unbounded(x: Any) -> Any:
    return x if isinstance(x, int) else x.astype(object)


def _fractions(x: Column) -> Array:
    made = np.empty(x.num.shape, dtype=object)
    made.ravel()[:] = [Fraction(int(num), x.den) for num in x.num.ravel()]
    return made
