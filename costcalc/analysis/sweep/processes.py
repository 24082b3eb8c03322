"""Processes of this machine that work out chunks.

Each has a pipe of its own, so that one that dies, even while it answers, takes nothing with it but its chunk: a pool of
concurrent.futures has one pipe for all, and waits for the rest of an answer.
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
from typing import Any, Self

from costcalc.analysis.sweep.crew import Crew, Lost, answered
from costcalc.errors import WorkersLost, why
from costcalc.processes import context_of, start


class _Child:
    """The parent's side of one process."""

    def __init__(self) -> None:
        context = context_of(["costcalc.analysis.sweep.chunks"])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        start(self.process)
        theirs.close()

    def ask(self, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        """Has it do the work and returns the answer. Raises what the work raises, Lost if the process ends."""
        try:
            self.pipe.send((work, given))
            done, answer = self.pipe.recv()
        except (EOFError, OSError):
            raise Lost("its process ended") from None
        if not done:
            raise answer
        return answer

    def end(self) -> None:
        """Ends it, whatever it is doing."""
        self.process.kill()


class Processes(Crew):
    """So many processes, each behind a thread that waits for it. They end with this one, however it ends."""

    def __init__(self, workers: int):
        self.workers, self.window = workers, 2 * workers
        self._threads = ThreadPoolExecutor(workers)
        self._idle: LifoQueue[_Child | None] = LifoQueue()  # None stands for one that is not there yet, or no more
        for _ in range(workers):
            self._idle.put(None)
        self._children: list[_Child] | None = []
        self._starting = threading.Lock()

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Starts a chunk."""
        return self._threads.submit(self._done, work, given)

    def result(self, handle: Future[Any]) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises, Lost if its process ended; another is started
        for the next chunk."""
        return handle.result()

    def drop(self, handle: Future[Any]) -> None:
        """Cancels a chunk that has not started."""
        handle.cancel()

    def given_up(self, losses: int, last: Lost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""
        return WorkersLost(
            f"workers ended {losses} times before a chunk was done, perhaps for want of memory; "
            "try fewer with --workers"
        )

    def _done(self, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        child = self._idle.get()
        try:
            child = child or self._started()
            return child.ask(work, given)
        except Lost:
            child = None
            raise
        finally:
            self._idle.put(child)

    def _started(self) -> _Child:
        """Starts a process. Raises Lost after the end of all work, WorkersLost if the system starts none."""
        with self._starting:
            if self._children is None:
                raise Lost("all work has ended")
            try:
                self._children.append(_Child())
            except OSError as error:
                raise WorkersLost(f"cannot start a worker: {why(error)}; try fewer with --workers") from None
            return self._children[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._starting:
            children, self._children = self._children or [], None
        for child in children:
            child.end()
        self._threads.shutdown(wait=True, cancel_futures=True)


def _serve(pipe: Connection) -> None:
    """The child's side: answers until nobody asks. Ctrl-C is its parent's business; without a parent it has none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            work, given = pipe.recv()
        except EOFError:
            return
        pipe.send(answered(work, *given))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
