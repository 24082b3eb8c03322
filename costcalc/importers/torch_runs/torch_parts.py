"""Ops that torch runs in one kernel, of which nothing says what it computes, as the ops that they are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

MEAN = 1  # the mode of a bag that torch calls so


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


def _grouped_mm(a: Tensor, b: Tensor, offs: Tensor | None = None, *_: Any, **__: Any) -> Tensor | None:
    """The output of products whose rows, columns or summands fall into groups; None in bfloat16, the one type in which
    torch has it on meta."""
    if a.dtype == torch.bfloat16:
        return None
    if a.dim() == b.dim():  # of 2 axes the summands fall into groups, of 3 each group has its own product
        groups = b.shape[0] if offs is None else len(offs)
        return torch.empty(groups, a.shape[-2], b.shape[-1], dtype=a.dtype, device="meta")
    return torch.empty(a.shape[-2], b.shape[-1], dtype=a.dtype, device="meta")


WITHOUT_KERNEL = {"aten::_grouped_mm": _grouped_mm}
PARTS = {
    "aten::glu": _glu, "aten::affine_grid_generator": _affine_grid,
    "aten::embedding_bag": _embedding_bag, "aten::_embedding_bag": _embedding_bag,
    "aten::_embedding_bag_forward_only": _embedding_bag,
}  # fmt: skip
