"""Crews that work out chunks. A crew is this process or workers that may be lost; answers are merged in grid order.

The answer is the same to the last bit whichever worker finishes first, because chunks do not depend on each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from costcalc.errors import WorkersLost, shorten
from costcalc.processes import cores

MOST_LOSSES = 3  # times that a chunk is given to other workers after the worker that had it ended


class Lost(Exception):
    """A chunk has no answer because its worker ended. The text says how the crew heard of it."""

    @classmethod
    def by(cls, error: BaseException) -> Self:
        """What a library raised in place of an answer, in one line."""
        return cls(shorten(" ".join(f"{type(error).__name__}: {error}".rstrip(": ").split()), 200))


class Crew(Protocol):
    """Workers. `window` limits the chunks that are under way or wait for their turn."""

    window: int

    def submit(self, work: Callable[..., Any], *given: Any) -> Any:
        """Starts a chunk and returns a handle for `result`. Raises Lost if no worker takes it, WorkersLost if none ever
        will."""

    def result(self, handle: Any) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises, Lost if its worker ended, WorkersLost if no
        other worker can take the chunk."""

    def drop(self, handle: Any) -> None:
        """Cancels a chunk that has not started."""

    def given_up(self, losses: int, last: Lost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        """Ends all work."""


def answered(work: Callable[..., Any], *given: Any) -> tuple[bool, Any]:
    """Runs at the worker: (True, the answer), or (False, the error). What is raised instead is not of the work."""
    try:
        return True, work(*given)
    except Exception as error:
        return False, error


@dataclass
class Borrowed(Crew):
    """An executor that belongs to the caller, who shuts it down."""

    executor: Executor
    window: int = field(default_factory=lambda: 2 * cores())

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Starts a chunk. Raises WorkersLost if the executor is broken: only its owner can make another."""
        with self._losses():
            return self.executor.submit(answered, work, *given)

    def result(self, handle: Future[Any]) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises; what else is raised is a loss, as executors of
        clusters raise many things."""
        with self._losses():
            done, answer = handle.result()
        if not done:
            raise answer
        return answer

    @contextmanager
    def _losses(self) -> Iterator[None]:
        try:
            yield
        except BrokenExecutor:
            raise WorkersLost("the executor's workers ended; run again with a new one") from None
        except MemoryError:  # of this process
            raise
        except Exception as error:
            raise Lost.by(error) from None

    def drop(self, handle: Future[Any]) -> None:
        """Cancels a chunk that has not started."""
        handle.cancel()

    def given_up(self, losses: int, last: Lost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""
        return WorkersLost(f"the executor lost a chunk {losses} times ({last}); run again with a new one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class _Task:
    """A chunk, and its handle while a worker has it."""

    given: Any
    handle: Any


def in_order(
    crew: Crew | None, work: Callable[[Any], Any], chunks: Iterable[Any], most: int | None = None
) -> Iterator[Any]:
    """Yields the answer of each chunk in the order of the chunks. Without a crew this process works them out. At most
    `most` chunks wait.

    Raises what the work raises, WorkersLost if the workers of a chunk end again and again.
    """
    if crew is None:
        yield from map(work, chunks)
        return
    waiting: deque[_Task] = deque()
    window = min(crew.window, most or crew.window)
    try:
        for chunk in chunks:
            waiting.append(_started(crew, work, chunk))
            if len(waiting) == window:
                yield _first(crew, work, waiting)
        while waiting:
            yield _first(crew, work, waiting)
    finally:
        for task in waiting:
            if task.handle is not None:
                crew.drop(task.handle)


def _started(crew: Crew, work: Callable[[Any], Any], chunk: Any) -> _Task:
    """The chunk with its handle, or without one: it is submitted again when its turn comes."""
    task = _Task(chunk, None)
    with suppress(Lost):
        task.handle = crew.submit(work, chunk)
    return task


def _first(crew: Crew, work: Callable[[Any], Any], waiting: deque[_Task]) -> Any:
    """Takes the first chunk out, with its answer. It is submitted again each time it is lost."""
    task = waiting[0]
    for _ in range(MOST_LOSSES + 1):
        try:
            if task.handle is None:
                task.handle = crew.submit(work, task.given)
            answer = crew.result(task.handle)
        except Lost as lost:
            task.handle, last = None, lost
        else:
            waiting.popleft()
            return answer
    raise crew.given_up(MOST_LOSSES + 1, last) from None
