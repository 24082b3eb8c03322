"""A cache of the sums of recent grids. In a small sweep the cost rules take nearly all of the time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.partition import AnySums, partitioned_sums
from costcalc.models.model import Model
from costcalc.ops import OPS

MAX_GRIDS = 64
MAX_BYTES_OF_A_GRID = 2**22  # of its sums; larger ones are not cached

_known: dict[Hashable, AnySums] = {}


def cached_sums(model: Model, grid: Grid, metrics: Sequence[str]) -> AnySums:
    """`partitioned_sums`, cached by model, grid and metrics."""
    key = (
        model.identity, model.dtype, model.step, tuple(model.settings.items()), tuple(grid.axes.items()),
        tuple(grid.spans.items()), tuple(metrics),
    )  # fmt: skip
    if not _is_hashable(key) or not _has_only_our_ops():
        return partitioned_sums(model, grid, metrics)
    found = _known.get(key)
    if found is None:
        found = partitioned_sums(model, grid, metrics)
        if found.nbytes <= MAX_BYTES_OF_A_GRID:
            _known[key] = found
            for oldest in [*_known][:-MAX_GRIDS]:
                _known.pop(oldest, None)
    return found


def _is_hashable(key: Any) -> bool:
    """False if a knob that is not swept is an array."""
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _has_only_our_ops() -> bool:
    """False once a user has defined an op, because its code may change while costcalc runs."""
    return all(op.__module__.startswith("costcalc.") for op in OPS.values())
