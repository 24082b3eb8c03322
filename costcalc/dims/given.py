"""What was given: telling numbers, letters and columns apart, and refusing everything else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from costcalc.errors import PointsDiffer, ShapeError
from costcalc.text import value_text

size_text = value_text
LARGEST = 2**31  # no axis of a real network is longer; also keeps hostile numbers small


def is_number(x: Any) -> bool:
    """Is this a plain number, and neither a letter nor a column?"""
    return isinstance(x, (int, Fraction))


def is_letter(x: Any) -> bool:
    """Is this a sympy expression? Asked without importing sympy."""
    return hasattr(x, "free_symbols")


def is_column(x: Any) -> bool:
    """Is this a numpy array? Asked without importing numpy."""
    return hasattr(x, "dtype")


def normal(x: Any) -> Any:
    """A Fraction, a sympy number or a numpy scalar that is whole becomes an int; everything else stays, columns too."""
    if type(x) is int:
        return x
    if is_column(x):
        return normal(x.item()) if x.ndim == 0 else x
    if isinstance(x, Fraction) and x.denominator == 1:
        return x.numerator
    if getattr(x, "is_Integer", False):
        return int(x)
    if is_letter(x):
        from costcalc.dims.measure import affordable

        return affordable(x)
    return x


def exact(x: Any) -> Any:
    """x, or if it is a float the number that its decimal digits say; of numpy's numbers Python's; not a number stays
    what it is."""
    x = x.item() if is_column(x) and x.ndim == 0 else x
    return normal(Fraction(str(x))) if isinstance(x, float) and math.isfinite(x) else x


def exact_column(x: Any) -> Any:
    """A column of exact numbers that never wrap, of numpy's; floats are read as their decimal digits.

    Raises TypeError for what is no number.
    """
    from costcalc.dims.column import Column

    return x if isinstance(x, Column) else Column.of(x.ravel().tolist(), x.shape)


def first_failure(truth: Any, sizes: Any) -> list[Any]:
    """Sizes, and shapes of them, at the first point at which a column of truths is False."""
    import numpy

    columns = [x for size in sizes for x in (size if isinstance(size, tuple) else (size,)) if is_column(x)]
    shape = numpy.broadcast_shapes(truth.shape, *(x.shape for x in columns))
    point = tuple(numpy.argwhere(~numpy.broadcast_to(truth.astype(bool), shape))[0])

    def there(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(there, x))
        return exact_column(x).at(point, shape) if is_column(x) else x

    return [there(size) for size in sizes]


def at_first_point(sizes: Iterable[Any]) -> list[Any]:
    """Sizes, and shapes of them, at the first point of the columns among them: for a sentence about all points."""

    def there(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(there, x))
        return exact_column(x).at((0,) * x.ndim, x.shape) if is_column(x) else x

    return [there(size) for size in sizes]


def checked(x: Any, what: str, low: int) -> Any:
    """x, if it is a whole number from `low` to `LARGEST`; else a ShapeError naming `what`.

    Letters pass. A column is checked at every point, and is exact from then on. Raises PointsDiffer, which is a
    ShapeError, for one that is right at some points.
    """
    x = normal(x)
    if isinstance(x, int) and not isinstance(x, bool):
        if low <= x <= LARGEST:
            return x
    elif is_letter(x):
        return x
    elif is_column(x) and x.dtype.kind in "iuO":
        column = _exact_or_refused(x, what)
        if column.is_whole and column.are_within(low, LARGEST):
            return column
        wrong = (column % 1 != 0) | (column < low) | (column > LARGEST)
        x = column.first(wrong)
        if x is None:
            return column
        if not wrong.all():
            raise PointsDiffer(wrong, _out_of_range(what, low, x), hint="")
    if isinstance(x, (int, Fraction)) and not isinstance(x, bool):
        raise ShapeError(_out_of_range(what, low, x))
    raise ShapeError(f"{what} must be a whole number, got {shortened(x)}")


def _out_of_range(what: str, low: int, x: Any) -> str:
    return f"{what} must be a whole number from {low} to 2^31, got {shortened(x)}"


def _exact_or_refused(x: Any, what: str) -> Any:
    try:
        return exact_column(x).reduced()
    except TypeError as error:
        raise ShapeError(f"{what} must be a whole number: {error}") from None


def shortened(x: Any) -> str:
    """A value in a message, which a hostile one must not fill."""
    if hasattr(x, "bounds"):  # a Column, whose numbers are nothing that a reader wrote
        return f"a column of {x.size:,} values"
    if isinstance(x, int) and not isinstance(x, bool) and x.bit_length() > 128:
        return f"{'-' if x < 0 else ''}2^{x.bit_length() - 1} or more"  # str() refuses numbers of 4,300 digits
    text = repr(x) if isinstance(x, bool) or not isinstance(x, (int, Fraction)) else size_text(x)
    return text if len(text) <= 60 else f"{text[:59]}…"
