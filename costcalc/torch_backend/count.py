"""Observes a built module in torch, layer by layer: shapes, tensors, and multiplies of the kernels."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


class ObservedLayer(NamedTuple):
    """One layer as torch has it."""

    output_shape: tuple[int, ...]
    tensors: dict[str, tuple[int, ...]]
    macs: int
    backward_macs: int
    inplace: bool  # is its output written over an input? Not asked of views and copies


def convolution_backward(
    grad: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int, wanted: Any, **_: Any,
) -> int:  # fmt: skip
    """FLOPs of the requested gradients: each has as many products as the forward pass.

    torch's own formula (2.13) ignores groups and is too large by their number: for EfficientNet-B0 it gives a backward
    pass of 40 times the forward pass, not 2.
    """
    products = prod(x if transposed else grad) * prod(weight[1:])
    return int(2 * products * sum(wanted[:2]))


def outer_product(added: Any, a: Any, b: Any, **_: Any) -> int:
    """FLOPs of a column times a row."""
    return int(2 * prod(a) * prod(b))


def sum_of_products(added: Any, a: Any, b: Any, **_: Any) -> int:
    """FLOPs of products of matrices that are added up."""
    return int(2 * prod(a) * int(b[-1]))


def grouped_products(a: Any, b: Any, *_: Any, **__: Any) -> int:
    """FLOPs of products whose rows, columns or summands fall into groups; where both say so, of one each."""
    return int(2 * prod(a[-2:]) * int(b[-1]) * int(a[0] if len(a) == len(b) == 3 else 1))


def trilinear(
    a: Any, b: Any, c: Any, expand1: Any, expand2: Any, expand3: Any, sumdim: Any, *_: Any, **__: Any
) -> int:  # fmt: skip
    """FLOPs of Σ a·b·c as torch's kernel makes it: a·b, summed over the axes that c has not, then times c."""
    shapes = []
    for shape, lacks in ((a, expand1), (b, expand2), (c, expand3)):
        whole = list(shape)
        for axis in sorted(lacks):
            whole.insert(axis, 0)
        shapes.append(whole)
    sizes = [max(axis) for axis in zip(*shapes)]
    of_both = prod(size for size, x, y in zip(sizes, *shapes[:2]) if x or y)
    after = prod(size for axis, (size, z) in enumerate(zip(sizes, shapes[2])) if z or axis not in sumdim)
    return int(2 * (of_both + after))


CORRECTED = {
    aten.convolution_backward: convolution_backward, aten.addr: outer_product, aten.addbmm: sum_of_products,
    aten._trilinear: trilinear, aten._grouped_mm: grouped_products,
}  # fmt: skip


def counter() -> FlopCounterMode:
    """torch's counter, with a corrected formula for the backward pass of convolutions, and one for each product that it
    leaves out."""
    return FlopCounterMode(display=False, custom_mapping=CORRECTED)


class _Observer(fx.Interpreter):
    """Runs a module layer by layer, each forward and then, on its own, backward."""

    def __init__(self, module: fx.GraphModule):
        super().__init__(module)
        self.observed: dict[Any, ObservedLayer] = {}

    def run_node(self, n: fx.Node) -> Any:
        if n.op != "call_module":
            return super().run_node(n)
        # attention in parts that can be counted: its fused kernel computes scores again in the backward pass
        with sdpa_kernel(SDPBackend.MATH):
            with counter() as forward:
                out = super().run_node(n)
            read = self.fetch_args_kwargs_from_env(n)[0]
            ins = [t.detach().requires_grad_(t.requires_grad) for t in read]
            apart = self.fetch_attr(str(n.target))(*(t.clone() for t in ins))  # the layer may write over these
            with counter() as backward:
                if apart.requires_grad:
                    apart.backward(torch.ones_like(apart))
        module = self.fetch_attr(str(n.target))
        tensors = {name: tuple(t.shape) for name, t in [*module.named_parameters(), *module.named_buffers()]}
        tensors.pop("num_batches_tracked", None)  # torch counts batches with it
        macs, backward_macs = (count.get_total_flops() // 2 for count in (forward, backward))  # two FLOPs for each
        row = n.meta["row"]
        inplace = not row.op.output.keeps_values and _storage(out) in map(_storage, read)
        self.observed[row.name] = ObservedLayer(tuple(out.shape), tensors, macs, backward_macs, inplace)
        return out


def _storage(tensor: Tensor) -> int:
    """Identifies the memory of a tensor, on the meta device too."""
    return int(tensor.untyped_storage()._cdata)


def observe_layers(module: fx.GraphModule, *inputs: Tensor) -> dict[Any, ObservedLayer]:
    """Every layer of a built module as torch has it. On the meta device nothing is computed."""
    observer = _Observer(module)
    with torch.enable_grad():
        observer.run(*inputs)
    return observer.observed
