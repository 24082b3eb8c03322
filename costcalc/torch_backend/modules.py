"""The builder of each op: a function that makes its torch module.

A builder gets the op and the shapes of its inputs, batch first, and returns an nn.Module whose tensors have the names
and shapes that the op says. It shares no arithmetic with `costcalc.ops`: torch derives its own shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from torch import nn

from costcalc.torch_backend import custom_layers, stand_ins, window_layers

Shape = tuple[int, ...]


def per_axis(value: Any, x: Shape) -> tuple[Any, ...]:
    """One value for each sliding axis, as torch's modules want it."""
    return tuple(value) if isinstance(value, tuple) else (value,) * (len(x) - 2)


def of_rank(kind: str, x: Shape, package: Any = nn) -> Any:
    """The class for an input of this shape: Conv1d, Conv2d or Conv3d for 'Conv'."""
    return getattr(package, f"{kind}{len(x) - 2}d")


def windowed(op: Any, x: Shape, kind: str, *channels: int, **extra: Any) -> nn.Module:
    """A layer with windows. Padding 'same' at stride 1 is an explicit padding of torch's convolutions, unless odd."""
    kernel, stride, dilation = (per_axis(value, x) for value in (op.kernel, op.stride, op.dilation))
    reach = [d * (k - 1) for k, d in zip(kernel, dilation)]
    if op.padding != "same":
        padding = per_axis(op.padding, x)
    elif kind == "Conv" and set(stride) == {1} and not any(r % 2 for r in reach):
        padding = tuple(r // 2 for r in reach)
    else:
        return of_rank(f"Same{kind}", x, window_layers)(*channels, kernel, stride, dilation=dilation, **extra)  # type: ignore[no-any-return]
    return of_rank(kind, x)(*channels, kernel, stride, padding, dilation=dilation, **extra)  # type: ignore[no-any-return]


def conv(op: Any, x: Shape) -> nn.Module:
    return windowed(op, x, "Conv", x[1], op.channels, groups=op.groups, bias=op.bias)


def depthwise(op: Any, x: Shape) -> nn.Module:
    return windowed(op, x, "Conv", x[1], x[1] * op.multiplier, groups=x[1], bias=op.bias)


def partial_conv(op: Any, x: Shape) -> nn.Module:
    pairs = sum(map(len, op.sees))
    return custom_layers.PartialConv(windowed(op, x, "Conv", pairs, pairs, groups=pairs, bias=False), op.sees, op.bias)


def locally_connected(op: Any, x: Shape) -> nn.Module:
    kernel, stride, padding = (per_axis(value, x) for value in (op.kernel, op.stride, op.padding))
    return custom_layers.LocallyConnected(x[1:], op.channels, kernel, stride, padding, op.bias)


def conv_transpose(op: Any, x: Shape) -> nn.Module:
    kernel, stride, padding, extra, dilation = (
        per_axis(value, x) for value in (op.kernel, op.stride, op.padding, op.output_padding, op.dilation)
    )
    return of_rank("ConvTranspose", x)(  # type: ignore[no-any-return]
        x[1], op.channels, kernel, stride, padding, extra, op.groups, op.bias, dilation
    )


def max_pool(op: Any, x: Shape) -> nn.Module:
    return windowed(op, x, "MaxPool", ceil_mode=op.ceil_mode and op.padding != "same")


def average_pool(op: Any, x: Shape) -> nn.Module:
    kernel, stride = per_axis(op.kernel, x), per_axis(op.stride, x)
    if op.padding == "same" or set(per_axis(op.dilation, x)) != {1}:
        return window_means(op, x, op.ceil_mode, op.count_include_pad, op.divisor)
    padding = per_axis(op.padding, x)
    small = any(n < k for n, k in zip(x[2:], kernel)) and all(2 * p <= k for p, k in zip(padding, kernel))
    if len(x) == 5 and small:  # AvgPool3d alone leaves padding out when it asks whether the window fits
        return window_means(op, x, op.ceil_mode, op.count_include_pad, op.divisor)
    kind = window_layers.AvgPool3d if len(x) == 5 else of_rank("AvgPool", x)
    more = {"divisor_override": op.divisor} if op.divisor else {}
    return kind(kernel, stride, padding, ceil_mode=op.ceil_mode, count_include_pad=op.count_include_pad, **more)


def window_means(op: Any, x: Shape, ceil_mode: bool = False, *divided_by: Any) -> nn.Module:
    kernel, stride, dilation = (per_axis(value, x) for value in (op.kernel, op.stride, op.dilation))
    padding = op.padding if op.padding == "same" else per_axis(op.padding, x)
    return window_layers.AveragePool(kernel, stride, padding, dilation, ceil_mode, *divided_by)


def subsample(op: Any, x: Shape) -> nn.Module:
    return custom_layers.Subsample(x[1], window_means(op, x), prod(per_axis(op.kernel, x)))


def batch_norm(op: Any, x: Shape) -> nn.Module:
    kind = getattr(nn, f"BatchNorm{max(1, len(x) - 2)}d")
    return kind(x[1], eps=float(op.eps), affine=op.affine)  # type: ignore[no-any-return]


def layer_norm(op: Any, x: Shape) -> nn.Module:
    return nn.LayerNorm(x[len(x) - op.axes :], eps=float(op.eps), elementwise_affine=op.affine, bias=op.bias)


def rms_norm(op: Any, x: Shape) -> nn.Module:
    return nn.RMSNorm(x[len(x) - op.axes :], eps=float(op.eps), elementwise_affine=op.affine)


def upsample(op: Any, x: Shape) -> nn.Module:
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
    mode = {"nearest": "nearest", "linear": linear[len(x) - 2], "cubic": "bicubic"}[op.mode]
    if op.scale == "none":
        return nn.Upsample(per_axis(op.size, x), mode=mode)
    return nn.Upsample(scale_factor=tuple(float(s) for s in per_axis(op.scale, x)), mode=mode)


def recurrent(kind: type[nn.Module]) -> Callable[..., nn.Module]:
    def build(op: Any, x: Shape, *states: Shape) -> nn.Module:
        return kind(x[2], op.hidden, op.layers, bias=op.bias, batch_first=True, bidirectional=op.bidirectional)

    return build


def local_response_norm(op: Any, x: Shape) -> nn.Module:
    # torch divides α by the size of the neighbourhood, the paper does not
    return window_layers.LocalResponseNorm(op.size, alpha=float(op.alpha) * op.size, beta=float(op.beta), k=float(op.k))


MODULES: dict[str, Callable[..., nn.Module]] = {
    "conv": conv,
    "conv1d": conv,
    "conv2d": conv,
    "conv3d": conv,
    "depthwise": depthwise,
    "partial_conv": partial_conv,
    "locally_connected": locally_connected,
    "conv_transpose": conv_transpose,
    "subsample": subsample,
    "linear": lambda op, x: nn.Linear(x[-1], op.features, bias=op.bias),
    "bilinear": lambda op, x, y: nn.Bilinear(x[-1], y[-1], op.features, op.bias),
    "rbf": lambda op, x: custom_layers.RBF(x[-1], op.features, op.learned),
    "max_pool": max_pool,
    "average_pool": average_pool,
    "adaptive_average_pool": lambda op, x: of_rank("AdaptiveAvgPool", x)(per_axis(op.size, x)),
    "global_average_pool": lambda op, x: window_layers.GlobalAveragePool(op.keep),
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": lambda op, x: custom_layers.GroupNorm(op.groups, x[1], eps=float(op.eps), affine=op.affine),
    "local_response_norm": local_response_norm,
    "relu": lambda op, x: nn.ReLU(),
    "relu6": lambda op, x: nn.ReLU6(),
    "leaky_relu": lambda op, x: nn.LeakyReLU(float(op.slope)),
    "prelu": lambda op, x: nn.PReLU(x[1] if op.per_channel else 1),
    "sigmoid": lambda op, x: nn.Sigmoid(),
    "tanh": lambda op, x: nn.Tanh(),
    "silu": lambda op, x: nn.SiLU(),
    "hard_sigmoid": lambda op, x: nn.Hardsigmoid(),
    "hard_swish": lambda op, x: nn.Hardswish(),
    "gelu": lambda op, x: nn.GELU(),
    "softmax": lambda op, x: nn.Softmax(op.axis),
    "dropout": lambda op, x: nn.Dropout(float(op.p)),
    "identity": lambda op, x: nn.Identity(),
    "add": lambda op, *ins: custom_layers.Add(),
    "mul": lambda op, *ins: custom_layers.Mul(),
    "concat": lambda op, *ins: custom_layers.Concat(op.axis),
    "mat_mul": lambda op, *ins: custom_layers.MatMul(),
    "flatten": lambda op, x: custom_layers.Flatten(),
    "reshape": lambda op, x: custom_layers.Reshape(op.size, op.whole),
    "transpose": lambda op, x: custom_layers.Transpose(op.order),
    "channel_pad": lambda op, x: custom_layers.ChannelPad(op.channels),
    "upsample": upsample,
    "grid_sample": lambda op, *ins: custom_layers.GridSample("nearest" if op.mode == "nearest" else "bilinear"),
    "embedding": lambda op, x: nn.Embedding(op.count, op.features),
    "scaled_dot_product_attention": lambda op, *ins: custom_layers.ScaledDotProductAttention(),
    "lstm": recurrent(custom_layers.LSTM),
    "gru": recurrent(custom_layers.GRU),
    "reduce": lambda op, x: custom_layers.Reduce(op.operation, op.axes, op.keep, op.by_place),
    "slice": lambda op, x: custom_layers.Slice(op.axis, op.start, op.size, op.step),
    "pad": lambda op, x: custom_layers.Pad(len(x), op.axes, op.before, op.after),
    "roll": lambda op, x: custom_layers.Roll(op.axes, op.shifts),
    "elementwise": stand_ins.detached(lambda op, *ins: stand_ins.Elementwise(op.kept, op.keeps_output)),
    "view": stand_ins.detached(lambda op, x: stand_ins.View(op.size)),
    "move": stand_ins.detached(lambda op, *ins: stand_ins.Move(op.size, op.kept)),
    "reduction": stand_ins.detached(lambda op, *ins: stand_ins.Move(op.size, op.kept, op.keeps_output)),
    "contraction": lambda op, *ins: stand_ins.Contraction(op.size, op.products),
    "constant": lambda op: stand_ins.Constant(op.size),
    "parameter": lambda op: stand_ins.Parameter(op.size, op.role != "buffer"),
}
