"""What torch says of an op: the names of its arguments, which of them it writes over, whether it falls into parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from costcalc.importers.torch_runs.run_record import makes_new
from costcalc.importers.torch_runs.torch_quick import QUICK, RECURRENT

WHOLE = {  # composite ops that stay one call; others fall into their parts
    "aten::linear", "aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::matmul", "aten::layer_norm",
    "aten::group_norm", "aten::batch_norm", "aten::instance_norm", "aten::scaled_dot_product_attention", "aten::lstm",
    "aten::gru", "aten::adaptive_avg_pool1d", "aten::adaptive_avg_pool2d", "aten::adaptive_avg_pool3d", "aten::dropout",
    "aten::conv_transpose1d", "aten::conv_transpose2d", "aten::conv_transpose3d", "aten::rms_norm", "aten::embedding",
    "aten::max_pool1d", "aten::max_pool2d", "aten::max_pool3d", "aten::silu", "aten::pad",
    "aten::bilinear",
    "aten::softmax", "aten::log_softmax", "aten::flatten", "aten::reshape", "aten::contiguous", "aten::to",
    "aten::conv1d.padding", "aten::conv2d.padding", "aten::conv3d.padding", "aten::prelu", "aten::pixel_shuffle",
    "aten::upsample_nearest1d", "aten::upsample_nearest2d", "aten::upsample_nearest3d", "aten::upsample_linear1d",
    "aten::upsample_bilinear2d", "aten::upsample_trilinear3d", "aten::upsample_bicubic2d", "aten::grid_sampler",
    "aten::_upsample_nearest_exact1d", "aten::_upsample_nearest_exact2d", "aten::_upsample_nearest_exact3d",
}  # fmt: skip


FIXED_SHAPE = {"aten::index", "aten::one_hot"}  # tagged as ops whose shape depends on values


class Facts(NamedTuple):
    """What torch says of an op."""

    name: str
    arguments: tuple[str, ...]
    written: tuple[str, ...]  # arguments that it writes over
    takes_device: bool
    falls_apart: bool
    asks: bool  # its result, or its shape, depends on values
    random: bool
    makes_new: bool  # its result depends on the shapes alone of what it reads
    tags: frozenset[str]
    quick: Callable[..., Any] | None  # what it returns on meta


@cache
def facts_of(func: Any) -> Facts:
    """The facts of an op."""
    schema, name = func._schema, func._schema.name
    tags = frozenset(str(tag).rpartition(".")[2] for tag in func.tags)
    names = tuple(one.name for one in schema.arguments)
    return Facts(
        name, names,
        tuple(one.name for one in schema.arguments if one.alias_info is not None and one.alias_info.is_write),
        "device" in names,
        func._can_decompose() and not {name, f"{name}.{schema.overload_name}"} & WHOLE,
        bool(tags & {"data_dependent_output", "dynamic_output_shape"}) and name not in FIXED_SHAPE,
        "nondeterministic_seeded" in tags and name != "aten::dropout", makes_new(name), tags,
        (RECURRENT if schema.overload_name == "input" else QUICK).get(name.removeprefix("aten::"))
        if schema.overload_name in ("", "Tensor", "Scalar", "input") else None,
    )  # fmt: skip


@cache
def dtype_name(dtype: torch.dtype) -> str:
    """`float32`."""
    return str(dtype).removeprefix("torch.")
