"""Who works out the chunks of a grid: an executor that is given, processes of this machine, or this one alone."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext

from costcalc.analysis.sweep.crew import Borrowed, Crew
from costcalc.analysis.sweep.processes import Processes
from costcalc.errors import UsageError
from costcalc.processes import cores

PAYS = 3.0  # seconds of work from which on it pays to start processes, which takes half a second


def crew_of(
    workers: int | None, executor: Executor | None, size: int, per_second: int
) -> AbstractContextManager[Crew | None]:
    """The executor, else so many processes; as many as the machine has cores where so many points, at so many a second,
    are worth starting them; none but this one for 1. Raises UsageError for less."""
    if executor:
        return Borrowed(executor)
    if workers is not None and workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    if workers is None:
        workers = cores() if size / per_second > PAYS else 1
    return nullcontext() if workers == 1 else Processes(workers)
