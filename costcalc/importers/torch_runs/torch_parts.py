"""Ops that torch runs in one kernel, of which nothing says what it computes, as the ops that they are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MEAN = 1  # the mode of a bag that torch calls so


def _bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x·W·y for each feature: a product of matrices, then one of vectors."""
    out = torch.einsum("...oj,...j->...o", torch.einsum("...i,oij->...oj", x, weight), y)
    return out if bias is None else out + bias


def _glu(x: Tensor, dim: int = -1) -> Tensor:
    """One half times the sigmoid of the other."""
    a, b = x.chunk(2, dim)
    return a * b.sigmoid()


def _affine_grid(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """The positions of an output (n, c, h, w), each times the matrix of its image."""
    n, _, *sides = size
    base = torch.ones(n, *sides, len(sides) + 1, dtype=theta.dtype)
    return (base.flatten(1, -2) @ theta.mT).view(n, *sides, len(sides))


def _embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False, mode: int = 0,
    sparse: bool = False, per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Rows of a table, and the sum, mean or largest of those of each bag."""
    rows = torch.nn.functional.embedding(indices, weight)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[:, None]
    bags = torch.zeros(len(offsets) - include_last_offset, weight.shape[1], dtype=rows.dtype)
    summed = bags.index_add(0, torch.zeros(len(indices), dtype=torch.int64), rows)
    out = summed / torch.ones(len(bags), 1) if mode == MEAN else summed
    return (out, *(torch.zeros(0, dtype=torch.int64) for _ in range(3)))


PARTS = {
    "aten::bilinear": _bilinear, "aten::glu": _glu, "aten::affine_grid_generator": _affine_grid,
    "aten::embedding_bag": _embedding_bag, "aten::_embedding_bag": _embedding_bag,
    "aten::_embedding_bag_forward_only": _embedding_bag,
}  # fmt: skip
