"""Normalisations of ONNX, and a rectifier with a learned slope."""

from __future__ import annotations

from costcalc import ops
from costcalc.dims import decided, elements, equal, exact_div
from costcalc.importers.onnx_files.onnx_values import Asked, Made, Step, Value, along_channels, one, own
from costcalc.ops.imported import Elementwise, View


def batch_norm(asked: Asked) -> Made:
    """Batch normalisation with stored statistics."""
    asked.need(not asked.attribute("training_mode", 0), "it is in training mode; export the network in evaluation mode")
    names = ("weight", "bias", "running_mean", "running_var")
    tensors = {name: asked.input(i + 1) for i, name in enumerate(names)}
    if all(map(asked.owns, tensors.values())):
        return one(ops.BatchNorm(), asked.x, **tensors)
    return normalised(asked, 2, *tensors.values())


def normalised(asked: Asked, operations: int, *tensors: Value) -> Made:
    """A normalisation whose tensors are operands, a number for each channel."""
    given = [value for x in tensors for value in along_channels(x, asked.rank - 2)]
    return one(Elementwise(operations, 9, (0,)), asked.x, *given)


def instance_norm(asked: Asked) -> Made:
    """Normalisation of each channel: of as many groups as there are channels."""
    weight, bias = asked.input(1), asked.input(2)
    if asked.owns(weight) and asked.owns(bias):
        return one(ops.GroupNorm(weight.shape[0] if weight.shape else 1), asked.x, weight=weight, bias=bias)
    return normalised(asked, 7, weight, bias)


def group_norm(asked: Asked) -> Made:
    """Normalisation of groups of channels; in some versions with a scale for each group."""
    weight, bias, groups = asked.input(1), asked.input(2), asked.attribute("num_groups", 1)
    channels = asked.x.shape[1] if asked.rank > 1 else 1
    of_channels = decided(equal(elements(weight.shape), channels), "the shape of a weight")
    if of_channels and asked.owns(weight) and asked.owns(bias):
        return one(ops.GroupNorm(groups), asked.x, weight=weight, bias=bias)
    if of_channels:
        return normalised(asked, 7, weight, bias)
    grouped = (asked.x.shape[0], groups, exact_div(elements(asked.x.shape[1:]), groups))
    apart = Step(View(grouped), (asked.x,))
    each = [x.shaped((*x.shape, 1)) for x in (weight, bias)]
    return Made((apart, Step(Elementwise(7, 9, (0,)), (None, *each)), Step(View(asked.x.shape), (None,))))


def layer_norm(asked: Asked) -> Made:
    """Normalisation over the last axes."""
    weight, bias, axis = asked.given(1), asked.given(2), asked.axis(-1)
    out = (*asked.x.shape[:axis], *[1] * (asked.rank - axis))
    if all(x is None or asked.owns(x) for x in (weight, bias)) and (weight is not None or bias is None) and axis:
        made = ops.LayerNorm(axes=asked.rank - axis, affine=weight is not None, bias=bias is not None or weight is None)
        return Made((Step(made, (asked.x,), own(weight=weight, bias=bias)),), (out, out))
    given = [x for x in (weight, bias) if x is not None]
    return Made((Step(Elementwise(8, 9, (0,)), (asked.x, *given)),), (out, out))


def rms_norm(asked: Asked) -> Made:
    """Root mean square normalisation over the last axes."""
    weight, axis = asked.given(1), asked.axis(-1)
    if axis and (weight is None or asked.owns(weight)):
        made = ops.RMSNorm(axes=asked.rank - axis, affine=weight is not None)
        return one(made, asked.x, **own(weight=weight))
    return one(Elementwise(4, 8, (0,)), asked.x, *((weight,) if weight is not None else ()))


def prelu(asked: Asked) -> Made:
    """max(0, x) + w·min(0, x)."""
    slope = asked.input(1)
    count = elements(slope.shape)
    if asked.owns(slope) and equal(count, 1) is True:
        return one(ops.PReLU(), asked.x, weight=slope)
    if asked.owns(slope) and asked.rank > 1 and equal(count, asked.x.shape[1]) is True:
        return one(ops.PReLU(per_channel=True), asked.x, weight=slope)
    return one(Elementwise(2, 2, (0, 1)), asked.x, slope)
