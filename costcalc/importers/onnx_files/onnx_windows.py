"""Convolutions and pools of ONNX.

A weight that is no tensor of the file is an operand, and the convolution a contraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from costcalc import ops
from costcalc.dims import canonical, ceil_div, is_rational, output_size
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step, Translation, Value, along_channels, one, own
from costcalc.ops.imported import Contraction, Elementwise, Reduction


def per_axis(asked: Asked, name: str, axes: int, default: int = 1) -> tuple[int, ...]:
    """An attribute with a number for each sliding axis."""
    found = tuple(asked.attribute(name, (default,) * axes))
    asked.need(len(found) == axes and all(type(n) is int for n in found), f"its {name} are {found}, of {axes} axes")
    return found


def alike(numbers: Sequence[Any]) -> Any:
    """One number if all are equal, else the list."""
    return numbers[0] if len({*numbers}) == 1 else list(numbers)


def padding(asked: Asked, kernel: Sequence[Any], *, pools: bool = False) -> tuple[list[Step], Any, Value | None]:
    """What is padded before, the field `padding`, and what the op reads. Zeros that are more on one side, or more than
    half of a pool's window, are a layer of their own. SAME_UPPER and SAME_LOWER have the same sizes and counts."""
    axes = len(kernel)
    match asked.attribute("auto_pad", "NOTSET"):
        case "SAME_UPPER" | "SAME_LOWER":
            return [], "same", asked.x
        case "VALID":
            return [], 0, asked.x
        case "NOTSET" | "":
            pads = asked.attribute("pads", (0,) * (2 * axes))
        case other:
            asked.refuse(f"its auto_pad is {other[:64]!r}")
    asked.need(len(pads) == 2 * axes and all(type(n) is int and n >= 0 for n in pads), f"its pads are {pads}")
    before, after = pads[:axes], pads[axes:]
    if before == after and not (pools and any(2 * p > k for p, k in zip(before, kernel))):
        return [], alike(before), asked.x
    return [Step(ops.Pad(tuple(range(2, axes + 2)), before, after), (asked.x,))], 0, None


def conv(asked: Asked) -> Made:
    """A convolution."""
    x, weight, bias = asked.x, asked.input(1), asked.given(2)
    axes = asked.rank - 2
    asked.need(axes >= 1 and len(weight.shape) == asked.rank, f"a weight of {weight.shape} on an input of {x.shape}")
    kernel, stride, dilation = weight.shape[2:], per_axis(asked, "strides", axes), per_axis(asked, "dilations", axes)
    before, pads, read = padding(asked, kernel)
    if asked.owns(weight) and (bias is None or asked.owns(bias)):
        made = ops.Conv(
            weight.shape[0], kernel=alike(kernel), stride=alike(stride), padding=pads, dilation=alike(dilation),
            groups=asked.attribute("group", 1), bias=bias is not None,
        )  # fmt: skip
        return Made((*before, Step(made, (read,), own(weight=weight, bias=bias))))
    shape = before[0].op.shape(x.shape) if before else x.shape
    each = zip(shape[2:], kernel, stride, pads if isinstance(pads, list) else [pads] * axes, dilation)
    size = (x.shape[0], weight.shape[0], *(output_size(*sizes) for sizes in each))
    product = Contraction(size, prod(weight.shape[1:]))
    return Made((*before, Step(product, (read, weight, *along_channels(bias, axes)))))


