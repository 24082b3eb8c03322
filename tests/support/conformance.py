"""Small networks on which counters of multiplies differ: each as a layer graph, and as a torch user would write it.

`truth` is derived by hand in the comment of its line. tests/analysis/test_conformance.py holds ours to it; the script
tests/benchmarks/peers.py asks other tools.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from support.layers import graph_of, in_a_row
from torch import Tensor, nn
from torch.nn import functional as F

import costcalc
from costcalc import ops


class Network(NamedTuple):
    """One line of the table."""

    name: str
    truth: int  # multiplies of one forward pass
    inputs: tuple[tuple[int, ...], ...]
    module: Callable[[], nn.Module]
    graph: Callable[[], Any]
    indices: bool = False  # are the inputs indices?


class FunctionModule(nn.Module):
    """A function of tensors, with the layers it calls."""

    def __init__(self, function: Callable[..., Tensor], **layers: Any):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *ins: Tensor) -> Tensor:
        return self.function(self, *ins)


def two_paths() -> Any:
    """The same convolution on x and on its ReLU, added."""
    graph = in_a_row((1, 6, 10, 8), ("conv", ops.Conv(6, 3, padding=1), {}))
    costcalc.add(graph, "relu", ops.ReLU(), "x")
    costcalc.add(graph, "again", ops.Conv(6, 3, padding=1), "relu", shares="conv")
    costcalc.add(graph, "add", ops.Add(), "conv", "again")
    return graph


def put_attention(graph: Any, x: str, n: int, length: int, width: int, heads: int) -> str:
    """Multi-head attention of x with itself, as torch has it: one projection in three parts, heads, one projection."""
    each = width // heads
    parts = []
    for part in "qkv":
        last = costcalc.add(graph, f"{part}_projection", ops.Linear(width), x)
        last = costcalc.add(graph, f"{part}_heads", ops.Reshape([length, heads, each]), last)
        parts.append(costcalc.add(graph, part, ops.Transpose([0, 2, 1, 3]), last))
    last = costcalc.add(graph, "attention", ops.ScaledDotProductAttention(), *parts)
    last = costcalc.add(graph, "back", ops.Transpose([0, 2, 1, 3]), last)
    last = costcalc.add(graph, "joined", ops.Reshape([length, width]), last)
    return costcalc.add(graph, "out_projection", ops.Linear(width), last)


def attention() -> Any:
    graph = in_a_row((2, 7, 12))
    put_attention(graph, "x", 2, 7, 12, 3)
    return graph


def encoder_layer() -> Any:
    graph = in_a_row((2, 7, 12))
    add, last = costcalc.add, put_attention(graph, "x", 2, 7, 12, 3)
    last = add(graph, "norm1", ops.LayerNorm(), add(graph, "add1", ops.Add(), "x", last))
    inner = add(
        graph, "linear2", ops.Linear(12), add(graph, "relu", ops.ReLU(), add(graph, "linear1", ops.Linear(20), last))
    )
    add(graph, "norm2", ops.LayerNorm(), add(graph, "add2", ops.Add(), last, inner))
    return graph


def unused() -> Any:
    """A layer that is not called is not in the graph."""
    return in_a_row((1, 6, 10, 8), ops.Conv(4, 3))


def tied() -> Any:
    return in_a_row(
        (2, 5), ("embed", ops.Embedding(11, 8), {}), ("out", ops.Linear(11, bias=False), {"shares": "embed"})
    )


def tied_module() -> nn.Module:
    embed, out = nn.Embedding(11, 8), nn.Linear(8, 11, bias=False)
    out.weight = embed.weight
    return nn.Sequential(embed, out)


X = (1, 6, 10, 8)
CONV = (X,)
NETWORKS = [
    # 8·6 positions, 4 maps, 3·3·6 products each
    Network("conv with bias", 8 * 6 * 4 * 54, CONV, lambda: nn.Conv2d(6, 4, 3), lambda: in_a_row(X, ops.Conv(4, 3))),
    # the same, four times
    Network("batch 4", 4 * 8 * 6 * 4 * 54, ((4, 6, 10, 8),), lambda: nn.Conv2d(6, 4, 3), lambda: in_a_row((4, 6, 10, 8), ops.Conv(4, 3))),
    # 8·6 positions, 6 maps, 3·3 products of one channel
    Network("depthwise conv", 8 * 6 * 6 * 9, CONV, lambda: nn.Conv2d(6, 6, 3, groups=6), lambda: in_a_row(X, ops.Depthwise(3))),
    # every one of 6·10·8 elements stamps 3·3 on 4 maps
    Network("transposed conv, stride 2", 480 * 9 * 4, CONV, lambda: nn.ConvTranspose2d(6, 4, 3, 2), lambda: in_a_row(X, ops.ConvTranspose(4, 3, 2))),
    # on the one map of its group
    Network("transposed conv, depthwise", 480 * 9, CONV, lambda: nn.ConvTranspose2d(6, 6, 3, groups=6), lambda: in_a_row(X, ops.ConvTranspose(6, 3, groups=6))),
    # as conv with bias: a call of a function on a parameter
    Network("functional conv", 8 * 6 * 4 * 54, CONV, lambda: FunctionModule(lambda s, x: F.conv2d(x, s.w), w=nn.Parameter(torch.randn(4, 6, 3, 3))), lambda: in_a_row(X, ops.Conv(4, 3, bias=False))),
    # 10·8 positions, 6 maps, 54 products; two calls
    Network("a module called twice", 2 * 80 * 6 * 54, CONV, lambda: FunctionModule(lambda s, x: s.c(s.c(x)), c=nn.Conv2d(6, 6, 3, padding=1)), lambda: in_a_row(X, ("c", ops.Conv(6, 3, padding=1), {}), ("again", ops.Conv(6, 3, padding=1), {"shares": "c"}))),
    Network("a module on two paths", 2 * 80 * 6 * 54, CONV, lambda: FunctionModule(lambda s, x: s.c(x) + s.c(x.relu()), c=nn.Conv2d(6, 6, 3, padding=1)), two_paths),
    # 10·8 positions, 4 maps, k·k·6 products
    Network("padding same, kernel 3", 80 * 4 * 54, CONV, lambda: nn.Conv2d(6, 4, 3, padding="same"), lambda: in_a_row(X, ops.Conv(4, 3, padding="same"))),
    Network("padding same, kernel 4", 80 * 4 * 96, CONV, lambda: nn.Conv2d(6, 4, 4, padding="same"), lambda: in_a_row(X, ops.Conv(4, 4, padding="same"))),
    # pooling multiplies nothing; 5·4 positions of the next layer, 4 maps, 6 products
    Network("ceil-mode pooling, 1×1 conv", 20 * 4 * 6, ((1, 6, 9, 7),), lambda: nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(6, 4, 1)), lambda: in_a_row((1, 6, 9, 7), ops.MaxPool(2, 2, ceil_mode=True), ops.Conv(4, 1))),
    # 6 → 10
    Network("global average pooling, linear", 60, CONV, lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)), lambda: in_a_row(X, ops.GlobalAveragePool(), ops.Linear(10))),
    Network("an unused layer", 8 * 6 * 4 * 54, CONV, lambda: FunctionModule(lambda s, x: s.c(x), c=nn.Conv2d(6, 4, 3), other=nn.Linear(100, 100)), unused),
    # 2·5 rows, 12 → 7
    Network("linear on 3-D input", 10 * 12 * 7, ((2, 5, 12),), lambda: nn.Linear(12, 7), lambda: in_a_row((2, 5, 12), ops.Linear(7))),
    # the embedding looks up; 2·5 rows, 8 → 11
    Network("tied embedding and linear", 10 * 8 * 11, ((2, 5),), tied_module, tied, indices=True),
    # 2·5 steps, 4 gates of 8, with 12 inputs and 8 states each
    Network("LSTM", 10 * 4 * 8 * (12 + 8), ((2, 5, 12),), lambda: FunctionModule(lambda s, x: s.l(x)[0], l=nn.LSTM(12, 8, batch_first=True)), lambda: in_a_row((2, 5, 12), ops.LSTM(8))),
    # 4 projections of 2·7 rows, 12 → 12; scores and values: 2 images, 3 heads, 7·7 pairs, 4 products, twice
    Network("multi-head attention", 4 * 14 * 144 + 2 * (2 * 3 * 49 * 4), ((2, 7, 12),), lambda: FunctionModule(lambda s, x: s.m(x, x, x, need_weights=False)[0], m=nn.MultiheadAttention(12, 3, batch_first=True)), attention),
    # the same, and two linears of 2·7 rows between 12 and 20. Not 5 rows: there, 5 per element of both norms, as fvcore
    # has it, make up for the attention that it does not see
    Network("transformer encoder layer", 4 * 14 * 144 + 2 * (2 * 3 * 49 * 4) + 2 * 14 * 240, ((2, 7, 12),), lambda: nn.TransformerEncoderLayer(12, 3, 20, batch_first=True), encoder_layer),
    # 2 · 3 heads · 5·5 pairs · 4, twice
    Network("scaled_dot_product_attention", 2 * 600, ((2, 3, 5, 4),) * 3, lambda: FunctionModule(lambda s, q, k, v: F.scaled_dot_product_attention(q, k, v)), lambda: graph_of(ops.ScaledDotProductAttention(), *((2, 3, 5, 4),) * 3)),
    # 2 · 5·7 elements, 4 products
    Network("q @ k", 2 * 35 * 4, ((2, 5, 4), (2, 4, 7)), lambda: FunctionModule(lambda s, q, k: q @ k), lambda: graph_of(ops.MatMul(), (2, 5, 4), (2, 4, 7))),
    Network("einsum", 2 * 35 * 4, ((2, 5, 4), (2, 4, 7)), lambda: FunctionModule(lambda s, q, k: torch.einsum("bij,bjk->bik", q, k)), lambda: graph_of(ops.MatMul(), (2, 5, 4), (2, 4, 7))),
    # scaling an element is no sum of products
    Network("batch norm, ReLU", 0, CONV, lambda: nn.Sequential(nn.BatchNorm2d(6), nn.ReLU()), lambda: in_a_row(X, ops.BatchNorm(), ops.ReLU())),
    Network("embedding", 0, ((2, 5),), lambda: nn.Embedding(11, 8), lambda: in_a_row((2, 5), ops.Embedding(11, 8)), indices=True),
]  # fmt: skip


def example(network: Network) -> tuple[Tensor, ...]:
    """Inputs for the module."""
    if network.indices:
        return tuple(torch.randint(11, size) for size in network.inputs)
    return tuple(torch.randn(size) for size in network.inputs)
