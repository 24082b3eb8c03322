"""ATen's products: convolutions, linear layers, products of matrices, attention, recurrent layers."""

from __future__ import annotations

from typing import Any

from costcalc import ops
from costcalc.importers.aten_ops.translation import (
    Held,
    Node,
    NoRule,
    Translation,
    each_axis,
    of_images,
    own_tensors,
    per_axis,
)
from costcalc.importers.torch_runs.run_record import Call, tensors_of
from costcalc.ops.imported import View


def conv(call: Call, held: Held) -> Node | None:
    """A convolution over 1, 2 or 3 axes; `padding` may be a word."""
    x, own, given = call.arguments["input"], own_tensors(call, held, "weight", "bias"), call.arguments
    axes = len(given["weight"].shape) - 2
    if own is None:
        return None
    padding = given.get("padding", 0)
    if padding == "valid":
        padding = 0
    if padding == "same":
        reach = zip(own["weight"].shape[2:], each_axis(given.get("dilation", 1), axes))
        total = [d * (k - 1) for k, d in reach]
        if any(size % 2 for size in total):
            return None  # torch pads one side more
        padding = [size // 2 for size in total]
    made = ops.Conv(
        own["weight"].shape[0], kernel=per_axis(own["weight"].shape[2:], axes), padding=per_axis(padding, axes),
        stride=per_axis(given.get("stride", 1), axes), dilation=per_axis(given.get("dilation", 1), axes),
        groups=given.get("groups", 1), bias="bias" in own,
    )  # fmt: skip
    return of_images(made, call, x, own, axes)


def conv_transpose(call: Call, held: Held) -> Node | None:
    """A transposed convolution."""
    x, own, given = call.arguments["input"], own_tensors(call, held, "weight", "bias"), call.arguments
    axes = len(given["weight"].shape) - 2
    if own is None:
        return None
    groups = given.get("groups", 1)
    made = ops.ConvTranspose(
        own["weight"].shape[1] * groups, kernel=per_axis(own["weight"].shape[2:], axes),
        **{
            name: per_axis(given.get(name, default), axes)
            for name, default in (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1))
        },
        groups=groups, bias="bias" in own,
    )  # fmt: skip
    return of_images(made, call, x, own, axes)


def linear(call: Call, held: Held) -> Node | None:
    """x·Wᵀ + b."""
    x, own = call.arguments["input"], own_tensors(call, held, "weight", "bias")
    if own is None or len(x.shape) < 2 or len(own["weight"].shape) != 2:
        return None
    return Node(ops.Linear(own["weight"].shape[0], bias="bias" in own), (x,), own)


def bilinear(call: Call, held: Held) -> Node | NoRule:
    """x₁·W·x₂ + b."""
    own, x, y = own_tensors(call, held, "weight", "bias"), call.arguments["input1"], call.arguments["input2"]
    if own is None or len(x.shape) < 2:
        return NoRule("whose weight is computed" if own is None else "of vectors")
    return Node(ops.Bilinear(own["weight"].shape[0], bias="bias" in own), (x, y), own)


def add_mm(call: Call, held: Held) -> Node | None:
    """x·W + b of a weight that lies the other way round, as a linear layer."""
    own, given = own_tensors(call, held, "self", "mat2"), call.arguments
    if (
        own is None
        or (given.get("beta", 1), given.get("alpha", 1)) != (1, 1)
        or own["self"].shape != own["mat2"].shape[1:]
    ):
        return None
    return Node(ops.Linear(own["mat2"].shape[1]), (given["mat1"],), {"weight": own["mat2"], "bias": own["self"]})


def mat_mul(call: Call, held: Held) -> Node | None:
    """A product of matrices."""
    a, b = call.arguments["self"], call.arguments.get("other", call.arguments.get("mat2"))
    return Node(ops.MatMul(), (a, b), {}) if min(len(a.shape), len(b.shape)) >= 2 else None


def attention(call: Call, held: Held) -> Node | NoRule | None:
    """Attention, with a mask or without one."""
    given = call.arguments
    q, k, v, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
    if len(q.shape) < 3 or not len(q.shape) == len(k.shape) == len(v.shape):
        return NoRule("of matrices")
    same = q.shape[: -3 if len(q.shape) > 3 else -2]
    if not all(x.shape[: len(same)] == same for x in (k, v)) or k.shape[:-2] != v.shape[:-2]:
        return NoRule("whose keys or values stretch over the batch")
    return Node(ops.ScaledDotProductAttention(), (q, k, v, *((mask,) if mask is not None else ())), {})


def recurrent(op: Any) -> Translation:
    """Layers of an LSTM or GRU; the order of their tensors is that of torch's flat weights.

    Where the batch comes second they read and make views. Their last states are further outputs, and those from which
    they start further inputs; without a gradient to hand on, these are zeros to a count.
    """

    def translated(call: Call, held: Held) -> Node | NoRule:
        given = call.arguments
        tensors, layers, both = given.get("params", ()), given.get("num_layers", 1), bool(given.get("bidirectional"))
        if "batch_sizes" in given:
            return NoRule("of packed sequences")
        if not all(tensor.number in held for tensor in tensors):
            return NoRule("whose weights are computed")
        kinds = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if given.get("has_biases") else ()))
        ends = [f"_l{layer}{way}" for layer in range(layers) for way in ("", "_reverse")[: 1 + both]]
        names = [f"{kind}{end}" for end in ends for kind in kinds]
        if len(names) != len(tensors):
            return NoRule("with a projection")
        made = op(tensors[1].shape[1], layers=layers, bidirectional=both, bias=bool(given.get("has_biases")))
        own = dict(zip(names, tensors))
        states = tensors_of(given["hx"])
        if given.get("batch_first"):
            return Node(made, (given["input"], *states), own)
        length, batch, width = given["input"].shape
        turned = View((batch, length, width)), View(call.outputs[0].shape)
        return Node(made, (given["input"], *states), own, *turned)

    return translated
