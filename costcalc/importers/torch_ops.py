"""ATen's ops as costcalc's: one function for each, from a call to an op and the tensors that it reads.

The arguments are read by the names of torch's schemas. A function returns None where its op cannot say what the call
does, such as a convolution whose weight is computed; then the call is taken as one of its kind (call_kinds.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from costcalc import ops
from costcalc.importers.run_record import Call, Learned, Tensor


class Node(NamedTuple):
    """An op, the tensors that it reads, and the tensors of modules that are its own, by their names in the op."""

    op: Any
    inputs: tuple[Tensor, ...]
    own: Mapping[str, Tensor]


Held = Mapping[int, Learned]  # what modules hold, by number
Translation = Callable[[Call, Held], Node | None]


def _own(call: Call, held: Held, *names: str) -> dict[str, Tensor] | None:
    """The arguments of these names that are given, or None if one of them is computed, or a weight is a buffer."""
    given = {name: call.arguments[name] for name in names if isinstance(call.arguments.get(name), Tensor)}
    for name, tensor in given.items():
        learned = held.get(tensor.number)
        if learned is None or learned.is_buffer != name.startswith("running"):
            return None
    return given


def _each(value: Any, axes: int) -> tuple[Any, ...]:
    """A number for each axis, from one for all."""
    numbers = _tuple(value)
    return numbers * axes if len(numbers) == 1 else numbers


def _axes(value: Any, axes: int) -> Any:
    """A number for each axis; one number if they are equal."""
    numbers = _each(value, axes)
    return numbers[0] if len({*numbers}) == 1 else list(numbers)


def conv(call: Call, held: Held) -> Node | None:
    """A convolution over 1, 2 or 3 axes; `padding` may be a word."""
    x, own, given = call.arguments["input"], _own(call, held, "weight", "bias"), call.arguments
    axes = len(given["weight"].shape) - 2
    if own is None or len(x.shape) != axes + 2:
        return None
    padding = given.get("padding", 0)
    if padding == "valid":
        padding = 0
    if padding == "same":
        reach = zip(own["weight"].shape[2:], _each(given.get("dilation", 1), axes))
        total = [d * (k - 1) for k, d in reach]
        if any(size % 2 for size in total):
            return None  # torch pads one side more
        padding = [size // 2 for size in total]
    made = ops.Conv(
        own["weight"].shape[0], kernel=_axes(own["weight"].shape[2:], axes), stride=_axes(given.get("stride", 1), axes),
        padding=_axes(padding, axes), dilation=_axes(given.get("dilation", 1), axes), groups=given.get("groups", 1),
        bias="bias" in own,
    )  # fmt: skip
    return Node(made, (x,), own)


def conv_transpose(call: Call, held: Held) -> Node | None:
    """A transposed convolution."""
    x, own, given = call.arguments["input"], _own(call, held, "weight", "bias"), call.arguments
    axes = len(given["weight"].shape) - 2
    if own is None or len(x.shape) != axes + 2:
        return None
    groups = given.get("groups", 1)
    made = ops.ConvTranspose(
        own["weight"].shape[1] * groups, kernel=_axes(own["weight"].shape[2:], axes),
        stride=_axes(given.get("stride", 1), axes), padding=_axes(given.get("padding", 0), axes),
        output_padding=_axes(given.get("output_padding", 0), axes), dilation=_axes(given.get("dilation", 1), axes),
        groups=groups, bias="bias" in own,
    )  # fmt: skip
    return Node(made, (x,), own)


def linear(call: Call, held: Held) -> Node | None:
    """x·Wᵀ + b."""
    x, own = call.arguments["input"], _own(call, held, "weight", "bias")
    if own is None or len(x.shape) < 2 or len(own["weight"].shape) != 2:
        return None
    return Node(ops.Linear(own["weight"].shape[0], bias="bias" in own), (x,), own)


def batch_norm(call: Call, held: Held) -> Node | None:
    """Batch normalisation with running statistics."""
    own = _own(call, held, "weight", "bias", "running_mean", "running_var")
    if own is None or "running_mean" not in own or ("weight" in own) != ("bias" in own):
        return None
    return Node(ops.BatchNorm(affine="weight" in own), (call.arguments["input"],), own)


def layer_norm(call: Call, held: Held) -> Node | None:
    """Normalisation over the last axes."""
    own, axes = _own(call, held, "weight", "bias"), len(call.arguments["normalized_shape"])
    if own is None or ("bias" in own and "weight" not in own):
        return None
    made = ops.LayerNorm(axes=axes, affine="weight" in own, bias="bias" in own or not own)
    return Node(made, (call.arguments["input"],), own)


def group_norm(call: Call, held: Held) -> Node | None:
    """Normalisation of groups of channels."""
    own = _own(call, held, "weight", "bias")
    if own is None or ("weight" in own) != ("bias" in own):
        return None
    return Node(ops.GroupNorm(call.arguments["num_groups"], affine="weight" in own), (call.arguments["input"],), own)


def embedding(call: Call, held: Held) -> Node | None:
    """Rows of a table."""
    own = _own(call, held, "weight")
    if own is None:
        return None
    return Node(ops.Embedding(*own["weight"].shape), (call.arguments["indices"],), own)


def pool(op: Any, *fields: str) -> Translation:
    """The largest or the mean of each window; `fields` are those that one op has and the other has not."""

    def translated(call: Call, held: Held) -> Node | None:
        given = call.arguments
        x, axes = given["self"], len(_tuple(given["kernel_size"]))
        if len(x.shape) != axes + 2 or given.get("divisor_override") is not None:
            return None
        more = {name: given[name] for name in fields if name in given}
        if "dilation" in more:
            more["dilation"] = _axes(more["dilation"], axes)
        kernel, stride = (_axes(given.get(name) or given["kernel_size"], axes) for name in ("kernel_size", "stride"))
        padding, ceil_mode = _axes(given.get("padding", 0), axes), bool(given.get("ceil_mode", False))
        made = op(kernel, stride, padding=padding, ceil_mode=ceil_mode, **more)
        return Node(made, (x,), {})

    return translated


def adaptive_average_pool(call: Call, held: Held) -> Node | None:
    """The mean of regions: of all positions, of as many as are asked for, or of windows that do not overlap."""
    x = call.arguments["self"]
    size, axes = _each(call.arguments["output_size"], len(call.outputs[0].shape) - 2), x.shape[2:]
    if {*size} == {1}:
        return Node(ops.GlobalAveragePool(keep=True), (x,), {})
    if len({*size}) == 1:
        return Node(ops.AdaptiveAveragePool(size[0]), (x,), {})
    if any(n is None or length % n for n, length in zip(size, axes)):
        return None
    kernel = [length // n for n, length in zip(size, axes)]
    return Node(ops.AveragePool(kernel, kernel), (x,), {})


def mean(call: Call, held: Held) -> Node | None:
    """The mean of all axes after the channels of images is a global average pool; that of others is a reduction."""
    x, keep = call.arguments["self"], bool(call.arguments.get("keepdim", False))
    axes = reduced_axes(call)
    if len(x.shape) > 3 and axes == [*range(2, len(x.shape))]:
        return Node(ops.GlobalAveragePool(keep=keep), (x,), {})
    return Node(ops.Reduce(axes, "mean", keep), (x,), {}) if axes and len(x.shape) > 1 else None


def reduced_axes(call: Call) -> list[int]:
    """The axes that a call reduces, in order: those of its argument `dim`, or all."""
    rank, axes = len(call.arguments["self"].shape), call.arguments.get("dim")
    if axes is None or axes == []:
        return [*range(rank)]
    return sorted(axis % rank for axis in _tuple(axes)) if rank else []


def join(op: Any) -> Translation:
    """A sum or product of two tensors; one of them may stretch."""

    def translated(call: Call, held: Held) -> Node | None:
        a, b = call.arguments["self"], call.arguments["other"]
        if not isinstance(b, Tensor) or not isinstance(a, Tensor) or call.arguments.get("alpha", 1) != 1:
            return None
        return Node(op(), (a, b), {}) if a.shape and b.shape else None

    return translated


def concat(call: Call, held: Held) -> Node | None:
    """Tensors side by side."""
    tensors = tuple(call.arguments["tensors"])
    return (
        Node(ops.Concat(call.arguments.get("dim", 0) % len(tensors[0].shape)), tensors, {})
        if len(tensors) > 1
        else None
    )


def mat_mul(call: Call, held: Held) -> Node | None:
    """A product of matrices."""
    a, b = call.arguments["self"], call.arguments.get("other", call.arguments.get("mat2"))
    return Node(ops.MatMul(), (a, b), {}) if min(len(a.shape), len(b.shape)) >= 2 else None


def attention(call: Call, held: Held) -> Node | None:
    """Attention, with a mask or without one."""
    given = call.arguments
    q, k, v, mask = given["query"], given["key"], given["value"], given.get("attn_mask")
    if len(q.shape) < 3:
        return None
    return Node(ops.ScaledDotProductAttention(), (q, k, v, *((mask,) if mask is not None else ())), {})


def rms_norm(call: Call, held: Held) -> Node | None:
    """Root mean square normalisation over the last axes."""
    own, axes = _own(call, held, "weight"), len(call.arguments["normalized_shape"])
    return None if own is None else Node(ops.RMSNorm(axes=axes, affine=bool(own)), (call.arguments["input"],), own)


def prelu(call: Call, held: Held) -> Node | None:
    """max(0, x) + w·min(0, x)."""
    own = _own(call, held, "weight")
    if not own:
        return None
    return Node(ops.PReLU(per_channel=own["weight"].shape != (1,)), (call.arguments["self"],), own)


def flatten(call: Call, held: Held) -> Node | None:
    """All axes after the batch as one."""
    x, out = call.arguments["self"], call.outputs[0]
    return (
        Node(ops.Flatten(), (x,), {})
        if len(x.shape) > 2 and len(out.shape) == 2 and x.shape[0] == out.shape[0]
        else None
    )


def reshape(call: Call, held: Held) -> Node | None:
    """Another shape of the same elements; the batch stays."""
    x, out = call.arguments["self"], call.outputs[0]
    if not call.views or len(x.shape) < 2 or len(out.shape) < 2 or x.shape[0] != out.shape[0]:
        return None
    return Node(ops.Reshape(list(out.shape[1:])), (x,), {})


def transpose(call: Call, held: Held) -> Node | None:
    """Axes in another order."""
    x, given = call.arguments["self"], call.arguments
    axes = [*range(len(x.shape))]
    if "dims" in given:
        axes = [axis % len(axes) for axis in given["dims"]]
    else:
        i, j = given.get("dim0", -1) % len(axes), given.get("dim1", -2) % len(axes)
        axes[i], axes[j] = axes[j], axes[i]
    return Node(ops.Transpose(axes), (x,), {})


def recurrent(op: Any) -> Translation:
    """Layers of an LSTM or GRU, batch first; the order of their tensors is that of torch's flat weights."""

    def translated(call: Call, held: Held) -> Node | None:
        given = call.arguments
        tensors, layers, both = given.get("params", ()), given.get("num_layers", 1), bool(given.get("bidirectional"))
        if not given.get("batch_first") or not tensors or not all(tensor.number in held for tensor in tensors):
            return None
        kinds = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if given.get("has_biases") else ()))
        ends = [f"_l{layer}{way}" for layer in range(layers) for way in ("", "_reverse")[: 1 + both]]
        names = [f"{kind}{end}" for end in ends for kind in kinds]
        if len(names) != len(tensors):
            return None  # with a projection
        hidden = tensors[1].shape[1]
        made = op(hidden, layers=layers, bidirectional=both, bias=bool(given.get("has_biases")))
        return Node(made, (given["input"],), dict(zip(names, tensors)))

    return translated


