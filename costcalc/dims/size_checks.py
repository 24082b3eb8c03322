"""Checks that values can be sizes, and finds the points of arrays at which they cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from costcalc.dims.kinds import MAX_SIZE, canonical, clip, is_array, is_symbolic
from costcalc.errors import PointsDiffer, ShapeError


def to_exact_array(x: Any) -> Any:
    """The numbers as an ExactArray; floats are read as their decimal digits. Raises TypeError for other values."""
    from costcalc.dims.exact_array import ExactArray  # with numpy

    return x if isinstance(x, ExactArray) else ExactArray.of(x.ravel().tolist(), x.shape)


def first_failure(truth: Any, sizes: Any) -> list[Any]:
    """Sizes, and shapes of them, at the first point at which an array of bools is False: for a message."""
    import numpy

    arrays = [x for size in sizes for x in (size if isinstance(size, tuple) else (size,)) if is_array(x)]
    shape = numpy.broadcast_shapes(truth.shape, *(x.shape for x in arrays))
    point = tuple(numpy.argwhere(~numpy.broadcast_to(truth.astype(bool), shape))[0])
    return [_with_numbers(size, lambda x: x.at(point, shape)) for size in sizes]


def at_first_point(sizes: Iterable[Any]) -> list[Any]:
    """Sizes, and shapes of them, at the first point: for a message about all points."""
    return [_with_numbers(size, lambda x: x.at((0,) * x.ndim, x.shape)) for size in sizes]


def _with_numbers(x: Any, number_of: Callable[[Any], Any]) -> Any:
    """A size or a shape, with a number for each array in it."""
    if isinstance(x, tuple):
        return tuple(_with_numbers(axis, number_of) for axis in x)
    return number_of(to_exact_array(x)) if is_array(x) else x


def check_size(x: Any, what: str, low: int) -> Any:
    """x, which must be a whole number from `low` to `MAX_SIZE`; a symbol unchanged, an array made exact.

    Raises ShapeError, which names `what`; PointsDiffer, a ShapeError, for an array that is right at some points.
    """
    x = canonical(x)
    if isinstance(x, int) and not isinstance(x, bool):
        if low <= x <= MAX_SIZE:
            return x
    elif is_symbolic(x):
        return x
    elif is_array(x) and x.dtype.kind in "iuO":
        array = _exact_or_refused(x, what)
        if array.is_whole and array.are_within(low, MAX_SIZE):
            return array
        wrong = (array % 1 != 0) | (array < low) | (array > MAX_SIZE)
        x = array.first(wrong)
        if x is None:
            return array
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
