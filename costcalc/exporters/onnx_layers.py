"""Our ops as nodes of ONNX, opset 21. An op that ONNX lacks is a node of the domain `costcalc`, with its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from math import prod
from typing import Any

from costcalc.importers.onnx_files.onnx_own_ops import DOMAIN
from costcalc.ops.window import per_axis

OPSET = 21


@dataclass
class Nodes:
    """The nodes of one layer: what it reads, its own tensors by name, and where they lie in the file."""

    name: str
    op: Any
    ins: Sequence[str]
    shapes: Sequence[tuple[int, ...]]
    out: tuple[int, ...]
    weights: Mapping[str, str]  # the name in the file of each of its tensors
    made: list[dict[str, Any]] = field(default_factory=list)
    transposed: set[str] = field(default_factory=set)  # tensors that stand in the file with their axes in reverse
    numbers: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # small constants, by their names in the file

    def node(self, kind: str, ins: Sequence[str], *, last: bool = True, domain: str = "", **attributes: Any) -> str:
        """Adds a node and returns the name of its output, which is the layer's if it is the last."""
        out = self.name if last else f"{self.name}/{len(self.made)}"
        self.made.append({"kind": kind, "ins": [*ins], "out": out, "domain": domain, "attributes": attributes})
        return out

    def constant(self, *numbers: Any) -> str:
        """The name of a small constant."""
        name = f"{self.name}/constant{len(self.numbers)}"
        self.numbers[name] = numbers
        return name

    def own(self, *names: str) -> list[str]:
        """The names in the file of those of its tensors that it has."""
        return [self.weights[name] for name in names if name in self.weights]


Write = Callable[[Nodes], Any]


def with_attributes(kind: str, *own: str, **attributes: Callable[[Any], Any]) -> Write:
    """One node that reads the layer's inputs, then these of its tensors; attributes are functions of the op."""
    return lambda n: n.node(kind, [*n.ins, *n.own(*own)], **{name: value(n.op) for name, value in attributes.items()})


def window(n: Nodes) -> dict[str, Any]:
    """The attributes of a window."""
    op, x = n.op, n.shapes[0]
    found = {"kernel_shape": per_axis(op.kernel, x), "strides": per_axis(op.stride, x)}
    found["dilations"] = per_axis(op.dilation, x)
    if op.padding == "same":
        return {**found, "auto_pad": "SAME_UPPER"}
    return {**found, "pads": per_axis(op.padding, x) * 2}


def conv(n: Nodes) -> None:
    """A convolution; a depthwise one has as many groups as channels."""
    groups = n.shapes[0][1] if n.op.name == "depthwise" else n.op.groups
    n.node("Conv", [*n.ins, *n.own("weight", "bias")], group=groups, **window(n))


def conv_transpose(n: Nodes) -> None:
    """A transposed convolution."""
    extra = per_axis(n.op.output_padding, n.shapes[0])
    ins = [*n.ins, *n.own("weight", "bias")]
    n.node("ConvTranspose", ins, group=n.op.groups, output_padding=extra, **window(n))


def linear(n: Nodes) -> None:
    """Gemm on rows; on more axes a product with Wᵀ, and a sum."""
    if len(n.shapes[0]) == 2:
        n.node("Gemm", [*n.ins, *n.own("weight", "bias")], transB=1)
        return
    n.transposed.add("weight")
    product = n.node("MatMul", [*n.ins, *n.own("weight")], last=not n.op.bias)
    if n.op.bias:
        n.node("Add", [product, *n.own("bias")])


def batch_norm(n: Nodes) -> None:
    """Batch normalisation."""
    own = n.own("weight", "bias", "running_mean", "running_var")
    n.node("BatchNormalization", [*n.ins, *own], epsilon=float(n.op.eps))


def layer_norm(n: Nodes) -> None:
    """Layer normalisation."""
    n.node("LayerNormalization", [*n.ins, *n.own("weight", "bias")], axis=-n.op.axes, epsilon=float(n.op.eps))


def pool(kind: str) -> Write:
    """The largest or the mean of each window."""

    def write(n: Nodes) -> None:
        more: dict[str, Any] = {"count_include_pad": int(n.op.count_include_pad)} if kind == "AveragePool" else {}
        n.node(kind, n.ins, ceil_mode=int(n.op.ceil_mode), **window(n), **more)

    return write


def global_average_pool(n: Nodes) -> None:
    """The mean of all positions, with or without their axes."""
    made = n.node("GlobalAveragePool", n.ins, last=n.op.keep)
    if not n.op.keep:
        n.node("Flatten", [made])


def chain(kind: str) -> Write:
    """A sum or product of all inputs, two by two."""

    def write(n: Nodes) -> None:
        made, last = n.ins[0], len(n.ins) - 1
        for at, other in enumerate(n.ins[1:], 1):
            made = n.node(kind, [made, other], last=at == last)
        if not last:
            n.node("Identity", [made])

    return write


