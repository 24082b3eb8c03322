"""What some frequent ops return on meta, without torch's kernels there, which are Python and take most of a run's time.

Each returns what torch's CPU kernel does, shape, dtype and strides, or None where something is special or wrong: then
torch is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def like_first(x: Tensor, *_: Any, **__: Any) -> Tensor | None:
    """A function of each element."""
    return torch.empty_like(x) if x.is_floating_point() else None


def like_both(x: Any, y: Any, *_: Any, **__: Any) -> Tensor | None:
    """A sum or product of two tensors that lie alike, or of a tensor and a number."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        return None
    if isinstance(y, Tensor):
        alike = y.dtype == x.dtype and y.shape == x.shape and y.stride() == x.stride()
    else:
        alike = y.__class__ in (int, float)
    return torch.empty_like(x) if alike else None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
    """x·Wᵀ + b, of an input that has more than one axis."""
    if x.dim() < 2 or weight.dim() != 2 or x.shape[-1] != weight.shape[1] or x.dtype != weight.dtype:
        return None
    if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype != x.dtype):
        return None
    return torch.empty((*x.shape[:-1], weight.shape[0]), dtype=x.dtype, device="meta")


def batch_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, variance: Tensor | None,
    training: bool, *_: Any,
) -> Tensor | None:  # fmt: skip
    """With running statistics, or with its own where there are none, of what lies as images do."""
    own = [one for one in (weight, bias, mean, variance) if one is not None]
    if training is (mean is not None) or x.dim() < 2 or any(one.shape != x.shape[1:2] for one in own):
        return None
    lies = x.is_contiguous() or (x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last))
    return torch.empty_like(x) if lies and all(one.dtype == x.dtype for one in own) else None


def layer_norm(
    x: Tensor, shape: Any, weight: Tensor | None = None, bias: Tensor | None = None, *_: Any
) -> Tensor | None:
    """Over the last axes."""
    last, own = tuple(shape), [one for one in (weight, bias) if one is not None]
    if not last or tuple(x.shape[-len(last) :]) != last:
        return None
    if any(tuple(one.shape) != last or one.dtype != x.dtype for one in own):
        return None
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def recurrent(gates: int) -> Callable[..., tuple[Tensor, ...] | None]:
    """Layers of cells along a sequence, without projections: the outputs, and the states at the end. torch runs every
    cell, which takes as long as the sequence is."""

    def quick(
        x: Tensor, states: Any, params: Any, has_biases: bool, layers: int, dropout: float, train: bool,
        bidirectional: bool, batch_first: bool,
    ) -> tuple[Tensor, ...] | None:  # fmt: skip
        given = (states,) if isinstance(states, Tensor) else tuple(states)
        directions, hidden = 1 + bidirectional, given[0].shape[-1]
        if x.dim() != 3 or x.shape[1 - batch_first] == 0 or x.shape[-1] != params[0].shape[-1]:
            return None
        n, steps = (x.shape[0], x.shape[1]) if batch_first else (x.shape[1], x.shape[0])
        if any(one.shape != (layers * directions, n, hidden) or one.dtype != x.dtype for one in given):
            return None
        if params[0].shape[0] != gates * hidden or any(one.dtype != x.dtype for one in params):
            return None
        out = torch.empty((steps, n, directions * hidden), dtype=x.dtype, device="meta")
        ends = [torch.empty(one.shape, dtype=x.dtype, device="meta") for one in given]
        return (out.transpose(0, 1) if batch_first else out), *ends

    return quick


def first(x: Tensor, *_: Any, **__: Any) -> Tensor | None:
    """A function of each element that is written over it."""
    return x if x.is_floating_point() else None


def first_of_both(x: Tensor, y: Any, *_: Any, **__: Any) -> Tensor | None:
    """A sum or product that is written over its first tensor."""
    return None if like_both(x, y) is None else x


OF_ONE = ("relu", "gelu", "silu", "sigmoid", "tanh", "hardswish", "hardsigmoid", "leaky_relu", "hardtanh")
OF_TWO = ("add", "mul", "sub")
QUICK: dict[str, Callable[..., Tensor | None]] = {
    **dict.fromkeys(OF_ONE, like_first), **dict.fromkeys([f"{name}_" for name in OF_ONE], first),
    **dict.fromkeys(OF_TWO, like_both), **dict.fromkeys([f"{name}_" for name in OF_TWO], first_of_both),
    "linear": linear, "batch_norm": batch_norm, "layer_norm": layer_norm,
}  # fmt: skip
RECURRENT: dict[str, Callable[..., tuple[Tensor, ...] | None]] = {"lstm": recurrent(4), "gru": recurrent(3)}
