"""What a device holds, and what a network needs there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.memory import peak_activations
from costcalc.graph import Graph
from costcalc.torch_backend.settings import Settings

if TYPE_CHECKING:
    from costcalc.torch_backend.step import Step

LARGEST = 2**25 - 2**16  # bytes that glibc adapts to: 32 MiB with what it adds itself


@contextmanager
def muted() -> Iterator[None]:
    """Nothing on stderr: the profiler speaks there from below Python."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@cache
def keep_freed() -> None:
    """Has glibc keep what a run of a module frees for the next, up to 64 MiB of it.

    It gives the free end of its heap back to the system when that is longer than twice the largest block which it has
    had from there on its own and freed (mallopt(3), M_MMAP_THRESHOLD): the next layer's tensor then comes anew, page by
    page. One block of the largest size that counts comes and goes here, untouched. Nothing happens with another malloc,
    or where MALLOC_TRIM_THRESHOLD_ is set.
    """
    torch.empty(LARGEST, dtype=torch.uint8, device="cpu")


def available(device: torch.device) -> int:
    """Free bytes on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return int(psutil.virtual_memory().available)


def predicted(graph: Graph, settings: Settings) -> tuple[int, int]:
    """Bytes of the weights and buffers, and of the most activations held at once at inference, before anything is
    built. A training step takes more of both: it keeps activations for the backward pass, and gradients."""
    rows = cost(graph).layers
    weights = sum(row.params + row.buffers for row in rows)
    return settings.bytes_per_element * weights, settings.bytes_per_element * peak_activations(graph).elements


def measured_peak(step: Step) -> int | None:
    """The most bytes held at once in one step besides the weights: inputs, activations, and gradients in training.

    On a GPU as its allocator counts them, which is not asked when a CUDA graph is replayed: None. On a CPU from the
    profiler's records of every allocation.
    """
    if step.settings.engine == "cuda_graph":
        return None
    step.forget_gradients()
    inputs = sum(t.numel() * t.element_size() for t in step.inputs)
    if step.settings.device.startswith("cuda"):
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step.run()
        return torch.cuda.max_memory_allocated() - before + inputs
    # torch.profiler wraps this one, and imports all of torch's compiler before it starts
    with muted(), torch.autograd.profiler.profile(profile_memory=True, use_kineto=True) as profile:
        step.run()
    held = peak = 0
    for event in profile.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return inputs + peak
