"""The inputs and outputs of a torch module: shapes as meta tensors, and the tensors of a call by name."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils import _pytree as pytree

from costcalc.errors import ImportRefused


def unwrapped(module: nn.Module) -> nn.Module:
    """The module in DataParallel and compiled wrappers. Raises ImportRefused for a part that TorchScript runs,
    which does not tell which module runs, and for a lazy one."""
    inner: Any = module
    while isinstance(inner, (nn.DataParallel, nn.parallel.DistributedDataParallel)) or hasattr(inner, "_orig_mod"):
        inner = inner._orig_mod if hasattr(inner, "_orig_mod") else inner.module
    found: nn.Module = inner
    for path, part in found.named_modules():
        where = repr(path) if path else "it"
        if isinstance(part, torch.jit.ScriptModule):
            raise ImportRefused(f"{where} is a module of TorchScript; import the module that it was made of")
        if any(isinstance(tensor, nn.UninitializedParameter) for tensor in part._parameters.values()):
            raise ImportRefused(f"{where} is a lazy module, whose sizes are not known; run it once on data first")
    return found


def signature_of(module: nn.Module) -> str:
    """`forward(x, mask=None)`, without the types of its arguments."""
    signature = inspect.signature(module.forward)
    plain = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return f"forward{signature.replace(parameters=plain, return_annotation=signature.empty)}"


def is_input(value: Any) -> bool:
    """Is this a tensor, or the shape of one?"""
    shape = isinstance(value, (tuple, list)) and bool(value) and all(type(size) is int for size in value)
    return shape or isinstance(value, torch.Tensor)


def on_meta(value: Any, dtype: torch.dtype | None = None) -> Any:
    """A meta tensor of the same shape, of this dtype if only a shape is given; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return torch.empty_like(value, device="meta")
    return torch.empty(tuple(value), dtype=dtype, device="meta") if is_input(value) else value


def meta_inputs(module: nn.Module, inputs: Any) -> Any:
    """Meta tensors in place of tensors and shapes, which are in the dtype of the module's first floating parameter."""
    dtypes = (one.dtype for one in module.parameters() if one.is_floating_point())
    return pytree.tree_map(partial(on_meta, dtype=next(dtypes, None)), inputs, is_leaf=is_input)


def empty_input(shape: tuple[int, ...], dtype: str) -> torch.Tensor:
    """A meta tensor of a dtype, by its name."""
    return torch.empty(shape, dtype=getattr(torch, dtype), device="meta")


def shape_of(value: Any) -> Any:
    """The shape of a tensor; of indices the meta tensor, whose dtype counts; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return tuple(value) if is_input(value) else value
    return tuple(value.shape) if value.is_floating_point() else on_meta(value)


def tensors_in(tree: Any) -> list[torch.Tensor]:
    """The tensors of nested tuples, lists and dicts."""
    return [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def input_names(module: nn.Module, given: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, torch.Tensor]:
    """The tensors of a call, by the names of `forward`'s arguments."""
    try:
        bound = inspect.signature(module.forward).bind(*given[0], **given[1]).arguments
    except TypeError:  # the module says it better
        bound = {f"input{i}": value for i, value in enumerate(given[0])} | given[1]
    found: dict[str, torch.Tensor] = {}
    for name, value in bound.items():
        tensors = tensors_in(value)
        for i, tensor in enumerate(tensors):
            found[name if len(tensors) == 1 else f"{name}{i}"] = tensor
    return found


def outputs_of(out: Any) -> list[torch.Tensor]:
    """The tensors of an output, those in attributes of an object too."""
    found = tensors_in(out)
    if not found and hasattr(out, "__dict__"):
        found = tensors_in(vars(out))
    return list(dict.fromkeys(found))
