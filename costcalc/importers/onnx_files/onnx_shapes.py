"""What an ONNX graph computes from shapes, worked out here. Sizes may be symbols.

One function for each op, from a node to the value that it makes; None where its numbers cannot be told. Exporters write
`x.view(n, -1)` as Shape, Gather, Unsqueeze, Concat and Reshape, of which only the last is a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from costcalc.dims import at_least, canonical, ceil, ceil_div, elements, floor, is_rational
from costcalc.importers.onnx_files.onnx_arithmetic import ARITHMETIC
from costcalc.importers.onnx_files.onnx_nodes import OnnxTensor
from costcalc.importers.onnx_files.onnx_reshapes import (
    flattened,
    order,
    reshaped,
    slices,
    squeezed,
    transposed,
    unsqueezed,
)
from costcalc.importers.onnx_files.onnx_values import MAX_ENTRIES, Asked, Value, known, surely, value_of
from costcalc.ops.broadcast import broadcast

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
    if isinstance(tensor := given.get("value"), OnnxTensor):
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
    asked.need(value is None or isinstance(value, OnnxTensor), "its value is no tensor")
    entries = value.entries if value is not None else (0,)
    few = all(map(is_rational, sizes or ())) and elements(tuple(sizes or ())) <= MAX_ENTRIES
    count = elements(tuple(sizes or ())) if few else 0
    is_float = value is None or value_of(value).is_float
    return known(tuple(sizes or ()), entries * count if few and entries else None, is_float=is_float)


def like(asked: Asked) -> Value:
    """A tensor of the shape of another, its numbers drawn or 0 and 1."""
    return known(asked.x.shape, is_float=True)


def drawn(asked: Asked) -> Value:
    """A tensor of random numbers."""
    return known(asked.attribute("shape", ()), is_float=True)


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


def rearranged(asked: Asked, inputs: Sequence[Value], move: Callable[..., Any]) -> Value | None:
    """Lists of which elements are taken, put together or put in another order: `move` does it to arrays of their
    places. None if they are not known."""
    import numpy

    entries = [entry for x in inputs for entry in x.entries or ()]
    if any(x.entries is None for x in inputs):
        return None
    places, start = [], 0
    for x in inputs:
        count = len(x.entries or ())
        places.append(numpy.arange(start, start + count).reshape(x.shape))
        start += count
    try:
        out = move(*places)
    except (ValueError, IndexError):
        return None
    if out.size > MAX_ENTRIES:
        return known(out.shape, is_float=asked.x.is_float)
    return known(out.shape, tuple(entries[at] for at in out.ravel().tolist()), is_float=asked.x.is_float)


def gather(asked: Asked) -> Value | None:
    """Rows of a list."""
    indices, axis = asked.input(1), asked.axis(0)
    at = indices.entries
    if at is None or not all(isinstance(i, int) for i in at):
        return None

    def move(places: Any) -> Any:
        import numpy

        return places.take(numpy.array(at, dtype=int).reshape(indices.shape), axis=axis)

    return rearranged(asked, [asked.x], move)


def concat(asked: Asked) -> Value | None:
    """Lists in a row."""
    parts = [part for part in asked.inputs if part is not None]
    axis = asked.axis(1)

    def move(*places: Any) -> Any:
        import numpy

        return numpy.concatenate(places, axis)

    return rearranged(asked, parts, move)


def split(asked: Asked) -> tuple[Value, ...] | None:
    """Parts of a list."""
    x, count = asked.x, len(asked.node.outputs)
    if x.entries is None or asked.rank != 1:
        return None
    each = -(-len(x.entries) // count)
    sizes = asked.numbers("split", 1) or (*[each] * (count - 1), len(x.entries) - each * (count - 1))
    asked.need(sum(sizes) == len(x.entries) and len(sizes) == count, f"its sizes are {sizes}, of {len(x.entries)}")
    ends = [sum(sizes[: i + 1]) for i in range(count)]
    parts = (x.entries[end - size : end] for end, size in zip(ends, sizes))
    return tuple(known((len(part),), part, is_float=x.is_float) for part in parts)


def take(asked: Asked) -> Value | None:
    """A slice of a list."""
    if asked.x.entries is None:
        return None
    cuts = slices(asked)
    if not all(map(is_rational, (number for cut in cuts.values() for number in cut))):
        return None

    def move(places: Any) -> Any:
        for axis, (start, count, step) in cuts.items():
            places = places.take([start + i * step for i in range(count)], axis=axis)
        return places

    return rearranged(asked, [asked.x], move)


def unsqueeze(asked: Asked) -> Value | None:
    """Axes of 1 put in."""
    return asked.x.shaped(unsqueezed(asked))


def squeeze(asked: Asked) -> Value | None:
    """Axes of 1 taken out."""
    return asked.x.shaped(squeezed(asked))


def reshape(asked: Asked) -> Value | None:
    """The same elements under another shape."""
    return asked.x.shaped(reshaped(asked))


def expand(asked: Asked) -> Value | None:
    """A number or a list stretched."""
    out = broadcast(asked.x.shape, tuple(asked.numbers("shape", 1, ()) or ()))
    if not all(map(is_rational, out)) or elements(out) > MAX_ENTRIES:
        return None

    def move(places: Any) -> Any:
        import numpy

        return numpy.broadcast_to(places, out)

    return rearranged(asked, [asked.x], move)


def flatten(asked: Asked) -> Value | None:
    """Two axes."""
    return asked.x.shaped(flattened(asked))


def transpose(asked: Asked) -> Value | None:
    """The axes in another order."""
    axes = order(asked)
    moved = rearranged(asked, [asked.x], lambda places: places.transpose(axes))
    return replace(asked.x, shape=transposed(asked), entries=moved.entries if moved else None)


def cast(asked: Asked) -> Value | None:
    """Whole numbers of fractions, towards 0."""
    x, to = asked.x, asked.attribute("to", 1)
    is_float = to in (1, 10, 11, 16)
    entries = x.entries
    if entries is not None and not is_float:
        entries = tuple(map(_whole if to != 9 else _truth, entries))
        entries = None if any(entry is None for entry in entries) else entries
    return replace(x, entries=entries, is_float=is_float)


def _whole(x: Any) -> Any:
    if is_rational(x):
        return int(x)
    return floor(x) if surely(at_least(x, 0)) else None


def _truth(x: Any) -> Any:
    return bool(x) if is_rational(x) else None


def same(asked: Asked) -> Value:
    """The value itself; a tensor of the file under its new name is another: exporters store equal ones once."""
    x = asked.x
    return x if x.tensor is None else replace(x, tensor=x.tensor._replace(name=asked.node.outputs[0]))


FOLDS: dict[str, Fold] = {
    **ARITHMETIC,
    "Shape": shape, "Size": size, "Constant": constant, "ConstantOfShape": filled, "Range": numbered, "Gather": gather,
    "Concat": concat, "Slice": take, "Split": split, "Unsqueeze": unsqueeze, "Squeeze": squeeze, "Reshape": reshape,
    "Expand": expand, "Flatten": flatten, "Transpose": transpose, "Cast": cast, "Identity": same,
    **dict.fromkeys(("EyeLike", "RandomNormalLike", "RandomUniformLike"), like),
    **dict.fromkeys(("RandomNormal", "RandomUniform"), drawn),
}  # fmt: skip
CARRIES = {"Identity", "Reshape", "Transpose", "Unsqueeze", "Squeeze", "Flatten", "Cast"}  # their tensor stays one
INTO_CONSTANTS = {"ScatterND", "ScatterElements", "Scatter"}  # they write numbers into masks, which nothing learns
