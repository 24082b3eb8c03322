"""ONNX's ops that move elements or take some of them, and those that interpolate between them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from costcalc import ops
from costcalc.dims import Shape, Size, ceil_div, decided, divides, elements, equal, floor, floor_div, is_rational
from costcalc.importers.aten_ops.call_kinds import BICUBIC, BILINEAR
from costcalc.importers.onnx_files.onnx_reshapes import ENDLESS, order, slices
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step, Translation, Value, known, one, same_sizes
from costcalc.ops.broadcast import broadcast
from costcalc.ops.imported import Elementwise, Move, View


def same(asked: Asked) -> Value:
    """The input itself."""
    return asked.x


def dropout(asked: Asked) -> Value:
    """Nothing in evaluation."""
    trains = asked.given(2)
    truth = trains.entries if trains is not None else (False,)
    asked.need(truth is not None and not any(truth), "it is in training mode; export the network in evaluation mode")
    return asked.x


def view(shape_of: Callable[[Asked], Shape]) -> Translation:
    """Another shape of the same elements. Which op it becomes does not depend on sizes."""

    def translated(asked: Asked) -> Made | Value:
        if asked.node.op == "Flatten" and asked.attribute("axis", 1) == 1 and asked.rank > 1:
            return one(ops.Flatten(), asked.x) if asked.rank > 2 else asked.x
        return one(ops.Reshape(list(shape_of(asked)), whole=True), asked.x)

    return translated


def transpose(asked: Asked) -> Made:
    """Axes in another order."""
    return one(ops.Transpose(order(asked)), asked.x)


def expand(asked: Asked) -> Made:
    """A tensor stretched."""
    return one(View(broadcast(asked.x.shape, tuple(asked.numbers("shape", 1, ()) or ()))), asked.x)


def concat(asked: Asked) -> Made | Value:
    """Tensors side by side."""
    inputs = [x for x in asked.inputs if x is not None and equal(elements(x.shape), 0) is not True]
    asked.need(inputs, "it joins nothing")
    return one(ops.Concat(asked.axis(1)), *inputs) if len(inputs) > 1 else inputs[0]


def split(asked: Asked) -> Made:
    """Parts of one axis: of the sizes that are given, or equal ones."""
    axis, count, x = asked.axis(0), len(asked.node.outputs), asked.x.shape
    sizes = asked.numbers("split", 1)
    if sizes is None:
        each = ceil_div(x[axis], asked.attribute("num_outputs", count) or count)
        sizes = (*[each] * (count - 1), x[axis] - each * (count - 1))
    asked.need(len(sizes) == count, f"it has {count} outputs and {len(sizes)} sizes")
    total = equal(sum(sizes), x[axis])
    asked.need(total is not False, f"its sizes {sizes} do not add up to {x[axis]}")
    first, *others = ((*x[:axis], size, *x[axis + 1 :]) for size in sizes)
    return Made((Step(View(first, False, 0, 1), (asked.x,)),), tuple(others))


def take(asked: Asked) -> Made | Value:
    """A slice; turned round it is a copy. One that says it takes all is none."""
    starts, ends = asked.numbers("starts", 1) or (), asked.numbers("ends", 2) or ()
    steps = asked.numbers("steps", 4) or ()
    whole = all(is_rational(at) and at >= ENDLESS for at in ends) and all(step == 1 for step in steps)
    if whole and all(is_rational(at) and at == 0 for at in starts):
        return asked.x
    out, turned, cut = [*asked.x.shape], False, slices(asked)
    for axis, (_, size, step) in cut.items():
        out[axis], turned = size, turned or step < 0
    if any(is_rational(size) and size == 0 for size in out):
        return known(tuple(out))
    ((start, _, step),) = cut.values() if len(cut) == 1 and not turned else ((0, 0, 0),)
    return one(Move(tuple(out)) if turned else View(tuple(out), False, start, step), asked.x)


def gather(asked: Asked) -> Made:
    """Rows: of a table that is a tensor of the file an embedding, else a view of one, or a copy of some."""
    x, indices, axis = asked.x, asked.input(1), asked.axis(0)
    if asked.owns(x) and x.is_learned and len(x.shape) == 2 and axis == 0 and indices.shape:
        return one(ops.Embedding(*x.shape), indices, weight=x)
    out = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    if indices.is_known:
        return one(View(out) if not indices.shape else Move(out), x)
    return one(Move(out, 1, (1,)), x, indices)


def gather_elements(asked: Asked) -> Made:
    """An element for each index."""
    return one(Move(asked.input(1).shape, 1, (0, 1)), asked.x, asked.input(1))


def gather_nd(asked: Asked) -> Made:
    """A slice for each row of indices."""
    x, indices, batch = asked.x.shape, asked.input(1), asked.attribute("batch_dims", 0)
    depth = indices.shape[-1] if indices.shape else 0
    asked.need(is_rational(depth) and 0 < depth <= len(x) - batch, f"its indices have the shape {indices.shape}")
    return one(Move((*indices.shape[:-1], *x[batch + depth :]), 1, (1,)), asked.x, indices)


def scatter(asked: Asked) -> Made:
    """A copy in which some elements are others."""
    return one(Move(asked.x.shape, kept=(1,)), *(x for x in asked.inputs if x is not None))


def pad(asked: Asked) -> Made | Value:
    """Elements around a tensor, or some taken away."""
    rank = asked.rank
    pads = asked.numbers("pads", 1) or asked.numbers("paddings", 1) or ()
    axes = asked.axes("axes", 3, rank) or tuple(range(rank))
    asked.need(len(pads) == 2 * len(axes), f"it has {len(pads)} pads for {len(axes)} axes")
    cut, low, high = [*asked.x.shape], [], []
    for axis, before, after in zip(axes, pads, pads[len(axes) :]):
        cut[axis] += sum(p for p in (before, after) if is_rational(p) and p < 0)
        low.append(max(before, 0) if is_rational(before) else before)
        high.append(max(after, 0) if is_rational(after) else after)
    computed = (given := asked.given(1)) is not None and given.tensor is None  # from sizes: 0 at some of them
    steps = [] if same_sizes(tuple(cut), asked.x.shape) else [Step(View(tuple(cut)), (asked.x,))]
    padded = [i for i in range(len(axes)) if computed or low[i] != 0 or high[i] != 0]
    if padded:
        fields = (tuple(values[i] for i in padded) for values in (axes, low, high))
        steps.append(Step(ops.Pad(*fields), (None if steps else asked.x,)))
    return Made(tuple(steps)) if steps else asked.x


def tile(asked: Asked) -> Made:
    """Copies side by side."""
    times = asked.numbers("repeats", 1) or ()
    asked.need(len(times) == asked.rank, f"it has {len(times)} repeats for {asked.rank} axes")
    return one(Move(tuple(n * t for n, t in zip(asked.x.shape, times)), 1), asked.x)


def blocks(to_space: bool) -> Translation:
    """Channels become squares of positions, or squares channels."""

    def translated(asked: Asked) -> Made:
        side = asked.attribute("blocksize", 0)
        asked.need(asked.rank == 4 and side > 0, "it needs an image and a size of blocks")
        n, c, h, w = asked.x.shape
        for size in (c,) if to_space else (h, w):
            whole = decided(divides(side * side if to_space else side, size), f"whether {side} divides {size}")
            asked.need(whole, f"its blocks of {side} do not fit into {asked.x.shape}")
        if to_space:
            return one(Move((n, floor_div(c, side * side), h * side, w * side)), asked.x)
        return one(Move((n, c * side * side, floor_div(h, side), floor_div(w, side))), asked.x)

    return translated


MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}


def resize(asked: Asked) -> Made:
    """An image in another size, interpolated."""
    rank = asked.rank
    axes = asked.axes("axes", 9, rank) or tuple(range(rank))
    late = asked.node.op == "Resize" and asked.opset >= 11
    sizes = asked.numbers("sizes", 3) if late else None
    scales = None if sizes else asked.numbers("scales", 2 if late else 1)
    asked.need(sizes or scales, "it has neither sizes nor scales")
    given = sizes or scales or ()
    asked.need(len(given) == len(axes), f"it has {len(given)} sizes or scales for {len(axes)} axes")
    policy = asked.attribute("keep_aspect_ratio_policy", "stretch")
    asked.need(policy == "stretch" or not sizes, f"its keep_aspect_ratio_policy is {policy!r}")
    out = [*asked.x.shape]
    for axis, one_of in zip(axes, given):
        out[axis] = one_of if sizes else scaled(asked, out[axis], one_of)
    mode = MODES.get(asked.attribute("mode", "nearest"), "")
    asked.need(mode, "its mode is none that is known")
    images = rank > 2 and same_sizes(tuple(out[:2]), asked.x.shape[:2])
    if images and (mode != "cubic" or rank == 4):
        return one(ops.Upsample(mode=mode, size=tuple(out[2:])), asked.x)
    if mode == "nearest":
        return one(Move(tuple(out), 1), asked.x)
    between = Step(Elementwise(BILINEAR if mode == "linear" else BICUBIC, 1), (None,))
    return Made((Step(Move(tuple(out), 1), (asked.x,)), between))


def scaled(asked: Asked, size: Size, scale: Any) -> Size:
    """⌊size · scale⌋, the product rounded to float32, as ONNX has it."""
    asked.need(is_rational(scale) and scale > 0, f"a scale is {scale}")
    if is_rational(size):
        try:
            (product,) = struct.unpack("f", struct.pack("f", float(size * scale)))
        except OverflowError:
            asked.refuse(f"a scale is {float(scale)}")
        return floor(Fraction(product))
    exact = Fraction(scale).limit_denominator(64)
    asked.need(exact == scale, f"a scale is {float(scale)}, which float32 rounds: set the sizes of its input")
    return floor(size * exact)


def one_hot(asked: Asked) -> Made:
    """A row of zeros and a one for each index."""
    depth = asked.numbers("depth", 1) or ()
    asked.need(len(depth) == 1, "its depth is no number")
    axis = asked.axis_in(asked.attribute("axis", -1), asked.rank + 1)
    return one(Move((*asked.x.shape[:axis], depth[0], *asked.x.shape[axis:])), asked.x)


def copied(asked: Asked) -> Made:
    """A tensor of the same shape, elements in other places or of another type."""
    return one(Move(asked.x.shape), asked.x)


def sampled(asked: Asked) -> Made:
    """An image at positions that are given: interpolated between its neighbours."""
    x, grid = asked.x.shape, asked.input(1)
    asked.need(len(x) == len(grid.shape) > 2, f"its positions have the shape {grid.shape}")
    mode = asked.attribute("mode", "linear")
    if mode in ("nearest", "linear", "bilinear") and len(x) in (4, 5):
        return one(ops.GridSample("nearest" if mode == "nearest" else "linear"), asked.x, grid)
    if mode not in ("cubic", "bicubic") or len(x) != 4:
        asked.refuse(f"its mode is {mode[:64]!r}, of {len(x)} axes")
    out = (*x[:2], *grid.shape[1:-1])
    return Made((Step(Move(out, 1), (asked.x, grid)), Step(Elementwise(BICUBIC, BICUBIC), (None,))))