def silu(n: Nodes) -> None:
    """x·σ(x)."""
    n.node("Mul", [*n.ins, n.node("Sigmoid", n.ins, last=False)])


def relu6(n: Nodes) -> None:
    """Between 0 and 6."""
    n.node("Clip", [*n.ins, n.constant(0.0), n.constant(6.0)])


def reshape(n: Nodes) -> None:
    """To the shape that it has."""
    n.node("Reshape", [*n.ins, n.constant(*n.out)])


def embedding(n: Nodes) -> None:
    """Rows of a table."""
    n.node("Gather", [*n.own("weight"), *n.ins], axis=0)


def slice_(n: Nodes) -> None:
    """Every so many elements along one axis."""
    op, end = n.op, n.op.start + n.op.step * (n.op.size - 1) + 1
    n.node("Slice", [*n.ins, *(n.constant(number) for number in (op.start, end, op.axis, op.step))])


def pad(n: Nodes) -> None:
    """Zeros before and after."""
    axes = len(n.op.axes)
    before, after = (numbers * axes if len(numbers) == 1 else numbers for numbers in (n.op.before, n.op.after))
    n.node("Pad", [*n.ins, n.constant(*before, *after), "", n.constant(*n.op.axes)], mode="constant")


def upsample(n: Nodes) -> None:
    """To the size that it has."""
    n.node("Resize", [*n.ins, "", "", n.constant(*n.out)], mode=n.op.mode)


def group_norm(n: Nodes) -> None:
    """Group normalisation."""
    ins = [*n.ins, *n.own("weight", "bias")]
    n.node("GroupNormalization", ins, num_groups=n.op.groups, epsilon=float(n.op.eps))


def local_response_norm(n: Nodes) -> None:
    """Over channels beside each other."""
    op = n.op
    n.node("LRN", n.ins, size=op.size, alpha=float(op.alpha), beta=float(op.beta), bias=float(op.k))


def foreign(n: Nodes) -> None:
    """An op that ONNX lacks, with all its fields."""
    own = {one.name: attribute(getattr(n.op, one.name)) for one in fields(n.op)}
    n.node(type(n.op).__name__, [*n.ins, *n.weights.values()], domain=DOMAIN, **own)


def attribute(value: Any) -> Any:
    """A field as an attribute: flags are 0 or 1, rows are text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, tuple):
        return str(value) if not value or not all(isinstance(one, int) for one in value) else value
    return value


TABLE: dict[str, Write] = {
    **dict.fromkeys(("conv", "conv1d", "conv2d", "conv3d", "depthwise"), conv),
    "conv_transpose": conv_transpose, "linear": linear, "batch_norm": batch_norm, "layer_norm": layer_norm,
    "max_pool": pool("MaxPool"), "average_pool": pool("AveragePool"), "global_average_pool": global_average_pool,
    "add": chain("Add"), "mul": chain("Mul"), "mat_mul": with_attributes("MatMul"),
    "concat": with_attributes("Concat", axis=lambda op: op.axis), "flatten": with_attributes("Flatten"),
    "transpose": with_attributes("Transpose", perm=lambda op: op.order), "reshape": reshape, "slice": slice_,
    "softmax": with_attributes("Softmax", axis=lambda op: op.axis), "embedding": embedding,
    "relu": with_attributes("Relu"), "sigmoid": with_attributes("Sigmoid"), "tanh": with_attributes("Tanh"),
    "gelu": with_attributes("Gelu"), "hard_swish": with_attributes("HardSwish"), "relu6": relu6, "silu": silu,
    "hard_sigmoid": with_attributes("HardSigmoid", alpha=lambda op: 1 / 6),
    "leaky_relu": with_attributes("LeakyRelu", alpha=lambda op: float(op.slope)),
    "pad": pad, "upsample": upsample, "group_norm": group_norm, "local_response_norm": local_response_norm,
    "parameter": with_attributes("Identity", "weight"), "view": reshape,
    "dropout": with_attributes("Dropout"), "identity": with_attributes("Identity"),
}  # fmt: skip


LACKS: dict[str, Callable[[Nodes], bool]] = {  # ops of the table in a form that ONNX does not have
    "batch_norm": lambda n: not n.op.affine,
    "layer_norm": lambda n: not n.op.affine,
    "group_norm": lambda n: not n.op.affine,
    "view": lambda n: prod(n.shapes[0]) != prod(n.out),
    "average_pool": lambda n: bool(n.op.divisor),
    "global_average_pool": lambda n: len(n.shapes[0]) < 3,
}


def nodes_of_layer(layer: Nodes) -> Nodes:
    """The layer with its nodes written."""
    name = layer.op.name
    write = foreign if name in LACKS and LACKS[name](layer) else TABLE.get(name, foreign)
    write(layer)
    return layer
