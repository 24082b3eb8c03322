"""Measured times beside counts, from a lookup function that the caller passes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.errors import UsageError
from costcalc.models.model import Model

MAX_LOOKUPS = 2_000  # each builds a layer graph
Lookup = Callable[[Model], float | None]


def measured_seconds(
    models: Sequence[Model], lookup: Lookup | None, progress: Progress = no_progress
) -> list[float | None]:
    """The seconds of each model, None for one that was not measured. Raises UsageError without a lookup function, and
    for too many models."""
    lookup = check_lookup(lookup)
    check_lookup_count(len(models))
    found = []
    for i, model in enumerate(models):
        progress(i / len(models), f"looking for measurements: {i:,} of {len(models):,}")
        found.append(lookup(model))
    return found


def check_lookup(lookup: Lookup | None) -> Lookup:
    """Raises UsageError without a lookup function."""
    if lookup is None:
        raise UsageError(
            "seconds are measured, not counted: pass a lookup function as seconds=; see `costcalc help sweeps`"
        )
    return lookup


def check_lookup_count(count: int) -> None:
    """Raises UsageError for more networks than are looked up."""
    if count > MAX_LOOKUPS:
        most = f"{MAX_LOOKUPS:,} points at most, not {count:,}"
        raise UsageError(f"seconds are looked up for {most}; keep the best with --top")


def how_many_measured(seconds: Sequence[float | None]) -> str:
    """How many points were measured, and how to measure more."""
    found = sum(value is not None for value in seconds)
    have = f"{len(seconds):,} {'has' if found == 1 else 'have'}"
    return f"{found:,} of {have} been timed without noise; `costcalc time` takes more"
