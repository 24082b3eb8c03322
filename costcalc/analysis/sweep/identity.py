"""What a sweep is, in hashes: equal ones have equal results, in every process and at every time."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.sweep.chunks import Job
from costcalc.analysis.sweep.grid import Grid
from costcalc.models.fingerprint import fingerprint


def identity(job: Job, grid: Grid, **more: Any) -> dict[str, str]:
    """For each part of a sweep a hash of all that its result depends on."""
    parts = {
        "model": job.net.identity, "name": job.net.label, "grid": repr([*grid.axes.items()]),
        "setting of knobs": job.net.values_but(grid.axes),
        "choice": (job.choice, job.histogram), "set of metrics": job.metrics,
        "size of chunks": job.points, "version of costcalc": job.version, **more,
    }  # fmt: skip
    return {name: fingerprint(part) for name, part in parts.items()}
