"""The batch of a network."""

from __future__ import annotations

from costcalc.analysis.walk import walk
from costcalc.models.model import Model


def batch_of(model: Model) -> int:
    """Examples of a step: the value of the knob `batch`, else the first axis of the first input. For numbers."""
    if "batch" in model.values:
        return int(model.values["batch"])
    return next(int(row.output_shape[0]) for row in walk(model.bound) if row.op.is_input)
