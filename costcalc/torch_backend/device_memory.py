"""The free memory of a device, and the bytes that a network needs there."""

from __future__ import annotations

from functools import cache

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.memory import peak_activations
from costcalc.graph import Graph
from costcalc.torch_backend.settings import Settings

MAX_MMAP_THRESHOLD_BYTES = 2**25 - 2**16  # that glibc adapts to: 32 MiB with what it adds itself


@cache
def keep_freed_memory() -> None:
    """Has glibc keep what a run of a module frees for the next, up to 64 MiB of it.

    It gives the free end of its heap back to the system when that is longer than twice the largest block which it has
    had from there on its own and freed (mallopt(3), M_MMAP_THRESHOLD): the next layer's tensor then comes anew, page by
    page. One block of the largest size that counts comes and goes here, untouched. Nothing happens with another malloc,
    or where MALLOC_TRIM_THRESHOLD_ is set.
    """
    torch.empty(MAX_MMAP_THRESHOLD_BYTES, dtype=torch.uint8, device="cpu")


def free_bytes(device: torch.device) -> int:
    """Free bytes on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return int(psutil.virtual_memory().available)


def predicted_bytes(graph: Graph, settings: Settings) -> tuple[int, int]:
    """Bytes of the weights and buffers, and of the most activations held at once at inference, before anything is
    built. A training step takes more of both: it keeps activations for the backward pass, and gradients."""
    rows = cost(graph).layers
    weights = sum(row.params + row.total("buffers") for row in rows)
    return settings.bytes_per_element * weights, settings.bytes_per_element * peak_activations(graph).elements
