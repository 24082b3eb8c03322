"""Ops without a twin in costcalc, by what they do: a view, a function of each element, a reduction, a move of elements.

What is none of these has no rule, and the import names it. Nothing here depends on how torch calls an op inside.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from costcalc.importers.aten_ops.kept_places import kept_of
from costcalc.importers.torch_runs.run_record import Call, Tensor, makes_new, short_name
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
    "floor_divide": Work(1, 0),
    "abs": Work(1, 2, (0,)), "sin": Work(1, 2, (0,)), "cos": Work(1, 2, (0,)), "erf": Work(1, 4, (0,)),
    "reciprocal": Work(1, 2, keeps_output=True), "clamp": Work(2, 2, (0,)), "clamp_min": Work(1, 1, (0,)),
    "where": Work(1, 1, (0,)), "masked_fill": Work(1, 1, (1,)), "lerp": Work(3, 2, (0, 1)),
    "addcmul": Work(2, 2, (1, 2)),
    "softplus": Work(3, 3, (0,)), "elu": Work(3, 3, (0,)), "celu": Work(4, 3, (0,)), "selu": Work(3, 3, (0,)),
    "mish": Work(5, 8, (0,)), "glu": Work(4, 6, (0,)), "logsigmoid": Work(3, 3, (0,)), "square": Work(1, 2, (0,)),
    "log_softmax": Work(5, 3, keeps_output=True), "rms_norm": Work(4, 8, (0,)), "layer_norm": Work(8, 9, (0,)),
    "group_norm": Work(8, 9, (0,)), "_weight_norm_interface": Work(4, 6, (0, 1)), "batch_norm": Work(7, 9, (0,)),
    "instance_norm": Work(7, 9, (0,)),
    "log_sigmoid_forward": Work(5, 4, (0,)), "rrelu_with_noise": Work(2, 2, (0,)), "linalg_cross": Work(3, 6, (0, 1)),
}  # fmt: skip
REDUCTIONS = {
    **dict.fromkeys(("sum", "mean"), Work(1, 1)), "linalg_vector_norm": Work(2, 2, (0,), keeps_output=True),
    "norm": Work(2, 2, (0,), keeps_output=True), "var": Work(3, 2, (0,)), "std": Work(3, 3, (0,), keeps_output=True),
    "var_mean": Work(4, 3, (0,)), "cumsum": Work(1, 1), "histc": Work(4, 0), "col2im": Work(1, 0),
    "logsumexp": Work(4, 2, (0,), keeps_output=True),
    "amax": Work(1, 1, (0,), keeps_output=True), "adaptive_max_pool2d": Work(1, 1, (0,)),
    "amin": Work(1, 1, (0,), keeps_output=True), **dict.fromkeys(("cummax", "cummin"), Work(1, 1)),
    "cumprod": Work(1, 3, (0,), keeps_output=True), "logcumsumexp": Work(4, 4, (0,), keeps_output=True),
}  # fmt: skip
MOVES = {
    "cat", "stack", "clone", "contiguous", "copy", "index", "index_select", "_unsafe_index", "gather", "scatter",
    "pad", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad2d", "roll", "flip", "repeat",
    "tile", "expand", "expand_copy", "to", "_to_copy", "select_scatter", "slice_scatter", "tril", "triu",
    "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "one_hot", "topk", "sort", "argsort", "embedding", "fill",
    "zero", "masked_select", "index_put", "reshape", "flatten", "view", "squeeze", "unsqueeze", "unfold", "im2col",
    "upsample_nearest2d", "split", "chunk", "meshgrid", "repeat_interleave", "dropout",
    "rot90", "max_unpool2d", "max_unpool3d", "masked_scatter", "index_copy", "index_fill", "take", "diag_embed",
    "median", "nanmedian", "kthvalue", "mode", "msort", "diagonal_copy",
}  # fmt: skip
ORDERS = {  # where the elements of moves go; those of the others are not known
    **dict.fromkeys(("reshape", "flatten", "view", "squeeze", "unsqueeze"), "same"),
    **dict.fromkeys(("clone", "contiguous", "copy", "to", "_to_copy"), "place"),
    **dict.fromkeys(("pad", "constant_pad_nd", "tril", "triu"), "place"),
}  # fmt: skip
PARTS_OF_AXIS = ("split", "split_with_sizes", "chunk")
BILINEAR, BICUBIC = 11, 35  # operations for each element that is interpolated
INTERPOLATIONS = {"_upsample_bicubic2d_aa": BICUBIC, "_upsample_bilinear2d_aa": BILINEAR}
ADDS_TO_PLACES = {"index_add": "source", "scatter_add": "src", "scatter_reduce": "src", "index_reduce": "source"}
TRANSPOSED = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
PRODUCTS = TRANSPOSED | {
    "linear", "matmul", "bmm", "baddbmm", "addmm", "mm", "conv1d", "conv2d", "conv3d", "convolution", "mv", "dot",
    "vdot", "addmv", "addbmm", "addr", "_grouped_mm",
}  # fmt: skip
FACTORS = (  # the names of both, and of what is added; otherwise they come first
    ("mat1", "mat2", "self"), ("batch1", "batch2", "self"), ("mat", "vec", "self"), ("vec1", "vec2", "self"),
    ("self", "mat2", "bias"),
)  # fmt: skip


def is_factory(call: Call) -> bool:
    """Does a call make a tensor that depends on none?"""
    return makes_new(call.op) or not call.tensors


def plain_name(call: Call) -> str:
    """`add` of `aten::add_`."""
    return short_name(call.op)


def multiplies(call: Call) -> bool:
    """Does a call multiply and add? It is counted even if nothing reads its output."""
    return plain_name(call) in PRODUCTS | {"scaled_dot_product_attention", "lstm", "gru", "bilinear"}


def of_kind(call: Call) -> tuple[Any, tuple[Tensor, ...]] | None:
    """An op for a call, by its kind, and the tensors that it reads; None without one."""
    if not call.outputs:
        return None
    name, size, inputs = plain_name(call), call.outputs[0].shape, call.tensors
    if name in PRODUCTS:
        return Contraction(size, products_of(call), name in TRANSPOSED), factors_of(call)
    if call.views and not call.writes:
        return View(size, False, *start_and_step(call)), inputs
    if name in INTERPOLATIONS:
        return Reduction(size, INTERPOLATIONS[name]), inputs
    if (counted := of_places(name, size, call)) is not None:
        return counted
    if name in MOVES:  # torch calls a copy pointwise
        return Move(size, kept=kept_of(call, inputs), order=ORDERS.get(name, "unknown")), inputs
    if "pointwise" in call.tags or name in POINTWISE:
        return Elementwise(*_at_most(POINTWISE.get(name, Work(1, 1, (*range(len(inputs)),))), len(inputs))), inputs
    if "reduction" in call.tags or name in REDUCTIONS:
        return Reduction(size, *_at_most(REDUCTIONS.get(name, Work(1, 1, (0,))), len(inputs))), inputs
    return None


def start_and_step(call: Call, output: int = 0) -> tuple[int, int]:
    """Where the part of an axis begins that an output of a view takes, and in what steps; step 0 if that is not
    known."""
    name, given = plain_name(call), call.arguments
    if name in PARTS_OF_AXIS:
        return sum(one.shape[given.get("dim", 0)] for one in call.outputs[:output]), 1
    if name != "slice":
        return 0, 0
    length, start = given["self"].shape[given.get("dim", 0)], given.get("start") or 0
    return min(max(start + length * (start < 0), 0), length), given.get("step", 1)


def of_places(name: str, size: tuple[int, ...], call: Call) -> tuple[Any, tuple[Tensor, ...]] | None:
    """An addition of elements to places, a search for the place of each, a loss by class; None for another call."""
    given = call.arguments
    if name in ("bucketize", "searchsorted"):
        x, bounds = given["self"], given.get("boundaries", given.get("sorted_sequence"))
        halvings = bounds.shape[-1].bit_length()
        return (Reduction(size, halvings, 0), (x, bounds)) if isinstance(x, Tensor) else None
    if name.startswith("nll_loss"):  # one number of each target is negated and added
        return Reduction(size, 2, 0), (given["target"], given["self"])
    key = "values" if name == "index_put" and given.get("accumulate") else ADDS_TO_PLACES.get(name, "")
    added = given.get(key)
    if not isinstance(added, Tensor):
        return None
    inputs = (added, *(one for one in call.tensors if one.number != added.number))
    return Reduction(size, 1, 0, kept_of(call, inputs), keeps_output=name == "scatter_reduce"), inputs


def _at_most(work: Work, inputs: int) -> Work:
    """The work of a call with so many tensors: of x·3 no factor is kept."""
    if inputs < 2 and work.kept == (0, 1):
        return work._replace(kept=())
    return work._replace(kept=tuple(i for i in work.kept if i < inputs))


def products_of(call: Call) -> int:
    """Multiply-accumulates for each element of the output of a product; of a transposed convolution, of its input."""
    name = plain_name(call)
    if "conv" in name:
        return prod(call.arguments["weight"].shape[1:])  # channels of a group, and the kernel
    first = factors_of(call)[0]
    if name == "addr":
        return 1
    return first.shape[-1] * (first.shape[0] if name == "addbmm" else 1)


def factors_of(call: Call) -> tuple[Tensor, ...]:
    """The tensors of a product: both factors, then what is added."""
    given = call.arguments
    for names in FACTORS:
        if names[0] in given and names[1] in given:
            return tuple(given[name] for name in names if isinstance(given.get(name), Tensor))
    return call.tensors
