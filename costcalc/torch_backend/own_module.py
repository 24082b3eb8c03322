"""A reader's own module, imported, as it is verified and timed: not a copy that is built from its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from costcalc.analysis.walk import Row, walk
from costcalc.graph.freezing import frozen_tensors, is_frozen
from costcalc.importers.module_sources.torch_module_source import ModuleSource
from costcalc.importers.symbolic_sizes.input_sizes import Inputs
from costcalc.importers.torch_runs.run_record import Origin
from costcalc.importers.torch_runs.torch_inputs import input_names, is_input, outputs_of
from costcalc.net import Net


@dataclass(frozen=True)
class OwnModule:
    """What makes a module and the shapes of its inputs; what of it does not learn. It can be sent to another process.

    Shapes are tuples, or meta tensors where the dtype counts. `limits`: of inputs that are indices, by name, the rows
    of the smallest table that they index.
    """

    source: ModuleSource
    inputs: Inputs
    limits: Mapping[str, int]
    frozen: frozenset[str] = frozenset()  # paths of parameters
    still: frozenset[str] = frozenset()  # paths of modules that are wholly frozen and have statistics

    def freeze(self, module: nn.Module) -> None:
        """Lets the tensors of the module that are frozen learn nothing."""
        for path, tensor in module.named_parameters():
            if path in self.frozen:
                tensor.requires_grad_(False)

    def evaluate_frozen_statistics(self, module: nn.Module) -> None:
        """Lets modules with statistics that are wholly frozen run as at inference."""
        for path in self.still:
            module.get_submodule(path).eval()

    def make_inputs(self, module: nn.Module, device: Any, dtype: torch.dtype) -> Inputs:
        """Random inputs: normal numbers; indices below the limits, or zeros where none is known."""
        made: Inputs = pytree.tree_map(
            lambda x: example(x, device, dtype) if is_input(x) else x, self.inputs, is_leaf=is_input
        )
        for name, tensor in input_names(module, made).items():
            if name in self.limits and not tensor.is_floating_point():
                tensor.random_(self.limits[name])
        return made


def example(like: Any, device: Any, dtype: torch.dtype) -> Tensor:
    """A tensor of a shape, or like a tensor without memory: normal numbers, or zeros, or all true."""
    if isinstance(like, Tensor) and not like.is_floating_point():
        return torch.full(like.shape, like.dtype == torch.bool, device=device, dtype=like.dtype)
    shape = like.shape if isinstance(like, Tensor) else like
    return torch.randn(shape, device=device, dtype=dtype)


def own_module_of(net: Net) -> OwnModule | None:
    """The module that a network was imported from, at its sizes; None for a network that has none, such as a spec."""
    architecture = net.architecture
    if architecture.module_source is None:
        return None
    graph = net.graph()
    rows = list(walk(graph))
    origin: Origin = graph.graph["origin"]
    frozen, still = set(), set()
    for path, (layer, name) in origin.tensors.items():
        what = frozen_tensors(layer, graph.nodes[layer].get("frozen"))
        if is_frozen(name, what):
            frozen.add(path)
        if what is True and name.startswith("running_"):
            still.add(origin.modules[layer])
    inputs = architecture.inputs_at(net.values)  # type: ignore[attr-defined]
    found = {str(row.name): index_limit(rows, row.name) for row in rows if row.op.is_input}
    limits = {name: limit for name, limit in found.items() if limit is not None}
    return OwnModule(architecture.module_source, inputs, limits, frozenset(frozen), frozenset(still))


def index_limit(rows: Sequence[Row], name: str) -> int | None:
    """The fewest rows of the tables that are indexed by a layer's output, also after its elements are moved."""
    limits, moved = [], {name}
    for row in rows:
        if moved.isdisjoint(row.inputs):
            continue
        if row.op.index_limit is not None and row.inputs[0] in moved:
            limits.append(row.op.index_limit)
        elif row.op.output.keeps_values:
            moved.add(row.name)
    return min(limits, default=None)


class Called(nn.Module):
    """A module whose inputs are the tensors among those that it takes, in order: values between them are set."""

    def __init__(self, module: nn.Module, inputs: Inputs):
        super().__init__()
        self.module = module
        leaves, self.tree = pytree.tree_flatten(inputs)
        self.values = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        self.tensors = tuple(leaves[i] for i in self.places)
        self.plain = len(inputs[0]) == len(leaves) == len(self.places)

    def forward(self, *tensors: Tensor) -> Any:
        if self.plain:
            return self.module(*tensors)
        leaves = list(self.values)
        for place, tensor in zip(self.places, tensors):
            leaves[place] = tensor
        args, kwargs = pytree.tree_unflatten(leaves, self.tree)
        return self.module(*args, **kwargs)


def learned_outputs(out: Any) -> tuple[Tensor, ...]:
    """The outputs that have a gradient."""
    return tuple(tensor for tensor in outputs_of(out) if tensor.requires_grad)
