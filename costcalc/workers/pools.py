"""Which pool computes the chunks of a sweep: the caller's executor, processes of this machine, or none."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext

from costcalc.workers.executor import ExternalExecutor
from costcalc.workers.local_processes import LocalProcesses
from costcalc.workers.process_count import process_count
from costcalc.workers.worker_pool import WorkerPool


def pool_for(
    workers: int | None, executor: Executor | None, points: int, points_per_second: int
) -> AbstractContextManager[WorkerPool | None]:
    """The pool for a number of points; None is this process alone. Raises UsageError as `process_count` does."""
    if executor is not None:
        return ExternalExecutor(executor)
    count = process_count(workers, points, points_per_second)
    return nullcontext() if count == 1 else LocalProcesses(count)
