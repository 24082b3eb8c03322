"""What a training step is predicted to hold, as the counts have it."""

from __future__ import annotations

from costcalc.analysis.training.step_metrics import step_of
from costcalc.analysis.training.step_peak import parts_of_peak
from costcalc.analysis.training.timeline import BUFFERS, OPTIMIZER, WEIGHTS
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.dtype import read_dtype
from costcalc.errors import UnknownName, UsageError
from costcalc.graph import Graph, unroll
from costcalc.torch_backend.settings import Settings

HELD_BETWEEN_STEPS = (WEIGHTS, BUFFERS, OPTIMIZER)


def step_bytes(graph: Graph, settings: Settings) -> tuple[int, int] | None:
    """The bytes that a training step holds at most, and those of them that are not held between steps; None where that
    is not known."""
    written_out = unroll(graph)
    try:
        dtype = read_dtype(settings.dtype)
        ((_, layers),) = unrolled_layers(written_out)
        step = step_of(written_out, layers, dtype)
        step.needs_training()
        parts, _ = parts_of_peak(step.layers, step.bytes_of, step.optimizer)
    except (UsageError, UnknownName):  # a kernel's own choice, or a dtype that counts do not know
        return None
    held = sum(parts.values())
    return held, held - sum(parts[kind] for kind in HELD_BETWEEN_STEPS)
