"""Measures the peak memory of a step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from costcalc.torch_backend.runner import Runner


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Silences stderr, where the profiler writes from C++."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def measured_peak(runner: Runner) -> int | None:
    """The most bytes held at once in a step, besides the weights and what the optimizer keeps: inputs and targets,
    activations, and gradients in training.

    On a GPU its allocator counts them; None for a CUDA graph, whose replay does not allocate. On a CPU the profiler
    records every allocation.
    """
    if runner.settings.engine == "cuda_graph":
        return None
    runner.free_gradients()
    inputs = sum(t.numel() * t.element_size() for t in (*runner.inputs, *runner.targets))
    if runner.settings.device.startswith("cuda"):
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        runner.run()
        return torch.cuda.max_memory_allocated() - before + inputs
    # torch.profiler wraps this one, and imports all of torch's compiler before it starts
    with silent_stderr(), torch.autograd.profiler.profile(profile_memory=True, use_kineto=True) as profile:
        runner.run()
    held = peak = 0
    for event in profile.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return inputs + peak
