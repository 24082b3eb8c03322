"""Ops without a twin in costcalc, by what they do: a view, a function of each element, a reduction, a move of elements.

What is none of these has no rule, and the import names it. Nothing here depends on how torch calls an op inside.
"""

from __future__ import annotations

from math import prod
from typing import Any

from costcalc.importers.record import Call
from costcalc.ops.imported import Contraction, Elementwise, Move, Reduce, View

POINTWISE = {  # without torch's tag, or with more than one operation for each element
    "masked_fill": 1, "where": 1, "lerp": 3, "addcmul": 2, "clamp": 2, "rsqrt": 2, "pow": 1, "softplus": 3, "elu": 3,
    "celu": 4, "rms_norm": 4, "layer_norm": 8, "group_norm": 8, "batch_norm": 7, "instance_norm": 7, "selu": 4, "mish": 5, "glu": 4, "logsigmoid": 3, "softmax": 5, "log_softmax": 5, "normal": 1,
}  # fmt: skip
REDUCTIONS = {"linalg_vector_norm": 2, "norm": 2, "var": 3, "std": 3, "var_mean": 4, "cumsum": 1, "logsumexp": 4}
MOVES = {
    "cat", "stack", "clone", "contiguous", "copy", "index", "index_select", "gather", "scatter", "pad", "constant_pad_nd",
    "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "roll", "flip", "repeat", "tile", "expand_copy", "to",
    "_to_copy", "select_scatter", "slice_scatter", "tril", "triu", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
    "one_hot", "topk", "sort", "argsort", "embedding", "fill", "zero", "masked_select", "index_put", "reshape", "unfold",
    "im2col", "upsample_nearest2d", "split", "chunk", "meshgrid", "repeat_interleave", "dropout", "flatten", "_unsafe_index", "squeeze", "unsqueeze", "view", "expand",
}  # fmt: skip
INTERPOLATIONS = {
    "upsample_bilinear2d": 11,
    "upsample_bicubic2d": 35,
    "upsample_linear1d": 3,
    "upsample_trilinear3d": 23,
}
PRODUCTS = {"linear", "matmul", "bmm", "baddbmm", "addmm", "mm", "conv1d", "conv2d", "conv3d", "convolution", "einsum"}


def is_factory(call: Call) -> bool:
    """Does a call make a tensor of a given value, whatever is in the tensors that it reads?"""
    name = call.op.removeprefix("aten::")
    return name.startswith("new_") or name.endswith("_like") or not any(True for _ in call.tensors)


def has_products(call: Call) -> bool:
    """Does a call multiply and add?"""
    return call.op.removeprefix("aten::").rstrip("_") in PRODUCTS


def of_kind(call: Call) -> Any | None:
    """An op for a call, by its kind; None without one."""
    name = call.op.removeprefix("aten::").rstrip("_")
    size = call.outputs[0].shape
    if name in PRODUCTS:
        return Contraction(size, products_of(call, name))
    if call.views:
        return View(size)
    if name in INTERPOLATIONS:
        return Elementwise(INTERPOLATIONS[name])
    if "pointwise" in call.tags or name in POINTWISE:
        return Elementwise(POINTWISE.get(name, 1))
    if "reduction" in call.tags or name in REDUCTIONS:
        return Reduce(size, REDUCTIONS.get(name, 1))
    return Move(size) if name in MOVES else None


def products_of(call: Call, name: str) -> int:
    """Multiply-accumulates for each element of the output of a product."""
    if "conv" in name:
        weight = call.arguments["weight"].shape
        return prod(weight[1:])  # c_in / groups and the kernel
    first = next(call.tensors)
    return first.shape[-1]
