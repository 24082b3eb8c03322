"""Arithmetic on lists of sizes, and their comparison: functions of their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from costcalc.dims import (
    Shape,
    at_least,
    canonical,
    ceil,
    decided,
    elements,
    equal,
    floor,
    floor_div,
    is_rational,
    maximum,
    minimum,
)
from costcalc.importers.onnx_files.onnx_reshapes import UNTOLD
from costcalc.importers.onnx_files.onnx_values import MAX_ENTRIES, Asked, Value, known, surely
from costcalc.ops.broadcast import broadcast

MAX_BITS = 128  # of a number: hostile graphs multiply again and again

Arithmetic = Callable[[Asked], Value | None]


def each(function: Callable[..., Any]) -> Arithmetic:
    """A function of the numbers of its inputs, which stretch; the node comes first among its arguments."""
    code = function.__code__
    count = None if code.co_flags & 0x04 else code.co_argcount - 1  # 0x04: inspect.CO_VARARGS

    def folded(asked: Asked) -> Value | None:
        inputs = [x for x in asked.inputs if x is not None]
        asked.need(inputs and count in (None, len(inputs)), f"it has {len(inputs)} inputs")
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


def _absolute(asked: Asked, a: Any) -> Any:
    if is_rational(a):
        return abs(a)
    return a if surely(at_least(a, 0)) else None


def _compared(truth: Callable[[Any, Any], Any]) -> Arithmetic:
    """A comparison, where it can be told."""

    def compared(_: Asked, a: Any, b: Any) -> Any:
        found = truth(a, b)
        return None if found is None else decided(found, UNTOLD)

    return each(compared)


def _above(a: Any, b: Any) -> Any:
    """a > b; of sizes, which are whole, a ≥ b + 1, and of one and a number the next whole number"""
    if is_rational(a) and is_rational(b):
        return a > b
    return at_least(ceil(a) if is_rational(a) else a, (floor(b) if is_rational(b) else b) + 1)


def where(asked: Asked) -> Value | None:
    """One of two numbers."""
    chosen = each(lambda _, truth, a, b: a if truth else b)(asked)
    return chosen and replace(chosen, is_float=asked.input(1).is_float)


def clipped(asked: Asked) -> Value | None:
    """Numbers between a low and a high one, of which either may be left out."""
    low, high = asked.numbers("min", 1), asked.numbers("max", 2)
    ends = [end for end in (low, high) if end is not None]
    asked.need(all(len(end) == 1 for end in ends), "its min and max are numbers")

    def between(_: Asked, x: Any) -> Any:
        x = x if low is None else maximum(x, low[0])
        return x if high is None else minimum(x, high[0])

    return each(between)(replace(asked, inputs=asked.inputs[:1]))


def reduced(function: Callable[[Sequence[Any]], Any]) -> Arithmetic:
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


ARITHMETIC: dict[str, Arithmetic] = {
    "Where": where, "Clip": clipped, "Relu": each(lambda _, a: maximum(a, 0)),
    "Add": each(lambda _, a, b: a + b), "Sub": each(lambda _, a, b: a - b),
    "Mul": each(lambda _, a, b: a * b), "Div": each(_divided), "Mod": each(_remainder), "Neg": each(lambda _, a: -a),
    "Floor": each(lambda _, a: floor(a)), "Ceil": each(lambda _, a: ceil(a)), "Abs": each(_absolute),
    "Min": each(lambda _, *all: _least(all)), "Max": each(lambda _, *all: _most(all)),
    "Equal": _compared(equal), "GreaterOrEqual": _compared(at_least),
    "LessOrEqual": _compared(lambda a, b: at_least(b, a)),
    "Greater": _compared(_above), "Less": _compared(lambda a, b: _above(b, a)),
    "Not": each(lambda _, a: not a), "And": each(lambda _, a, b: a and b), "Or": each(lambda _, a, b: a or b),
    "ReduceProd": reduced(prod), "ReduceSum": reduced(sum), "ReduceMin": reduced(_least), "ReduceMax": reduced(_most),
}  # fmt: skip
