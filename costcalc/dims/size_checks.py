"""Checks that values can be sizes, and finds the points of arrays at which they cannot."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from costcalc.dims.kinds import LARGEST, canonical, clip, is_array, is_symbolic
from costcalc.errors import PointsDiffer, ShapeError


def to_exact_array(x: Any) -> Any:
    """The same numbers in an array that is exact and never wraps; floats are read as their decimal digits.

    Raises TypeError for something that is not a number.
    """
    from costcalc.dims.exact_array import ExactArray  # with numpy

    return x if isinstance(x, ExactArray) else ExactArray.of(x.ravel().tolist(), x.shape)


def first_failure(truth: Any, sizes: Any) -> list[Any]:
    """Sizes, and shapes of them, at the first point at which an array of truths is False."""
    import numpy

    columns = [x for size in sizes for x in (size if isinstance(size, tuple) else (size,)) if is_array(x)]
    shape = numpy.broadcast_shapes(truth.shape, *(x.shape for x in columns))
    point = tuple(numpy.argwhere(~numpy.broadcast_to(truth.astype(bool), shape))[0])

    def there(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(there, x))
        return to_exact_array(x).at(point, shape) if is_array(x) else x

    return [there(size) for size in sizes]


def at_first_point(sizes: Iterable[Any]) -> list[Any]:
    """Sizes, and shapes of them, at the first point of the arrays among them: for a sentence about all points."""

    def there(x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(map(there, x))
        return to_exact_array(x).at((0,) * x.ndim, x.shape) if is_array(x) else x

    return [there(size) for size in sizes]


def check_size(x: Any, what: str, low: int) -> Any:
    """x, if it is a whole number from `low` to `LARGEST`; else a ShapeError naming `what`.

    Symbols pass. An array is checked at every point, and is exact from then on. Raises PointsDiffer, which is a
    ShapeError, for one that is right at some points.
    """
    x = canonical(x)
    if isinstance(x, int) and not isinstance(x, bool):
        if low <= x <= LARGEST:
            return x
    elif is_symbolic(x):
        return x
    elif is_array(x) and x.dtype.kind in "iuO":
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
    raise ShapeError(f"{what} must be a whole number, got {clip(x)}")


def _out_of_range(what: str, low: int, x: Any) -> str:
    return f"{what} must be a whole number from {low} to 2^31, got {clip(x)}"


def _exact_or_refused(x: Any, what: str) -> Any:
    try:
        return to_exact_array(x).reduced()
    except TypeError as error:
        raise ShapeError(f"{what} must be a whole number: {error}") from None
