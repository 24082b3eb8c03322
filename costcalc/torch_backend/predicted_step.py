"""The predicted memory of a training step, as `costcalc memory` counts it."""

from __future__ import annotations

from costcalc.analysis.training.memory_use import memory_use
from costcalc.analysis.training.timeline import BUFFERS, OPTIMIZER, WEIGHTS
from costcalc.errors import ShapeError, UsageError
from costcalc.graph import Graph
from costcalc.net import load
from costcalc.torch_backend.settings import Settings

HELD_BETWEEN_STEPS = (WEIGHTS, BUFFERS, OPTIMIZER)


def step_bytes(graph: Graph, settings: Settings) -> tuple[int, int] | None:
    """The most bytes that a training step of a layer graph holds, and those of them that are not held between steps;
    None if that is not known."""
    try:
        used = memory_use(load(graph).with_dtype(settings.dtype), train=True)
    except (ShapeError, UsageError):  # nothing to train, or a kernel's own choice
        return None
    return used.bytes, used.bytes - sum(used.parts[kind] for kind in HELD_BETWEEN_STEPS)
