"""The fingerprint of a sweep: hashes that are equal for equal sweeps, on any machine and at any time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any

from costcalc.analysis.sweep.chunks import ChunkTask
from costcalc.analysis.sweep.grid import Grid
from costcalc.errors import Place
from costcalc.spec.expressions import Expression

FIELDS_LEFT_OUT = ("place", "places", "file")  # where in a file something stands


def fingerprint(task: ChunkTask, grid: Grid, **more: Any) -> dict[str, str]:
    """For each part of a sweep the sha256 of all that its result depends on."""
    parts = {
        "spec": task.net.spec, "name": task.net.label, "grid": repr([*grid.axes.items()]),
        "setting of knobs": task.net.knobs_but(grid.axes),
        "choice": (task.choice, task.histogram), "set of metrics": task.metrics,
        "size of chunks": task.points, "version of costcalc": task.version, **more,
    }  # fmt: skip
    return {
        name: sha256("".join(_text(part)).encode("utf-8", "backslashreplace")).hexdigest()
        for name, part in parts.items()
    }


def _text(value: Any) -> Iterator[str]:
    """A value as text, so that unlike values have unlike texts. Where a value stands in a file does not matter."""
    if isinstance(value, Expression):
        yield f"Expression({value.text!r})"
    elif is_dataclass(value):
        # a field that is no argument follows from the others, or tells equal objects apart
        kept = {f.name: getattr(value, f.name) for f in fields(value) if f.init and f.name not in FIELDS_LEFT_OUT}
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