def softmax(call: Call, held: Held) -> Node | None:
    """Along one axis."""
    x = call.arguments["self"]
    axis = call.arguments["dim"] % len(x.shape)
    return Node(ops.Softmax(-1 if axis == len(x.shape) - 1 else axis), (x,), {})


def hard_tanh(call: Call, held: Held) -> Node | None:
    """Between 0 and 6 it is ReLU6."""
    given = call.arguments
    six = (given.get("min_val", -1), given.get("max_val", 1)) == (0, 6)
    return Node(ops.ReLU6(), (given["self"],), {}) if six else None


def leaky_relu(call: Call, held: Held) -> Node | None:
    """max(x, slope·x)."""
    return Node(ops.LeakyReLU(call.arguments.get("negative_slope", 0.01)), (call.arguments["self"],), {})


def dropout(call: Call, held: Held) -> Node | None:
    """Nothing in evaluation, and a mask in a training step."""
    return Node(ops.Dropout(call.arguments["p"]), (call.arguments["input"],), {})


def pointwise(op: Any) -> Translation:
    """A function of one tensor, without fields."""
    return lambda call, held: Node(op(), (next(call.tensors),), {})


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


TABLE: dict[str, Translation] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), conv_transpose),
    "linear": linear, "batch_norm": batch_norm, "layer_norm": layer_norm, "group_norm": group_norm,
    "embedding": embedding, "hardtanh": hard_tanh, "leaky_relu": leaky_relu, "softmax": softmax,
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), pool(ops.MaxPool, "dilation")),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), pool(ops.AveragePool, "count_include_pad")),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"), adaptive_average_pool),
    "flatten": flatten, "view": reshape, "reshape": reshape, "_unsafe_view": reshape, "permute": transpose,
    "transpose": transpose, "t": transpose, "rms_norm": rms_norm, "prelu": prelu, "dropout": dropout,
    "lstm": recurrent(ops.LSTM), "gru": recurrent(ops.GRU),
    "mean": mean, "add": join(ops.Add), "mul": join(ops.Mul), "cat": concat, "matmul": mat_mul, "bmm": mat_mul,
    "scaled_dot_product_attention": attention, "relu": pointwise(ops.ReLU), "silu": pointwise(ops.SiLU),
    "gelu": pointwise(ops.GELU), "sigmoid": pointwise(ops.Sigmoid), "tanh": pointwise(ops.Tanh),
    "hardswish": pointwise(ops.HardSwish), "hardsigmoid": pointwise(ops.HardSigmoid),
}  # fmt: skip
