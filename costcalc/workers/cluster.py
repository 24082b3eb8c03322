"""Chunks computed by a cluster that a scheduler of dask.distributed manages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, Self

from costcalc.errors import MissingExtra, UsageError, WorkersLost, why
from costcalc.workers.worker_pool import ChunkLost, WorkerPool, run_chunk, unwrap

TIMEOUT_S = 5.0  # for a scheduler to answer
PAUSE_AFTER_LOSS_S = 0.2  # in which the client learns that its scheduler is gone


class DaskCluster(WorkerPool):
    """The workers of a scheduler at `tcp://HOST:PORT`. They need the same costcalc.

    Raises MissingExtra without dask.distributed, UsageError for an invalid address, WorkersLost without an answer.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtra("a cluster needs dask.distributed", "cluster") from None
        self.address = address
        _check_answers(address)
        self.client = Client(address, timeout=TIMEOUT_S, set_as_default=False)
        self.log = logging.getLogger("distributed.client")
        self.window = max(8, 2 * sum(self.client.nthreads().values()))  # workers may still come

    def submit(self, work: Callable[..., Any], *given: Any) -> Any:
        """Starts a chunk. Raises as `result` does."""
        try:
            return self.client.submit(run_chunk, work, *given, pure=False)
        except Exception as error:
            raise self._worker_error(error) from None

    def result(self, handle: Any) -> Any:
        """Waits for the answer of a chunk. The scheduler gives the chunks of a worker that ends to others.

        Raises what the work raises. Any other error of dask means that the chunk is lost: dask raises many kinds,
        some of them by accident, when a worker ends in the moment in which it answers.
        """
        try:
            while not handle.done():
                self._wait(handle)
            outcome = handle.result()
        except MemoryError:  # of this process, or of a worker that is sent too much
            raise
        except Exception as error:
            raise self._worker_error(error) from None
        return unwrap(outcome)

    def _wait(self, handle: Any) -> None:
        """Waits for a while. Raises ConnectionError if the client gave up its scheduler, because then the last
        chunk may never run."""
        with suppress(TimeoutError):
            handle.exception(TIMEOUT_S)
        if self.client.status in ("closing", "closed"):
            raise ConnectionError

    def _worker_error(self, error: Exception) -> ChunkLost | WorkersLost:
        """ChunkLost, or WorkersLost if the scheduler is gone or has tried the chunk at other workers."""
        sleep(PAUSE_AFTER_LOSS_S)
        end = monotonic() + TIMEOUT_S
        while self.client.status != "running":  # the client looks for its scheduler
            if self.client.status in ("closing", "closed") or monotonic() > end:
                return WorkersLost(
                    f"the scheduler at {self.address} does not answer any more; look at its log, and run again when it "
                    "is up"
                )
            sleep(0.05)
        lost = ChunkLost.by(error)
        return self.too_many_losses(1, lost) if type(error).__name__ == "KilledWorker" else lost

    def cancel(self, handle: Any) -> None:
        """Cancels a chunk that has not started."""
        if self.client.status == "running":
            with suppress(Exception):  # the answer is no longer needed, and the scheduler may be gone
                handle.cancel()

    def too_many_losses(self, losses: int, last: ChunkLost) -> WorkersLost:
        """The error for a chunk that was lost so many times, with what dask said last."""
        times = f"{losses} times" if losses > 1 else "at each worker that had it"
        return WorkersLost(
            f"the cluster at {self.address} lost a chunk {times} ({last}), perhaps out of "
            "memory; look at the logs of its workers, and run again when they are up"
        )

    def __enter__(self) -> Self:
        self.level = self.log.level
        self.log.setLevel(logging.CRITICAL)  # our message says it once
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close(TIMEOUT_S)
        self.log.setLevel(self.level)


def _check_answers(address: str) -> None:
    """Raises UsageError or WorkersLost if no scheduler answers; a client would log warnings for long before it does."""

    async def identity() -> None:
        from distributed import rpc

        async with rpc(address, timeout=TIMEOUT_S) as scheduler:
            await asyncio.wait_for(scheduler.identity(), TIMEOUT_S)

    try:
        asyncio.run(asyncio.wait_for(identity(), 2 * TIMEOUT_S))
    except ValueError as error:
        raise UsageError(
            f"{address!r} is no address of a scheduler, as tcp://HOST:8786 is: {why(error, 'connecting')}"
        ) from None
    except (OSError, TimeoutError):
        raise WorkersLost(
            f"no scheduler answers at {address} within {TIMEOUT_S:g} s; start one with `dask scheduler`, or leave "
            "--executor out"
        ) from None
