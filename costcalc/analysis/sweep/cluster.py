"""Chunks worked out by a cluster: any that dask.distributed has a scheduler for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, Self

from costcalc.analysis.sweep.crew import Crew, Lost, answered
from costcalc.errors import MissingExtra, UsageError, WorkersLost, why

PATIENCE = 5.0  # seconds for a scheduler to answer
PAUSE = 0.2  # seconds after a loss, in which the client hears that its scheduler is gone


class Cluster(Crew):
    """The workers of a scheduler at `tcp://HOST:PORT`. They need the same costcalc.

    Raises MissingExtra without dask.distributed, UsageError for what is no address, WorkersLost without an answer.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtra("a cluster needs dask.distributed", "cluster") from None
        self.address = address
        _ask(address)
        self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        self.log = logging.getLogger("distributed.client")
        self.window = max(8, 2 * sum(self.client.nthreads().values()))  # workers may still come

    def submit(self, work: Callable[..., Any], *given: Any) -> Any:
        """Starts a chunk. Raises as `result` does."""
        try:
            return self.client.submit(answered, work, *given, pure=False)
        except Exception as error:
            raise self._loss(error) from None

    def result(self, handle: Any) -> Any:
        """Waits for the answer of a chunk. The scheduler gives the chunks of a worker that ends to others.

        Raises what the work raises. Whatever dask raises instead, the chunk is lost: dask says it in many ways, and in
        some by accident, when a worker ends in the moment in which it answers.
        """
        try:
            while not handle.done():
                self._wait(handle)
            done, answer = handle.result()
        except MemoryError:  # of this process, or of a worker that has no room for what it is sent
            raise
        except Exception as error:
            raise self._loss(error) from None
        if not done:
            raise answer
        return answer

    def _wait(self, handle: Any) -> None:
        """Waits for a while. Raises if the client gave up its scheduler: what was sent last may never be answered."""
        with suppress(TimeoutError):
            handle.exception(PATIENCE)
        if self.client.status in ("closing", "closed"):
            raise ConnectionError

    def _loss(self, error: Exception) -> Lost | WorkersLost:
        """What became of a chunk: lost, or all are because the scheduler is gone or has tried it at other workers."""
        sleep(PAUSE)
        end = monotonic() + PATIENCE
        while self.client.status != "running":  # the client looks for its scheduler
            if self.client.status in ("closing", "closed") or monotonic() > end:
                return WorkersLost(
                    f"the scheduler at {self.address} does not answer any more; look at its log, and run again when it "
                    "is up"
                )
            sleep(0.05)
        lost = Lost.by(error)
        return self.given_up(1, lost) if type(error).__name__ == "KilledWorker" else lost

    def drop(self, handle: Any) -> None:
        """Cancels a chunk that has not started."""
        if self.client.status == "running":
            with suppress(Exception):  # it is not wanted any more, and a scheduler that is gone has none
                handle.cancel()

    def given_up(self, losses: int, last: Lost) -> WorkersLost:
        """The error for a chunk that was lost so many times, with what dask said last."""
        times = f"{losses} times" if losses > 1 else "at each worker that had it"
        return WorkersLost(
            f"the cluster at {self.address} lost a chunk {times} ({last}), perhaps for want of "
            "memory; look at the logs of its workers, and run again when they are up"
        )

    def __enter__(self) -> Self:
        self.level = self.log.level
        self.log.setLevel(logging.CRITICAL)  # what is wrong is told once, by us
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close(PATIENCE)
        self.log.setLevel(self.level)


def _ask(address: str) -> None:
    """Raises an error if no scheduler answers: a client that finds none complains for long."""

    async def identity() -> None:
        from distributed import rpc

        async with rpc(address, timeout=PATIENCE) as scheduler:
            await asyncio.wait_for(scheduler.identity(), PATIENCE)

    try:
        asyncio.run(asyncio.wait_for(identity(), 2 * PATIENCE))
    except ValueError as error:
        raise UsageError(
            f"{address!r} is no address of a scheduler, as tcp://HOST:8786 is: {why(error, 'connecting')}"
        ) from None
    except (OSError, TimeoutError):
        raise WorkersLost(
            f"no scheduler answers at {address} within {PATIENCE:g} s; start one with `dask scheduler`, or leave "
            "--executor out"
        ) from None
