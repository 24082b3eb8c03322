"""The free memory of a device, and the bytes that a network needs there."""

from __future__ import annotations

from functools import cache

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.memory import peak_activations
from costcalc.graph import Graph
from costcalc.torch_backend.settings import Settings

MAX_MMAP_THRESHOLD_BYTES = 2**25 - 2**16  # the largest that glibc adapts to: 32 MiB with its own overhead


@cache
def keep_freed_memory() -> None:
    """Makes glibc keep up to 64 MiB of freed memory, so that the next run of a module needs no new pages.

    glibc returns the free end of its heap to the system when it exceeds twice the largest block that was mapped on its
    own and freed, up to a limit (mallopt(3), M_MMAP_THRESHOLD). This maps and frees one block of that limit, untouched.
    It has no effect with another malloc, or if MALLOC_TRIM_THRESHOLD_ is set.
    """
    torch.empty(MAX_MMAP_THRESHOLD_BYTES, dtype=torch.uint8, device="cpu")


def free_bytes(device: torch.device) -> int:
    """Free bytes on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return int(psutil.virtual_memory().available)


def predicted_bytes(graph: Graph, settings: Settings) -> tuple[int, int]:
    """Predicted bytes of the weights and buffers, and of the peak activations at inference. A training step needs more
    of both: it keeps activations for the backward pass, and gradients."""
    rows = cost(graph).layers
    weights = sum(row.params + row.total("buffers") for row in rows)
    return settings.bytes_per_element * weights, settings.bytes_per_element * peak_activations(graph).elements
