"""Ops as nn.Modules that torch lacks, or has as functions only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from costcalc.torch_backend.window_layers import SamePadded, same_zeros


class PartialConv(nn.Module):
    """Convolution whose output map i sees the input maps `sees[i]`: one k×k filter for each pair, summed by map.

    (n, c_in, h, w) -> (n, len(sees), h', w')
    """

    def __init__(self, depthwise: Any, sees: Sequence[Sequence[int]], bias: bool):
        super().__init__()
        weight = depthwise.weight
        self.weight = nn.Parameter(weight.squeeze(1).detach().clone())
        self.bias = nn.Parameter(torch.zeros(len(sees))) if bias else None
        self.depthwise = [depthwise]  # in a list, as its weight is no parameter
        self.sources = [source for row in sees for source in row]
        self.sizes = [len(row) for row in sees]

    def forward(self, x: Tensor) -> Tensor:
        apart = self.depthwise[0]._conv_forward(self.padded(x[:, self.sources]), self.weight.unsqueeze(1), None)
        out = torch.stack([pairs.sum(1) for pairs in apart.split(self.sizes, 1)], 1)
        return out if self.bias is None else out + self.bias.view(-1, *[1] * (x.dim() - 2))

    def padded(self, x: Tensor) -> Tensor:
        """With the zeros of padding 'same', if it has that."""
        inner = self.depthwise[0]
        if not isinstance(inner, SamePadded):
            return x
        return F.pad(x, same_zeros(x, inner.kernel_size, inner.stride, inner.dilation))


class LocallyConnected(nn.Module):
    """Convolution with filters and biases of its own at each of l positions: one product of matrices for each.

    (n, c_in, h, w) -> (n, channels, h', w');   weight (l, c_in·k·k, channels)
    """

    def __init__(
        self, example: Sequence[int], channels: int, kernel: Sequence[int], stride: Sequence[int],
        padding: Sequence[int], bias: bool,
    ):  # fmt: skip
        super().__init__()
        self.kernel, self.stride, self.zeros = kernel, stride, [p for p in reversed(padding) for _ in range(2)]
        windows = self.windows(torch.zeros(1, *example, device="meta"))
        self.positions = tuple(windows.shape[: len(kernel)])
        inputs = windows.shape[len(kernel) + 1 :].numel()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(self.positions_in_all, inputs, channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(channels, *self.positions)) if bias else None

    @property
    def positions_in_all(self) -> int:
        """The number of positions, l."""
        return torch.Size(self.positions).numel()

    def windows(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (h', w', n, c, k, k)"""
        x = F.pad(x, self.zeros)
        rank = len(self.kernel)
        for axis, (k, s) in enumerate(zip(self.kernel, self.stride)):
            x = x.unfold(axis + 2, k, s)
        return x.permute(*range(2, rank + 2), 0, 1, *range(rank + 2, 2 * rank + 2))

    def forward(self, x: Tensor) -> Tensor:
        windows = self.windows(x).clone(memory_format=torch.contiguous_format)
        out = windows.view(self.positions_in_all, x.shape[0], -1) @ self.weight
        out = out.permute(1, 2, 0).contiguous().view(x.shape[0], -1, *self.positions)
        return out if self.bias is None else out.add_(self.bias)


class Subsample(nn.Module):
    """weight · (sum of the window) + bias, one of each per channel.   (n, c, h, w) -> (n, c, h', w')"""

    def __init__(self, channels: int, mean: nn.Module, window: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.full((channels,), 1 / window)), nn.Parameter(torch.zeros(channels))
        self.mean, self.window = mean, window

    def forward(self, x: Tensor) -> Tensor:
        one_each = (-1, *[1] * (x.dim() - 2))
        means: Tensor = self.mean(x)
        return means * (self.window * self.weight).view(one_each) + self.bias.view(one_each)


class RBF(nn.Module):
    """Euclidean distance squared to each row of `weight`: d·d with d = x − w.   (…, in) -> (…, features)"""

    def __init__(self, inputs: int, features: int, learned: bool):
        super().__init__()
        corners = torch.randn(features, inputs).sign()  # bitmaps of −1 and 1, LeCun et al. 1998, section II.B
        if learned:
            self.weight = nn.Parameter(corners)
        else:
            self.register_buffer("weight", corners)

    def forward(self, x: Tensor) -> Tensor:
        d = x.unsqueeze(-2) - self.weight
        return (d.unsqueeze(-2) @ d.unsqueeze(-1)).flatten(-3)