def conv_transpose(asked: Asked) -> Made:
    """A transposed convolution: its output has the size that it says, or the one that follows from its pads."""
    x, weight, bias = asked.x, asked.input(1), asked.given(2)
    axes, groups = asked.rank - 2, asked.attribute("group", 1)
    asked.need(axes >= 1 and len(weight.shape) == asked.rank, f"a weight of {weight.shape} on an input of {x.shape}")
    asked.need(groups > 0, f"its group is {groups}")
    kernel, stride, dilation = weight.shape[2:], per_axis(asked, "strides", axes), per_axis(asked, "dilations", axes)
    extra, cut, channels = (
        per_axis(asked, "output_padding", axes, 0),
        taken_away(asked, kernel),
        weight.shape[1] * groups,
    )
    # as many positions away from both ends, and some more at the end
    pads = [max(0, -(-total // 2)) for total in cut]
    extra = tuple(e + 2 * p - total for e, p, total in zip(extra, pads, cut))
    made = ops.ConvTranspose(
        channels, kernel=alike(kernel), stride=alike(stride), padding=alike(pads), output_padding=alike(extra),
        dilation=alike(dilation), groups=groups, bias=bias is not None,
    )  # fmt: skip
    if asked.owns(weight) and (bias is None or asked.owns(bias)):
        return one(made, x, **own(weight=weight, bias=bias))
    size = made.shape(x.shape)
    columns = (x.shape[0], channels * prod(kernel), *x.shape[2:])
    product = Step(Contraction(columns, weight.shape[0] // groups), (x, weight))
    added = Step(Elementwise(1, 0), (None, *along_channels(bias, axes)))
    return Made((product, Step(Reduction(size, 1, 0), (None,)), *((added,) if bias is not None else ())))


def taken_away(asked: Asked, kernel: Sequence[int]) -> list[int]:
    """How many positions the pads of a transposed convolution take from each axis of what its windows reach; below 0
    they add some."""
    axes = len(kernel)
    stride, dilation = per_axis(asked, "strides", axes), per_axis(asked, "dilations", axes)
    extra = per_axis(asked, "output_padding", axes, 0)
    reach = [e + (k - 1) * d + 1 for e, k, d in zip(extra, kernel, dilation)]  # of the last window
    said = asked.attribute("output_shape", ())
    if said:
        asked.need(len(said) >= axes, f"its output_shape is {said}")
        sizes = zip(asked.x.shape[2:], stride, reach, said[-axes:])
        cut = [canonical(s * (n - 1) + r - size) for n, s, r, size in sizes]
        asked.need(
            all(type(n) is int for n in cut), f"its output_shape is {said}, whatever its input has: set its sizes"
        )
        return cut
    if asked.attribute("auto_pad", "NOTSET").startswith("SAME"):
        return [r - s for s, r in zip(stride, reach)]
    pads = asked.attribute("pads", (0,) * (2 * axes))
    asked.need(len(pads) == 2 * axes and all(type(n) is int for n in pads), f"its pads are {pads}")
    return [low + high for low, high in zip(pads, pads[axes:])]


def pool(op: Any, *fields: str) -> Translation:
    """The largest or the mean of each window. Without strides windows advance by 1."""

    def translated(asked: Asked) -> Made:
        axes = asked.rank - 2
        asked.need(axes >= 1, f"it needs batch, channels and a sliding axis, got {asked.rank} axes")
        kernel = per_axis(asked, "kernel_shape", axes, 0)
        stride, dilation = per_axis(asked, "strides", axes), per_axis(asked, "dilations", axes)
        before, pads, read = padding(asked, kernel, pools=True)
        ceil_mode = bool(asked.attribute("ceil_mode", 0)) and pads != "same"
        if ceil_mode and before:
            before, ceil_mode = [ceil_padding(asked, kernel, stride, dilation)], False
        more = {"count_include_pad": bool(asked.attribute("count_include_pad", 0))} if fields else {}
        made = op(
            alike(kernel), alike(stride), padding=pads, ceil_mode=ceil_mode, dilation=alike(dilation), **more,
        )  # fmt: skip
        out = made.shape(before[0].op.shape(asked.x.shape) if before else asked.x.shape)
        return Made((*before, Step(made, (read,))), (out,))

    return translated


def ceil_padding(asked: Asked, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Step:
    """Pads that differ, so that as many windows fit as start in the input or before it."""
    axes = len(kernel)
    pads = asked.attribute("pads", ())
    after = []
    for n, k, s, d, low, high in zip(asked.x.shape[2:], kernel, stride, dilation, pads, pads[axes:]):
        asked.need(is_rational(n), "set its sizes: with ceil_mode and pads that differ they must be numbers")
        reach = d * (k - 1) + 1
        count = min(ceil_div(n + low + high - reach, s) + 1, ceil_div(n + low, s))
        after.append(max(0, (count - 1) * s + reach - n - low))
    return Step(ops.Pad(tuple(range(2, axes + 2)), pads[:axes], tuple(after)), (asked.x,))
