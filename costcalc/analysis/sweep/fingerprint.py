"""What a sweep is, in hashes: equal ones come to the same, whoever works them out and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

from costcalc.analysis.sweep.chunks import Job
from costcalc.analysis.sweep.grid import Grid
from costcalc.errors import Place
from costcalc.spec.expressions import Expression

LEFT_OUT = ("place", "places", "file")  # fields that say where something stands


def identity(job: Job, grid: Grid, **more: Any) -> dict[str, str]:
    """For each part of a sweep the sha256 of all that its result depends on."""
    parts = {
        "spec": job.net.spec, "name": job.net.label, "grid": repr([*grid.axes.items()]),
        "setting of knobs": job.net.knobs_but(grid.axes),
        "choice": (job.choice, job.histogram), "set of metrics": job.metrics,
        "size of chunks": job.points, "version of costcalc": job.version, **more,
    }  # fmt: skip
    return {
        name: sha256("".join(_text(part)).encode("utf-8", "backslashreplace")).hexdigest()
        for name, part in parts.items()
    }


def _text(value: Any) -> Iterator[str]:
    """A value so that unlike ones differ. Of two alike it does not count where they stand, nor which is which."""
    if isinstance(value, Expression):
        yield f"Expression({value.text!r})"
    elif is_dataclass(value):
        # what is no argument follows from the others, or tells one of two alike from the other
        kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init and f.name not in LEFT_OUT}
        yield f"{type(value).__name__}{{"
        yield from _text(kept)
        yield "}"
    elif isinstance(value, Mapping):
        yield from _text([*value.items()])
    elif isinstance(value, (set, frozenset)):
        yield from _text(sorted(value))
    elif isinstance(value, Collection) and not isinstance(value, str) and not isinstance(value, Place):
        yield "["
        for item in value:
            yield from _text(item)
            yield ","
        yield "]"
    else:
        yield repr(value)
