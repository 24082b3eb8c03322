"""Chunks worked out by a cluster: any that dask.distributed has a scheduler for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from typing import Any, Self

from costcalc.analysis.sweep.crew import Crew
from costcalc.errors import MissingExtra, UsageError, WorkersLost

PATIENCE = 5.0  # seconds for a scheduler to answer


class Cluster(Crew):
    """The workers of a scheduler at `tcp://HOST:PORT`, which need the same costcalc.

    Raises MissingExtra without dask.distributed, UsageError for no address, WorkersLost if nobody answers there.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client, KilledWorker
            from distributed.comm import CommClosedError
        except ImportError:
            raise MissingExtra("a cluster needs dask.distributed", "cluster") from None
        self.address = address
        _ask(address)
        self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        self.executor = self.client.get_executor(pure=False)
        self.lost: tuple[type[BaseException], ...] = (KilledWorker, CommClosedError, CancelledError, BrokenExecutor)
        self.window = max(8, 2 * sum(self.client.nthreads().values()))  # workers may still come

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Begins with a chunk. Those of a worker that ends are given to others by the scheduler."""
        try:
            found: Future[Any] = self.executor.submit(work, *given)
        except Exception:
            if self.client.status == "running":
                raise
            raise self.gone() from None
        return found

    def result(self, future: Future[Any]) -> Any:
        """What a chunk comes to. One that was sent while the scheduler was going may never be answered."""
        while not wait([future], PATIENCE).done:
            if self.client.status in ("closing", "closed"):
                raise self.gone()
        return future.result()

    def drop(self, future: Future[Any]) -> None:
        """Lets a chunk be."""
        if self.client.status == "running":
            future.cancel()

    def renew(self) -> None:
        """Cannot: the scheduler has tried others, or is gone."""
        raise self.gone()

    def gone(self) -> WorkersLost:
        """What is wrong then."""
        return WorkersLost(
            f"the cluster at {self.address} lost a chunk again and again, or its scheduler; look at its log, and run "
            "again when it is up"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.client.status == "running":
            self.executor.shutdown(wait=False)
        self.client.close(PATIENCE)


def _ask(address: str) -> None:
    """Raises an error if no scheduler answers: a client that finds none complains for long."""

    async def identity() -> None:
        from distributed import rpc

        async with rpc(address, timeout=PATIENCE) as scheduler:
            await asyncio.wait_for(scheduler.identity(), PATIENCE)

    try:
        asyncio.run(asyncio.wait_for(identity(), 2 * PATIENCE))
    except ValueError as error:
        raise UsageError(f"{address!r} is no address of a scheduler, as tcp://HOST:8786 is: {error}") from None
    except (OSError, TimeoutError):
        raise WorkersLost(
            f"no scheduler answers at {address} within {PATIENCE:g} s; start one with `dask scheduler`, or leave "
            "--executor out"
        ) from None
