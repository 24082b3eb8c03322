"""Chunks computed by processes of this machine.

Each process has a pipe of its own. A process that dies, even while it answers, loses its own chunk and nothing else: a
pool of concurrent.futures has one pipe for all, and waits for the rest of an answer.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from queue import LifoQueue
from typing import Any

from costcalc.errors import WorkersLost, why
from costcalc.workers.start import start_with_pipe
from costcalc.workers.worker_pool import ChunkLost, WorkerPool, run_chunk, unwrap

PRELOADED = ["costcalc.analysis.sweep.chunks"]  # once, before processes are forked


class _WorkerProcess:
    """The parent's side of one process."""

    def __init__(self) -> None:
        self.process, self.pipe = start_with_pipe(PRELOADED, _serve)

    def ask(self, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        """Sends the work and returns the answer. Raises what the work raises, ChunkLost if the process ends."""
        try:
            self.pipe.send((work, given))
            outcome = self.pipe.recv()
        except (EOFError, OSError):
            raise ChunkLost("its process ended") from None
        return unwrap(outcome)


class LocalProcesses(WorkerPool):
    """`count` processes, each behind a thread that waits for it. They end with this process, however it ends."""

    def __init__(self, count: int):
        self.count, self.window = count, 2 * count
        self._threads = ThreadPoolExecutor(count)
        self._idle: LifoQueue[_WorkerProcess | None] = LifoQueue()  # None: not started yet, or ended
        for _ in range(count):
            self._idle.put(None)
        self._processes: list[_WorkerProcess] | None = []  # None once all work has ended
        self._starting = threading.Lock()

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Starts a chunk."""
        return self._threads.submit(self._run, work, given)

    def result(self, handle: Future[Any]) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises, ChunkLost if its process ended. The next chunk
        starts another process."""
        return handle.result()

    def too_many_losses(self, losses: int, last: ChunkLost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""
        return WorkersLost(
            f"workers ended {losses} times before a chunk was done, perhaps out of memory; try fewer with --workers"
        )

    def _run(self, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        process = self._idle.get()
        try:
            process = process or self._restart()
            return process.ask(work, given)
        except ChunkLost:
            process = None
            raise
        finally:
            self._idle.put(process)

    def _restart(self) -> _WorkerProcess:
        """Starts a process. Raises ChunkLost after the end of all work, WorkersLost if the system starts none."""
        with self._starting:
            if self._processes is None:
                raise ChunkLost("all work has ended")
            try:
                self._processes.append(_WorkerProcess())
            except OSError as error:
                raise WorkersLost(f"cannot start a worker: {why(error)}; try fewer with --workers") from None
            return self._processes[-1]

    def __exit__(self, *_: object) -> None:
        with self._starting:
            processes, self._processes = self._processes or [], None
        for process in processes:
            process.process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)


def _serve(pipe: Connection) -> None:
    """The child's side: answers until the pipe closes. It ignores Ctrl-C, which its parent handles, and ends when its
    parent has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            work, given = pipe.recv()
        except EOFError:
            return
        pipe.send(run_chunk(work, *given))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
