"""The shapes that ONNX's views make, for layers and for lists of sizes alike."""

from __future__ import annotations

from math import prod

from costcalc.dims import (
    Shape,
    Size,
    at_least,
    canonical,
    ceil_div,
    decided,
    divides,
    elements,
    equal,
    exact_div,
    is_rational,
    maximum,
    minimum,
)
from costcalc.importers.onnx_files.onnx_values import Asked

ENDLESS = 2**31 - 1  # of a slice: to the end
UNTOLD = "a comparison of sizes"


def slices(asked: Asked) -> dict[int, tuple[Size, Size, int]]:
    """Where a slice starts along each of its axes, how many elements it takes, and in which step."""
    rank, sizes = asked.rank, asked.x.shape
    starts, ends = asked.numbers("starts", 1) or (), asked.numbers("ends", 2) or ()
    axes = asked.axes("axes", 3, rank) or tuple(range(len(starts)))
    steps = asked.numbers("steps", 4) or (1,) * len(starts)
    asked.need(len(starts) == len(ends) == len(axes) == len(steps) <= rank, "its starts, ends, axes and steps differ")
    found = {}
    for axis, start, end, step in zip(axes, starts, ends, steps):
        asked.need(isinstance(step, int) and step, "its step is 0 or a size")
        found[axis] = _cut(start, end, step, sizes[axis])
    return found


def _cut(start: Size, end: Size, step: int, length: Size) -> tuple[Size, Size, int]:
    """A slice as numpy has it: ends below 0 count from the end, and are clipped."""
    if step > 0:
        start, end = _clipped(start, length, 0), _clipped(end, length, 0)
        return start, maximum(0, ceil_div(end - start, step)), step
    start = minimum(_from_end(start, length), length - 1)
    end = _from_end(end, length) if not (is_rational(end) and end < -ENDLESS) else -1
    end = maximum(end, -1)
    return start, maximum(0, ceil_div(start - end, -step)), step


def _from_end(at: Size, length: Size) -> Size:
    """An index below 0 from the end."""
    return at + length if decided(at_least(-1, at), UNTOLD) else at


def _clipped(at: Size, length: Size, low: int) -> Size:
    """An index within an axis."""
    if at is length or (is_rational(at) and at >= ENDLESS):
        return length
    at = _from_end(at, length)
    if at_least(at, low) is not True:
        at = maximum(at, low)
    return at if at_least(length, at) is True else minimum(at, length)


def unsqueezed(asked: Asked) -> Shape:
    """A shape with axes of 1 put in."""
    given = asked.numbers("axes", 1) or ()
    rank = asked.rank + len(given)
    axes = {asked.axis_in(axis, rank) for axis in given}
    asked.need(len(axes) == len(given) and rank <= 64, "it names an axis twice, or too many")
    rest = iter(asked.x.shape)
    return tuple(1 if axis in axes else next(rest) for axis in range(rank))


def squeezed(asked: Asked) -> Shape:
    """A shape with axes of 1 taken out: those that are named, or all."""
    sizes, axes = asked.x.shape, asked.axes("axes", 1, asked.rank)
    if axes is None:
        axes = tuple(i for i, size in enumerate(sizes) if decided(equal(size, 1), "whether an axis is 1"))
    for axis in axes:
        asked.need(decided(equal(sizes[axis], 1), "whether an axis is 1"), f"its axis {axis} is {sizes[axis]}, not 1")
    return tuple(size for i, size in enumerate(sizes) if i not in axes)


def reshaped(asked: Asked) -> Shape:
    """The shape that Reshape makes: a 0 keeps the size, a -1 is what is left."""
    old, new = asked.x.shape, [*(asked.numbers("shape", 1, ()) or ())]
    keeps = not asked.attribute("allowzero", 0)
    asked.need(len(new) <= 64, "its shape has too many axes")
    for axis, size in enumerate(new):
        if is_rational(size) and size == 0 and keeps:
            asked.need(axis < len(old), f"it keeps axis {axis}, which its input has not")
            new[axis] = old[axis]
    open_ = [axis for axis, size in enumerate(new) if is_rational(size) and size == -1]
    asked.need(len(open_) < 2, "its shape has several -1")
    count = elements(old)
    if open_:
        rest = prod(size for axis, size in enumerate(new) if axis != open_[0])
        new[open_[0]] = left(asked, count, rest)
    else:
        same = equal(count, elements(tuple(new)))
        asked.need(same is None or decided(same, UNTOLD), f"{count} elements cannot have the shape {tuple(new)}")
    return tuple(map(canonical, new))


def left(asked: Asked, count: Size, rest: Size) -> Size:
    """What is left of so many elements beside the other axes."""
    asked.need(not is_rational(rest) or rest > 0, "its shape has a size below 1")
    fits = divides(rest, count)
    asked.need(fits is None or decided(fits, UNTOLD), f"{count} elements do not fill rows of {rest}")
    return exact_div(count, rest)


def flattened(asked: Asked) -> Shape:
    """All axes before one, and all from it."""
    axis = asked.attribute("axis", 1)
    asked.need(-asked.rank <= axis <= asked.rank, f"it names axis {axis} of a tensor of {asked.rank} axes")
    axis += asked.rank if axis < 0 else 0
    return elements(asked.x.shape[:axis]), elements(asked.x.shape[axis:])


def transposed(asked: Asked) -> Shape:
    """A shape with its axes in another order."""
    return tuple(asked.x.shape[axis] for axis in order(asked))


def order(asked: Asked) -> tuple[int, ...]:
    """The order of axes that Transpose makes: the reverse, unless it says another."""
    given = asked.numbers("perm", 1)
    axes = tuple(range(asked.rank))[::-1] if given is None else tuple(given)
    asked.need(sorted(axes) == [*range(asked.rank)], f"{axes} is no order of {asked.rank} axes")
    return axes
