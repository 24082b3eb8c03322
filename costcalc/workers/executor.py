"""Chunks computed by an executor that the caller made: of concurrent.futures, or any object with its `submit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from costcalc.errors import WorkersLost
from costcalc.workers.process_count import cores
from costcalc.workers.worker_pool import ChunkLost, WorkerPool, run_chunk, unwrap


@dataclass
class ExternalExecutor(WorkerPool):
    """An executor that belongs to the caller, who shuts it down."""

    executor: Executor
    window: int = field(default_factory=lambda: 2 * cores())

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Starts a chunk. Raises WorkersLost if the executor is broken: only its owner can make another."""
        with self._worker_errors():
            return self.executor.submit(run_chunk, work, *given)

    def result(self, handle: Future[Any]) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises, ChunkLost for any other error: executors of
        clusters raise many kinds."""
        with self._worker_errors():
            outcome = handle.result()
        return unwrap(outcome)

    @contextmanager
    def _worker_errors(self) -> Iterator[None]:
        try:
            yield
        except BrokenExecutor:
            raise WorkersLost("the executor's workers ended; run again with a new one") from None
        except MemoryError:  # of this process
            raise
        except Exception as error:
            raise ChunkLost.by(error) from None

    def too_many_losses(self, losses: int, last: ChunkLost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""
        return WorkersLost(f"the executor lost a chunk {losses} times ({last}); run again with a new one")
