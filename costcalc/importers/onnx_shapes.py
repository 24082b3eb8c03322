"""Arithmetic on sizes: what an ONNX graph computes from shapes, worked out here. Sizes may be symbols.

One function for each op, from a node to the value that it makes; None where its numbers cannot be told. Exporters write
`x.view(n, -1)` as Shape, Gather, Unsqueeze, Concat and Reshape, of which only the last is a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from costcalc.dims import (
    Shape,
    Size,
    at_least,
    canonical,
    ceil,
    ceil_div,
    decided,
    divides,
    elements,
    equal,
    exact_div,
    floor,
    floor_div,
    is_rational,
    maximum,
    minimum,
)
from costcalc.importers.onnx_values import MAX_ENTRIES, Asked, Value, known, value_of
from costcalc.ops.broadcast import broadcast

ENDLESS = 2**31 - 1  # of a slice: to the end
UNTOLD = "a comparison of sizes"

MAX_BITS = 128  # of a number: hostile graphs multiply again and again

Fold = Callable[[Asked], Value | tuple[Value, ...] | None]


def shape(asked: Asked) -> Value:
    """The shape of a tensor, or a part of it."""
    sizes, rank = asked.x.shape, asked.rank
    start, end = asked.attribute("start", 0), asked.attribute("end", rank)
    part = sizes[start:end] if end != rank else sizes[start:]
    return known((len(part),), part)


def size(asked: Asked) -> Value:
    """The number of elements of a tensor."""
    return known((), (elements(asked.x.shape),))


def constant(asked: Asked) -> Value | None:
    """A number, some, or a tensor."""
    given = asked.node.attributes
    if (tensor := given.get("value")) is not None:
        return value_of(tensor, is_constant=True)
    for name in ("value_int", "value_float", "value_ints", "value_floats"):
        if name in given:
            numbers = asked.numbers(name, 0) or ()
            return known((len(numbers),) if name.endswith("s") else (), numbers, is_float="float" in name)
    return asked.refuse("it has no value of numbers")


def filled(asked: Asked) -> Value:
    """A tensor of one number."""
    sizes = asked.numbers("shape", 0, ())
    value = asked.node.attributes.get("value")
    entries = value.entries if value is not None else (0,)
    few = all(map(is_rational, sizes or ())) and elements(tuple(sizes or ())) <= MAX_ENTRIES
    count = elements(tuple(sizes or ())) if few else 0
    is_float = value is None or value_of(value).is_float
    return known(tuple(sizes or ()), entries * count if few and entries else None, is_float=is_float)


def numbered(asked: Asked) -> Value:
    """start, start + delta, … below a limit."""
    ends = [asked.numbers(f"input {i}", i) for i in range(3)]
    asked.need(all(end is not None and len(end) == 1 for end in ends), "it needs three numbers")
    start, limit, delta = (end[0] for end in ends if end is not None)
    asked.need(not is_rational(delta) or delta != 0, "it advances by 0")
    count = ceil((limit - start) / Fraction(delta)) if is_rational(delta) else ceil_div(limit - start, delta)
    count = canonical(count)
    if is_rational(count) and count <= MAX_ENTRIES and is_rational(start):
        return known((max(count, 0),), tuple(start + i * delta for i in range(int(count))))
    return known((count,))


def gather(asked: Asked) -> Value | None:
    """Rows of a list."""
    x, indices = asked.x, asked.input(1)
    axis = asked.axis(0)
    if x.entries is None or indices.entries is None or asked.rank != 1 or axis:
        return None
    if not all(isinstance(i, int) and -len(x.entries) <= i < len(x.entries) for i in indices.entries):
        return None
    return known(indices.shape, tuple(x.entries[i] for i in indices.entries), is_float=x.is_float)


def concat(asked: Asked) -> Value | None:
    """Lists in a row."""
    parts = [part for part in asked.inputs if part is not None]
    if any(len(part.shape) != 1 or part.entries is None for part in parts):
        return None
    entries = tuple(entry for part in parts for entry in part.entries or ())
    return known((len(entries),), entries, is_float=any(part.is_float for part in parts))


def split(asked: Asked) -> tuple[Value, ...] | None:
    """Parts of a list."""
    x, count = asked.x, len(asked.node.outputs)
    if x.entries is None or asked.rank != 1:
        return None
    sizes = asked.numbers("split", 1) or (len(x.entries) // count,) * count
    asked.need(sum(sizes) == len(x.entries) and len(sizes) == count, f"its sizes are {sizes}, of {len(x.entries)}")
    ends = [sum(sizes[: i + 1]) for i in range(count)]
    parts = (x.entries[end - size : end] for end, size in zip(ends, sizes))
    return tuple(known((len(part),), part, is_float=x.is_float) for part in parts)


def take(asked: Asked) -> Value | None:
    """A slice of a list."""
    x = asked.x
    if x.entries is None or asked.rank != 1:
        return None
    cuts = slices(asked)
    start, count, step = cuts.get(0, (0, len(x.entries), 1))
    if not all(map(is_rational, (start, count, step))):
        return None
    entries = tuple(x.entries[start + i * step] for i in range(count))
    return known((count,), entries, is_float=x.is_float)


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
    if is_rational(at) and at >= ENDLESS:
        return length
    if at is length:
        return length
    return minimum(maximum(_from_end(at, length), low), length)


def unsqueeze(asked: Asked) -> Value | None:
    """Axes of 1 put in."""
    return asked.x.shaped(unsqueezed(asked))


def unsqueezed(asked: Asked) -> Shape:
    """A shape with axes of 1 put in."""
    given = asked.numbers("axes", 1) or ()
    rank = asked.rank + len(given)
    axes = {asked.axis_in(axis, rank) for axis in given}
    asked.need(len(axes) == len(given) and rank <= 64, "it names an axis twice, or too many")
    rest = iter(asked.x.shape)
    return tuple(1 if axis in axes else next(rest) for axis in range(rank))


def squeeze(asked: Asked) -> Value | None:
    """Axes of 1 taken out."""
    return asked.x.shaped(squeezed(asked))


def squeezed(asked: Asked) -> Shape:
    """A shape with axes of 1 taken out: those that are named, or all."""
    sizes, axes = asked.x.shape, asked.axes("axes", 1, asked.rank)
    if axes is None:
        axes = tuple(i for i, size in enumerate(sizes) if decided(equal(size, 1), "whether an axis is 1"))
    for axis in axes:
        asked.need(decided(equal(sizes[axis], 1), "whether an axis is 1"), f"its axis {axis} is {sizes[axis]}, not 1")
    return tuple(size for i, size in enumerate(sizes) if i not in axes)


def reshape(asked: Asked) -> Value | None:
    """The same elements under another shape."""
    return asked.x.shaped(reshaped(asked))


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


def expand(asked: Asked) -> Value | None:
    """A number or a list stretched."""
    out = broadcast(asked.x.shape, tuple(asked.numbers("shape", 1, ()) or ()))
    entries = asked.x.entries
    if entries is None or len(entries) != 1 or not all(map(is_rational, out)) or elements(out) > MAX_ENTRIES:
        return None
    return known(out, entries * elements(out), is_float=asked.x.is_float)


def flatten(asked: Asked) -> Value | None:
    """Two axes."""
    return asked.x.shaped(flattened(asked))


def flattened(asked: Asked) -> Shape:
    """All axes before one, and all from it."""
    axis = asked.attribute("axis", 1)
    asked.need(-asked.rank <= axis <= asked.rank, f"it names axis {axis} of a tensor of {asked.rank} axes")
    axis += asked.rank if axis < 0 else 0
    return elements(asked.x.shape[:axis]), elements(asked.x.shape[axis:])


def transpose(asked: Asked) -> Value | None:
    """The axes in another order."""
    out = transposed(asked)
    entries = asked.x.entries if asked.rank < 2 else None
    return Value(
        out, entries=entries, tensor=asked.x.tensor, is_float=asked.x.is_float, is_constant=asked.x.is_constant
    )


def transposed(asked: Asked) -> Shape:
    """A shape with its axes in another order."""
    return tuple(asked.x.shape[axis] for axis in order(asked))


def order(asked: Asked) -> tuple[int, ...]:
    """The order of axes that Transpose makes: the reverse, unless it says another."""
    given = asked.numbers("perm", 1)
    axes = tuple(range(asked.rank))[::-1] if given is None else tuple(given)
    asked.need(sorted(axes) == [*range(asked.rank)], f"{axes} is no order of {asked.rank} axes")
    return axes


def cast(asked: Asked) -> Value | None:
    """Whole numbers of fractions, towards 0."""
    x, to = asked.x, asked.attribute("to", 1)
    is_float = to in (1, 10, 11, 16)
    entries = x.entries
    if entries is not None and not is_float:
        entries = tuple(map(_whole if to != 9 else _truth, entries))
        entries = None if None in entries else entries
    return replace(x, entries=entries, is_float=is_float)


def _whole(x: Any) -> Any:
    if is_rational(x):
        return int(x)
    return floor(x) if at_least(x, 0) is True else None


def _truth(x: Any) -> Any:
    return bool(x) if is_rational(x) else None


def same(asked: Asked) -> Value:
    """The value itself; a tensor of the file under its new name is another: exporters store equal ones once."""
    x = asked.x
    return x if x.tensor is None else replace(x, tensor=x.tensor._replace(name=asked.node.outputs[0]))


def each(function: Callable[..., Any]) -> Fold:
    """A function of the numbers of its inputs, which stretch."""

    def folded(asked: Asked) -> Value | None:
        inputs = [x for x in asked.inputs if x is not None]
        out: Shape = ()
        for x in inputs:
            out = broadcast(out, x.shape)
        if any(x.entries is None for x in inputs) or not all(map(is_rational, out)) or elements(out) > MAX_ENTRIES:
            return None
        rows = [_stretched(x.entries or (), x.shape, out) for x in inputs]
        entries = tuple(function(asked, *row) for row in zip(*rows))
        return (
            None if not all(map(_is_tame, entries)) else known(out, entries, is_float=any(x.is_float for x in inputs))
        )

    return folded


def _is_tame(x: Any) -> bool:
    """Is this a number that was told, and of few digits? Symbols have limits of their own."""
    if x is None:
        return False
    return not is_rational(x) or max(x.numerator.bit_length(), x.denominator.bit_length()) <= MAX_BITS


def _stretched(entries: Sequence[Any], shape: Shape, out: Shape) -> list[Any]:
    """The entries of a tensor that stretches to a shape."""
    if len(entries) == 1:
        return [*entries] * elements(out)
    if shape == out:
        return [*entries]
    padded = (1,) * (len(out) - len(shape)) + shape
    steps = [prod(padded[axis + 1 :]) if size != 1 else 0 for axis, size in enumerate(padded)]
    return [entries[sum(i * step for i, step in zip(place, steps))] for place in product(*map(range, out))]


def _divided(asked: Asked, a: Any, b: Any) -> Any:
    if is_rational(b) and b == 0:
        return None
    if any(x is not None and x.is_float for x in asked.inputs):
        return canonical(Fraction(a) / b) if is_rational(a) and is_rational(b) else canonical(a / b)
    if is_rational(a) and is_rational(b):
        return int(Fraction(a) / b)  # towards 0
    return floor_div(a, b)


def _remainder(asked: Asked, a: Any, b: Any) -> Any:
    if is_rational(b) and b == 0:
        return None
    if asked.attribute("fmod", 0):
        return a - b * int(Fraction(a) / b) if is_rational(a) and is_rational(b) else None
    return a - b * floor_div(a, b)


def _compared(truth: Callable[[Any, Any], Any]) -> Fold:
    """A comparison, where it can be told."""

    def compared(asked: Asked, a: Any, b: Any) -> Any:
        found = truth(a, b)
        return None if found is None else decided(found, UNTOLD)

    return each(compared)


def _above(a: Any, b: Any) -> Any:
    """a > b; of sizes, which are whole, a ≥ b + 1"""
    return a > b if is_rational(a) and is_rational(b) else at_least(a, b + 1)


def where(asked: Asked) -> Value | None:
    """One of two numbers."""
    chosen = each(lambda _, truth, a, b: a if truth else b)(asked)
    return chosen and Value(chosen.shape, entries=chosen.entries, is_float=asked.input(1).is_float)


def reduced(function: Callable[[Sequence[Any]], Any]) -> Fold:
    """One number from all of a list."""

    def folded(asked: Asked) -> Value | None:
        if asked.x.entries is None or asked.rank > 1:
            return None
        keep, entry = asked.attribute("keepdims", 1), function(asked.x.entries) if asked.x.entries else None
        return known((1,) * asked.rank * bool(keep), (entry,), is_float=asked.x.is_float) if _is_tame(entry) else None

    return folded


def _least(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = minimum(found, value)
    return found


def _most(values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = maximum(found, value)
    return found


FOLDS: dict[str, Fold] = {
    "Shape": shape, "Size": size, "Constant": constant, "ConstantOfShape": filled, "Range": numbered, "Gather": gather,
    "Concat": concat, "Slice": take, "Split": split, "Unsqueeze": unsqueeze, "Squeeze": squeeze, "Reshape": reshape,
    "Expand": expand, "Flatten": flatten, "Transpose": transpose, "Cast": cast, "Identity": same, "Where": where,
    "Add": each(lambda _, a, b: a + b), "Sub": each(lambda _, a, b: a - b), "Mul": each(lambda _, a, b: a * b),
    "Div": each(_divided), "Mod": each(_remainder), "Neg": each(lambda _, a: -a),
    "Floor": each(lambda _, a: floor(a)), "Ceil": each(lambda _, a: ceil(a)),
    "Abs": each(lambda _, a: a if at_least(a, 0) is True else abs(a) if is_rational(a) else None),
    "Min": each(lambda _, *all: _least(all)), "Max": each(lambda _, *all: _most(all)),
    "Equal": _compared(equal), "GreaterOrEqual": _compared(at_least),
    "LessOrEqual": _compared(lambda a, b: at_least(b, a)),
    "Greater": _compared(_above), "Less": _compared(lambda a, b: _above(b, a)),
    "Not": each(lambda _, a: not a), "And": each(lambda _, a, b: a and b), "Or": each(lambda _, a, b: a or b),
    "ReduceProd": reduced(prod), "ReduceSum": reduced(sum), "ReduceMin": reduced(_least), "ReduceMax": reduced(_most),
}  # fmt: skip
OF_SHAPES = {"Shape", "Size"}  # they read no data
CARRIES = {"Identity", "Reshape", "Transpose", "Unsqueeze", "Squeeze", "Flatten", "Cast"}  # their tensor stays one
