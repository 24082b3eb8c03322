"""What stands for the ops of costcalc.ops.imported, which do not say what they compute: functions that read, write,
keep and multiply as much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from costcalc.graph import Graph, unroll

STAND_INS = ("elementwise", "move", "reduction", "contraction")  # ops whose module computes something else


def filled(x: Tensor, size: Sequence[int]) -> Tensor:
    """A tensor of this size with elements of x, its own memory."""
    flat, count = x.reshape(-1), prod(size)
    return flat.repeat(-(-count // flat.numel()))[:count].view(tuple(size)).clone()


class Copy(torch.autograd.Function):
    """The sum of the inputs where they broadcast, or elements of the first in another size; keeps what it is told."""

    @staticmethod
    def forward(
        ctx: Any, size: Sequence[int], kept: Sequence[int], keeps_output: bool, keeps_order: bool, *ins: Tensor
    ) -> Tensor:
        dtype = ins[0].dtype
        for x in ins[1:]:
            dtype = torch.promote_types(dtype, x.dtype)
        whole = next((x for x in ins if keeps_order and x.shape == size), None)
        out = filled(ins[0].to(dtype), size) if whole is None else whole.to(dtype, copy=True)
        ctx.save_for_backward(*(ins[i] for i in kept), *((out,) if keeps_output else ()))
        ctx.like = [(x.shape, x.dtype) for x in ins]
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        _ = ctx.saved_tensors  # torch raises if one was written over
        made = [
            filled(grads[0], shape).to(dtype) if wanted else None
            for (shape, dtype), wanted in zip(ctx.like, ctx.needs_input_grad[4:])
        ]
        return (None, None, None, None, *made)


class Detached(nn.Module):
    """What a module makes, of which no gradient flows back."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, *ins: Tensor) -> Tensor:
        out: Tensor = self.inner(*ins)
        return out.detach()


def detached(make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """A builder of modules that heeds `detached`."""

    def built(op: Any, *ins: Any) -> nn.Module:
        made = make(op, *ins)
        return Detached(made) if op.detached else made

    return built


class Elementwise(nn.Module):
    """A function of inputs that broadcast.   s, … -> s"""

    def __init__(self, kept: Sequence[int], keeps_output: bool):
        super().__init__()
        self.kept, self.keeps_output = kept, keeps_output

    def forward(self, *ins: Tensor) -> Tensor:
        size = torch.broadcast_tensors(*ins)[0].shape  # type: ignore[no-untyped-call]
        return Copy.apply(size, self.kept, self.keeps_output, True, *ins)  # type: ignore[no-any-return]


class Move(nn.Module):
    """Elements in other places.   s, … -> size"""

    def __init__(self, size: Sequence[int], kept: Sequence[int], keeps_output: bool = False):
        super().__init__()
        self.size, self.kept, self.keeps_output = size, kept, keeps_output

    def forward(self, *ins: Tensor) -> Tensor:
        return Copy.apply(self.size, self.kept, self.keeps_output, False, *ins)  # type: ignore[no-any-return]


class View(nn.Module):
    """Elements of x in its memory.   s -> size"""

    def __init__(self, size: Sequence[int]):
        super().__init__()
        self.size = tuple(size)

    def forward(self, x: Tensor) -> Tensor:
        flat, count = x.reshape(-1), prod(self.size)
        return flat[:count].view(self.size) if count <= flat.numel() else flat[:1].expand(count).view(self.size)


class Products(torch.autograd.Function):
    """A matrix product of elements of two tensors; keeps each for the gradient of the other."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, size: Sequence[int], products: int) -> Tensor:
        ctx.rows, ctx.columns, ctx.products = prod(size[:-1]), size[-1], products
        for_a, for_b = ctx.needs_input_grad[:2]
        ctx.save_for_backward(a if for_b else None, b if for_a else None)
        ctx.like = a.shape, b.shape
        made = filled(a, (ctx.rows, products)) @ filled(b, (products, ctx.columns))
        return torch.ops.aten._unsafe_view(made, tuple(size))  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        a, b = ctx.saved_tensors
        grad = grads[0].reshape(ctx.rows, ctx.columns)
        of_a = grad @ filled(b, (ctx.products, ctx.columns)).t() if b is not None else None
        of_b = filled(a, (ctx.rows, ctx.products)).t() @ grad if a is not None else None
        made = [None if one is None else filled(one, shape) for one, shape in zip((of_a, of_b), ctx.like)]
        return (*made, None, None)


class Contraction(nn.Module):
    """Sums of so many products, to which further inputs are added.   s, t, … -> size"""

    def __init__(self, size: Sequence[int], products: int):
        super().__init__()
        self.size, self.products = tuple(size), products

    def forward(self, a: Tensor, b: Tensor, *added: Tensor) -> Tensor:
        kind = a.device.type
        if not torch.amp.is_autocast_available(kind) or not torch.is_autocast_enabled(kind):
            return self.products_of(a, b, *added)
        half = torch.get_autocast_dtype(kind)
        with torch.autocast(kind, enabled=False):
            return self.products_of(*(x.to(half) for x in (a, b, *added)))

    def products_of(self, a: Tensor, b: Tensor, *added: Tensor) -> Tensor:
        out: Tensor = Products.apply(a, b, self.size, self.products)
        for x in added:
            out = out + x
        return out


class Constant(nn.Module):
    """A tensor that is written in every pass.   -> size"""

    def __init__(self, size: Sequence[int]):
        super().__init__()
        self.size = tuple(size)
        self.like = torch.empty(0)  # of the device and dtype; no buffer, as the op has no tensor

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self.like = fn(self.like)
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def forward(self) -> Tensor:
        return torch.ones(self.size, device=self.like.device, dtype=self.like.dtype)


class Parameter(nn.Module):
    """A tensor of the network.   -> size"""

    weight: Tensor

    def __init__(self, size: Sequence[int], learned: bool):
        super().__init__()
        made = torch.randn(tuple(size)) * 0.02
        if learned:
            self.weight = nn.Parameter(made)
        else:
            self.register_buffer("weight", made)

    def forward(self) -> Tensor:
        return self.weight


def stand_ins_of(graph: Graph) -> list[str]:
    """The ops of a graph for which another function stands."""
    used = {op.name for _, op in unroll(graph).nodes(data="op")}
    return [name for name in STAND_INS if name in used]
