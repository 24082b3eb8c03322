"""The fingerprint of a sweep: hashes that are equal for equal sweeps, on any machine and at any time."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.sweep.chunks import ChunkTask
from costcalc.analysis.sweep.grid import Grid
from costcalc.models.content_hash import content_hash
from costcalc.train_step import DEFAULT_STEP


def fingerprint(task: ChunkTask, grid: Grid, **more: Any) -> dict[str, str]:
    """The sha256 of each input that the result of a sweep depends on, and of `more`."""
    parts = {
        "model": task.model.identity, "name": task.model.label, "grid": repr([*grid.axes.items()]),
        "setting of knobs": task.model.values_but(grid.axes), "dtype": task.model.dtype,
        **({"train step": task.model.step} if task.model.step != DEFAULT_STEP else {}),
        "choice": (vars(task.query), task.histogram), "set of metrics": task.metrics,
        "size of chunks": task.points, "version of costcalc": task.version, **more,
    }  # fmt: skip
    return {name: content_hash(part) for name, part in parts.items()}
