"""Counts a reader's own module with torch's counter, forward and backward, module by module. Nothing is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from costcalc.importers.torch_record import is_input, on_meta, refused
from costcalc.importers.untouched import untouched
from costcalc.torch_backend.count import counter
from costcalc.torch_backend.module_spans import ModuleSpans
from costcalc.torch_backend.own_module import OwnModule, learned_outputs


class _ByModule(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shares the FLOPs of a counter among modules. Tensors that are not on meta are shown to ops as if they were."""

    def __init__(self, flops: FlopCounterMode, spans: ModuleSpans):
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops, self.spans = flops, spans
        self.forward: Counter[str] = Counter()
        self.backward: Counter[str] = Counter()
        self.shadows: dict[int, tuple[Tensor, Tensor]] = {}  # by the id of a tensor, which is kept with it

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        args, given = pytree.tree_map_only(Tensor, self.shadow, (args, dict(kwargs or {})))
        makes = not any(isinstance(leaf, Tensor) for leaf in pytree.tree_leaves(args))
        if given.get("device") is not None or (makes and any(one.name == "device" for one in func._schema.arguments)):
            given["device"] = torch.device("meta")
        before = self.flops.get_total_flops()
        out = func(*args, **given)
        if flops := self.flops.get_total_flops() - before:
            node = torch._C._current_autograd_node()
            if node is None:
                self.forward[self.spans.running or ""] += flops // 2
            else:
                self.backward[self.spans.owner_of(node._sequence_nr()) or ""] += flops // 2
        return out

    def shadow(self, tensor: Tensor) -> Tensor:
        """The tensor, or one on meta of the same shape, made once."""
        if tensor.device.type == "meta":
            return tensor
        if id(tensor) not in self.shadows:
            made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            self.shadows[id(tensor)] = tensor, made
        return self.shadows[id(tensor)][1]


def own_macs(own: OwnModule) -> tuple[Counter[str], Counter[str]]:
    """Multiplies by the path of the module that makes them, forward and backward. The module stays as it is.

    Raises ImportRefused if the module does not run under torch's counter.
    """
    module: nn.Module = own.source.module
    args, kwargs = pytree.tree_map(on_meta, own.inputs, is_leaf=is_input)
    spans = ModuleSpans(module)
    # attention in parts that can be counted: its fused kernel computes scores again in the backward pass
    with untouched(module), sdpa_kernel(SDPBackend.MATH), counter() as flops, torch.enable_grad():
        module.eval()
        with spans.followed(), _ByModule(flops, spans) as shared:
            try:
                out = torch.func.functional_call(module, _without_memory(module, own), args, kwargs)
            except Exception as error:
                raise refused(module, spans, error) from error
            outputs = learned_outputs(out)
            if outputs:
                torch.autograd.backward(outputs, [torch.ones_like(one) for one in outputs])
    return shared.forward, shared.backward


def _without_memory(module: nn.Module, own: OwnModule) -> dict[str, Tensor]:
    """The parameters and buffers of a module on meta, those that learn as leaves of a graph of gradients."""
    found = {name: torch.empty_like(tensor, device="meta") for name, tensor in module.named_buffers()}
    for name, tensor in module.named_parameters():
        learns = tensor.requires_grad and name not in own.frozen
        found[name] = torch.empty_like(tensor, device="meta").requires_grad_(learns)
    return found