class GroupNorm(nn.GroupNorm):
    """torch's, but for a group of one value, which its module refuses as if in training."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class HiddenStates(nn.Module):
    """Mixin: returns every hidden state, and not the last state apart. Starts from the states that it is given."""

    def forward(self, x: Tensor, *states: Tensor) -> Tensor:
        first: Any = states if len(states) > 1 else next(iter(states), None)
        out: Tensor = super().forward(x, first)[0]
        return out


class LSTM(HiddenStates, nn.LSTM):  # type: ignore[misc]
    """(n, l, d) -> (n, l, h), or (n, l, 2h) in both directions"""


class GRU(HiddenStates, nn.GRU):  # type: ignore[misc]
    """(n, l, d) -> (n, l, h), or (n, l, 2h) in both directions"""


class Add(nn.Module):
    """x + y + …, over the input numbered `inplace` if that is no longer needed.   s, s, … -> s"""

    inplace: int | None = None

    def forward(self, *ins: Tensor) -> Tensor:
        if self.inplace is None:
            return sum(ins[1:], ins[0])
        x = ins[self.inplace]
        for i, y in enumerate(ins):
            if i != self.inplace:
                x += y
        return x


class Mul(nn.Module):
    """x · y · …   s, s, … -> s"""

    def forward(self, *ins: Tensor) -> Tensor:
        return reduce(torch.mul, ins)


class Concat(nn.Module):
    """The inputs side by side along one axis."""

    def __init__(self, axis: int):
        super().__init__()
        self.axis = axis

    def forward(self, *ins: Tensor) -> Tensor:
        return torch.cat(ins, self.axis)


class MatMul(nn.Module):
    """(…, m, k), (…, k, n) -> (…, m, n)"""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a @ b


class Flatten(nn.Module):
    """(n, …) -> (n, product)"""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if x.dim() > 1 else x.unsqueeze(1)


class Reshape(nn.Module):
    """(n, …) -> (n, *size), or size if that is the whole shape"""

    def __init__(self, size: Sequence[int], whole: bool):
        super().__init__()
        self.size, self.whole = tuple(size), whole

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self.size if self.whole else (x.shape[0], *self.size))


class Slice(nn.Module):
    """Some elements of one axis."""

    def __init__(self, axis: int, start: int, size: int, step: int):
        super().__init__()
        self.axis, self.start, self.length, self.step = axis, start, step * (size - 1) + 1, step

    def forward(self, x: Tensor) -> Tensor:
        within = x.narrow(self.axis, self.start, self.length)  # raises past the end, where a slice would be shorter
        return within[(*[slice(None)] * (self.axis % x.dim()), slice(None, None, self.step))]


class Pad(nn.Module):
    """Zeros before and after the elements of some axes."""

    def __init__(self, rank: int, axes: Sequence[int], before: Sequence[int], after: Sequence[int]):
        super().__init__()
        self.sizes = [0] * (2 * rank)  # as F.pad wants them, from the last axis
        for i, axis in enumerate(axes):
            place = 2 * (rank - 1 - axis % rank)
            self.sizes[place : place + 2] = before[i % len(before)], after[i % len(after)]

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.sizes)


class Roll(nn.Module):
    """Elements moved along some axes."""

    def __init__(self, axes: Sequence[int], shifts: Sequence[int]):
        super().__init__()
        self.axes, self.shifts = tuple(axes), tuple(shifts[i % len(shifts)] for i in range(len(axes)))

    def forward(self, x: Tensor) -> Tensor:
        return x.roll(self.shifts, self.axes)


class Reduce(nn.Module):
    """One number from all elements of some axes."""

    functions = {"mean": torch.mean, "sum": torch.sum, "max": torch.amax, "min": torch.amin, "var": torch.var}

    def __init__(self, operation: str, axes: Sequence[int], keep: bool, by_place: bool = False):
        super().__init__()
        self.operation, self.axes, self.keep, self.by_place = operation, tuple(axes), keep, by_place

    def forward(self, x: Tensor) -> Tensor:
        if self.by_place:
            choose: Any = torch.max if self.operation == "max" else torch.min
            values: Tensor = choose(x, self.axes[0], keepdim=self.keep)[0]
            return values
        if self.operation == "norm":
            out: Tensor = torch.linalg.vector_norm(x, 2, self.axes, self.keep)
            return out
        return self.functions[self.operation](x, self.axes, keepdim=self.keep)  # type: ignore[operator,no-any-return]


class Transpose(nn.Module):
    """Axis i of the output is axis order[i] of the input."""

    def __init__(self, order: Sequence[int]):
        super().__init__()
        self.order = tuple(order)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)


class ChannelPad(nn.Module):
    """Zero channels appended.   (n, c, …) -> (n, channels, …)"""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, [0, 0] * (x.dim() - 2) + [0, self.channels - x.shape[1]])


class ScaledDotProductAttention(nn.Module):
    """softmax(q·kᵀ/√e + mask)·v.   (…, l, e), (…, m, e), (…, m, v) -> (…, l, v)"""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
        grouped = q.dim() > 3 and q.shape[-3] != k.shape[-3]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=grouped)


class GridSample(nn.Module):
    """The elements of an image at positions between them.   (n, c, h, w), (n, h', w', 2) -> (n, c, h', w')"""

    def __init__(self, mode: str):
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        return F.grid_sample(x, grid, mode=self.mode, align_corners=False)
