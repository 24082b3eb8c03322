"""Layers with windows that torch lacks: padding 'same', any average pool, pools in half precision on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def same_zeros(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """TensorFlow's padding 'same', as F.pad wants it: the last axis first, the odd zero at the end."""
    zeros: list[int] = []
    for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        zeros = [total // 2, total - total // 2, *zeros]
    return zeros


class HalfInFloat32(nn.Module):
    """Mixin: computes in float32 where torch has no kernel in half precision on a CPU, as for AvgPool3d."""

    def forward(self, x: Tensor) -> Tensor:
        half = x.device.type == "cpu" and x.dtype in (torch.float16, torch.bfloat16)
        out: Tensor = super().forward(x.float() if half else x)
        return out.to(x.dtype)


class AvgPool3d(HalfInFloat32, nn.AvgPool3d):
    """(n, c, t, h, w) -> (n, c, t', h', w')"""


class LocalResponseNorm(HalfInFloat32, nn.LocalResponseNorm):
    """s -> s. It computes with an AvgPool3d."""


class SamePadded(nn.Module):
    """Mixin: pads so that the output has ⌈n / stride⌉ positions, with zeros, or −∞ for a maximum."""

    kernel_size: Any  # a number for each sliding axis
    stride: Any
    dilation: Any
    fill = 0.0

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, same_zeros(x, self.kernel_size, self.stride, self.dilation), value=self.fill)
        return super().forward(padded)  # type: ignore[no-any-return]


class SameConv1d(SamePadded, nn.Conv1d):
    """(n, c_in, l) -> (n, c_out, ⌈l/stride⌉)"""


class SameConv2d(SamePadded, nn.Conv2d):
    """(n, c_in, h, w) -> (n, c_out, ⌈h/stride⌉, ⌈w/stride⌉)"""


class SameConv3d(SamePadded, nn.Conv3d):
    """(n, c_in, t, h, w) -> (n, c_out, ⌈t/stride⌉, ⌈h/stride⌉, ⌈w/stride⌉)"""


class SameMaxPool1d(SamePadded, nn.MaxPool1d):
    """(n, c, l) -> (n, c, ⌈l/stride⌉)"""

    fill = float("-inf")


class SameMaxPool2d(SamePadded, nn.MaxPool2d):
    """(n, c, h, w) -> (n, c, ⌈h/stride⌉, ⌈w/stride⌉)"""

    fill = float("-inf")


class SameMaxPool3d(SamePadded, nn.MaxPool3d):
    """(n, c, t, h, w) -> (n, c, ⌈t/stride⌉, ⌈h/stride⌉, ⌈w/stride⌉)"""

    fill = float("-inf")


class AveragePool(nn.Module):
    """The mean of windows that torch's own AvgPool cannot have: dilated, or with padding 'same'.

    The mean includes the zeros of an explicit padding unless it is told otherwise, and excludes positions past it, as
    in torch; it excludes the zeros of 'same', as in TensorFlow. With a `divisor` a sum is divided by that.
    """

    def __init__(
        self,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int] | str,
        dilation: Sequence[int],
        ceil_mode: bool,
        count_include_pad: bool = True,
        divisor: int = 0,
    ):
        super().__init__()
        self.kernel_size, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation
        self.ceil_mode, self.count_include_pad, self.divisor = ceil_mode, count_include_pad, divisor

    def forward(self, x: Tensor) -> Tensor:
        ones = torch.ones_like(x[:1, :1])
        if isinstance(self.padding, str):
            beyond = same_zeros(x, self.kernel_size, self.stride, self.dilation)
        else:
            padding = [int(p) for p in reversed(self.padding) for _ in range(2)]
            x, ones = F.pad(x, padding), F.pad(ones, padding, value=float(self.count_include_pad))
            beyond = [zeros for axis in reversed(self.by_axis(x)) for zeros in (0, self.overhang(*axis))]
        sums = self.sums(F.pad(x, beyond))
        return sums / (self.divisor or self.sums(F.pad(ones, beyond)))

    def overhang(self, n: int, k: int, s: int, d: int, p: int) -> int:
        """How far a last window reaches past the padding, with `ceil_mode`; it starts inside the input."""
        span = n - d * (k - 1) - 1
        last = -(-span // s) if self.ceil_mode else span // s
        if last * s >= n - p and self.ceil_mode:
            last -= 1
        return max(0, last * s + d * (k - 1) + 1 - n)

    def sums(self, x: Tensor) -> Tensor:
        """The sum of each window: one strided slice for each of its elements."""
        axes = self.by_axis(x)
        total = None
        for offsets in product(*(range(k) for k in self.kernel_size)):
            piece = x
            for axis, (o, (n, k, s, d, _)) in enumerate(zip(offsets, axes), 2):
                last = (n - d * (k - 1) - 1) // s * s
                piece = piece.narrow(axis, o * d, last + 1)[(slice(None),) * axis + (slice(None, None, s),)]
            total = piece if total is None else total + piece
        assert total is not None
        return total if prod(self.kernel_size) > 1 else total.contiguous()  # no view of all elements, which would stay

    def by_axis(self, x: Tensor) -> list[tuple[int, int, int, int, int]]:
        """Size, kernel, stride, dilation and padding of every sliding axis."""
        padding = [0] * (x.dim() - 2) if isinstance(self.padding, str) else self.padding
        return [*zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, padding)]


class GlobalAveragePool(nn.Module):
    """The mean of each channel.   (n, c, h, w) -> (n, c), or (n, c, 1, 1) with `keep`"""

    def __init__(self, keep: bool):
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.mean([*range(2, x.dim())], keepdim=self.keep)
