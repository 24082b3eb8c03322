"""How many processes a sweep starts."""

from __future__ import annotations

import os

from costcalc.errors import UsageError

MIN_SECONDS_FOR_PROCESSES = 3.0  # of work; starting processes takes half a second


def cores() -> int:
    """The cores of this machine that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def process_count(workers: int | None, points: int, points_per_second: int) -> int:
    """`workers` if given, else one process for each core if the points take longer than `MIN_SECONDS_FOR_PROCESSES`.
    1 is this process alone. Raises UsageError for less than 1."""
    if workers is None:
        return cores() if points / points_per_second > MIN_SECONDS_FOR_PROCESSES else 1
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    return workers
