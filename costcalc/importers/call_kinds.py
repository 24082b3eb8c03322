"""Ops without a twin in costcalc, by what they do: a view, a function of each element, a reduction, a move of elements.

What is none of these has no rule, and the import names it. Nothing here depends on how torch calls an op inside.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from costcalc.importers.run_record import Call, Tensor
from costcalc.ops.imported import Contraction, Elementwise, Move, Reduction, View


class Work(NamedTuple):
    """Operations for each element, and for each of a gradient; the inputs that are kept for it, or the output."""

    operations: int
    gradient_operations: int = 1
    kept: tuple[int, ...] = ()
    keeps_output: bool = False


POINTWISE = {
    **dict.fromkeys(("add", "sub", "rsub"), Work(1, 0)), "neg": Work(1, 1), "mul": Work(1, 1, (0, 1)),
    "div": Work(1, 2, (0, 1)), "pow": Work(1, 2, (0,)), "exp": Work(1, 1, keeps_output=True),
    "sqrt": Work(1, 2, keeps_output=True), "rsqrt": Work(2, 3, keeps_output=True), "log": Work(1, 1, (0,)),
    "abs": Work(1, 2, (0,)), "sin": Work(1, 2, (0,)), "cos": Work(1, 2, (0,)), "erf": Work(1, 4, (0,)),
    "reciprocal": Work(1, 2, keeps_output=True), "clamp": Work(2, 2, (0,)), "clamp_min": Work(1, 1, (0,)),
    "where": Work(1, 1, (0,)), "masked_fill": Work(1, 1, (1,)), "lerp": Work(3, 2, (0, 1)),
    "addcmul": Work(2, 2, (1, 2)),
    "softplus": Work(3, 3, (0,)), "elu": Work(3, 3, (0,)), "celu": Work(4, 3, (0,)), "selu": Work(3, 3, (0,)),
    "mish": Work(5, 8, (0,)), "glu": Work(4, 6, (0,)), "logsigmoid": Work(3, 3, (0,)), "square": Work(1, 2, (0,)),
    "log_softmax": Work(5, 3, keeps_output=True), "rms_norm": Work(4, 8, (0,)), "layer_norm": Work(8, 9, (0,)),
    "group_norm": Work(8, 9, (0,)), "_weight_norm_interface": Work(4, 6, (0, 1)), "batch_norm": Work(7, 9, (0,)),
    "instance_norm": Work(7, 9, (0,)),
}  # fmt: skip
REDUCTIONS = {
    **dict.fromkeys(("sum", "mean"), Work(1, 1)), "linalg_vector_norm": Work(2, 2, (0,), keeps_output=True),
    "norm": Work(2, 2, (0,), keeps_output=True), "var": Work(3, 2, (0,)), "std": Work(3, 3, (0,), keeps_output=True),
    "var_mean": Work(4, 3, (0,)), "cumsum": Work(1, 1), "col2im": Work(1, 0),
    "logsumexp": Work(4, 2, (0,), keeps_output=True),
    "amax": Work(1, 1, (0,), keeps_output=True), "adaptive_max_pool2d": Work(1, 1, (0,)),
    "amin": Work(1, 1, (0,), keeps_output=True),
}  # fmt: skip
MOVES = {
    "cat", "stack", "clone", "contiguous", "copy", "index", "index_select", "_unsafe_index", "gather", "scatter",
    "pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "roll", "flip", "repeat",
    "tile", "expand", "expand_copy", "to", "_to_copy", "select_scatter", "slice_scatter", "tril", "triu",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "one_hot", "topk", "sort", "argsort", "embedding", "fill",
    "zero", "masked_select", "index_put", "reshape", "flatten", "view", "squeeze", "unsqueeze", "unfold", "im2col",
    "upsample_nearest2d", "split", "chunk", "meshgrid", "repeat_interleave", "dropout",
}  # fmt: skip
INTERPOLATIONS = {
    "upsample_bilinear2d": 11,
    "upsample_bicubic2d": 35,
    "_upsample_bicubic2d_aa": 35,
    "_upsample_bilinear2d_aa": 11,
    "upsample_linear1d": 3,
    "upsample_trilinear3d": 23,
}
PRODUCTS = {"linear", "matmul", "bmm", "baddbmm", "addmm", "mm", "conv1d", "conv2d", "conv3d", "convolution", "einsum"}


def makes_new(op: str) -> bool:
    """Does an op make a tensor of a given value, whatever is in the tensors that it reads?"""
    name = op.removeprefix("aten::")
    return name.startswith("new_") or name.endswith("_like")


def is_factory(call: Call) -> bool:
    """Does a call make a tensor that depends on none?"""
    return makes_new(call.op) or not any(True for _ in call.tensors)


def has_products(call: Call) -> bool:
    """Does a call multiply and add?"""
    return call.op.removeprefix("aten::").rstrip("_") in PRODUCTS


def of_kind(call: Call) -> Any | None:
    """An op for a call, by its kind; None without one."""
    name = call.op.removeprefix("aten::").rstrip("_")
    size = call.outputs[0].shape
    if name in PRODUCTS:
        return Contraction(size, products_of(call))
    if call.views and not call.writes:
        return View(size)
    inputs = [*call.tensors]
    if name in INTERPOLATIONS:
        return Reduction(size, INTERPOLATIONS[name])
    if "pointwise" in call.tags or name in POINTWISE:
        return Elementwise(*_at_most(POINTWISE.get(name, Work(1, 1, tuple(range(len(inputs))))), len(inputs)))
    if "reduction" in call.tags or name in REDUCTIONS:
        return Reduction(size, *_at_most(REDUCTIONS.get(name, Work(1, 1, (0,))), len(inputs)))
    return Move(size) if name in MOVES else None


def _at_most(work: Work, inputs: int) -> Work:
    """The work of a call with so many tensors: of x·3 no factor is kept."""
    if inputs < 2 and work.kept == (0, 1):
        return work._replace(kept=())
    return work._replace(kept=tuple(i for i in work.kept if i < inputs))


def products_of(call: Call) -> int:
    """Multiply-accumulates for each element of the output of a product."""
    if "conv" in call.op:
        return prod(call.arguments["weight"].shape[1:])  # c_in / groups and the kernel
    first = factors_of(call)[0]
    return first.shape[-1]


def factors_of(call: Call) -> tuple[Tensor, ...]:
    """The tensors of a product: both factors, then what is added. `addmm` and `baddbmm` name that first."""
    given = call.arguments
    for names in (("mat1", "mat2", "self"), ("batch1", "batch2", "self")):
        if names[0] in given:
            return tuple(given[name] for name in names)
    return tuple(call.tensors)
