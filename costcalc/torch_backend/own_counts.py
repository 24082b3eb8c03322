"""Counts a reader's own module with torch's counter, forward and backward, module by module. Nothing is computed."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from costcalc.importers.torch_runs.torch_failures import refused
from costcalc.importers.torch_runs.torch_inputs import meta_inputs
from costcalc.importers.torch_runs.torch_parts import WITHOUT_KERNEL
from costcalc.importers.torch_runs.torch_recorder import Recorder
from costcalc.importers.torch_runs.torch_untouched import untouched
from costcalc.torch_backend.count import counter, grouped_products
from costcalc.torch_backend.module_spans import ModuleSpans
from costcalc.torch_backend.own_module import OwnModule, learned_outputs

VECTOR_PRODUCTS = {
    "aten::mv": "self",
    "aten::addmv": "mat",
    "aten::dot": "self",
    "aten::vdot": "self",
}  # what is read once


class _ByModule(Recorder):  # type: ignore[no-untyped-call]
    """Shares the FLOPs of a counter among modules while a module runs as it does when it is recorded."""

    def __init__(self, module: nn.Module, flops: FlopCounterMode, spans: ModuleSpans):
        super().__init__(module, quick=False)  # so that the counter sees every op
        self.flops, self.spans, self.counted = flops, spans, 0
        self.forward: Counter[str] = Counter()
        self.backward: Counter[str] = Counter()

    def record(self, func: Any, facts: Any, given: dict[str, Any], out: Any, read: list[Any]) -> None:
        """Adds a call that has run."""
        super().record(func, facts, given, out, read)
        flops = self.flops.get_total_flops() - self.counted
        self.counted += flops
        node = torch._C._current_autograd_node()
        macs = flops // 2 + with_vectors(facts.name, given, out, node.name() if node else "")
        macs += without_kernel(facts.name, given)
        if not macs:
            return
        if node is None:
            self.forward[self.spans.running or ""] += macs
        else:
            self.backward[self.spans.owner_of(node._sequence_nr()) or ""] += macs


def without_kernel(op: str, given: dict[str, Any]) -> int:
    """Multiplies of a product that is shown no kernel: on meta torch has none for its type."""
    if op not in WITHOUT_KERNEL or given["self"].dtype == "bfloat16":
        return 0
    return grouped_products(given["self"].shape, given["mat2"].shape) // 2


def with_vectors(op: str, given: dict[str, Any], out: Any, node: str) -> int:
    """Multiplies of a product with a vector, which torch's counter leaves out. In the backward pass, where `node` runs,
    the gradient of its matrix is a product of each element by each."""
    if op in VECTOR_PRODUCTS:
        return prod(given[VECTOR_PRODUCTS[op]].shape)
    if op == "aten::mul" and node.removesuffix("Backward0") in ("Mv", "Addmv", "Dot", "Vdot"):
        return int(out.numel())
    return 0


def own_macs(own: OwnModule) -> tuple[Counter[str], Counter[str]]:
    """Multiplies by the path of the module that makes them, forward and backward. The module stays as it is.

    Raises ImportRefused if the module does not run under torch's counter.
    """
    module: nn.Module = own.source.module
    args, kwargs = meta_inputs(module, own.inputs)
    spans = ModuleSpans(module)
    # attention in parts that can be counted: its fused kernel computes scores again in the backward pass
    with untouched(module), sdpa_kernel(SDPBackend.MATH), counter() as flops, torch.enable_grad():
        module.eval()
        with spans.followed(), _ByModule(module, flops, spans) as shared:
            try:
                out = torch.func.functional_call(module, _without_memory(module, own), args, kwargs)
                outputs = learned_outputs(out)
                if outputs:
                    torch.autograd.backward(outputs, [torch.ones_like(one) for one in outputs])
            except Exception as error:
                raise refused(module, spans, error) from error
    return shared.forward, shared.backward


def _without_memory(module: nn.Module, own: OwnModule) -> dict[str, Tensor]:
    """The parameters of a module on meta, those that learn as leaves of a graph of gradients."""
    found: dict[str, Tensor] = {}
    for name, tensor in module.named_parameters():
        learns = tensor.requires_grad and name not in own.frozen
        found[name] = torch.empty_like(tensor, device="meta").requires_grad_(learns)
    return found
