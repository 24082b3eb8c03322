"""A crew that works out chunks: this process, or workers that may be lost; merged in the grid's order.

The answer is the same to the last bit whoever finishes first, for chunks know nothing of each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from costcalc.errors import WorkersLost
from costcalc.processes import cores

MOST_LOSSES = 3  # times that a chunk is given to new workers after those that had it ended


class Crew(Protocol):
    """Workers. `window` is how many chunks may be under way or wait for their turn; `lost` what is raised of a chunk
    whose worker ended."""

    window: int
    lost: tuple[type[BaseException], ...]

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Begins with a chunk."""

    def result(self, future: Future[Any]) -> Any:
        """What a chunk comes to. Raises one of `lost`, or what the work raises."""
        return future.result()

    def drop(self, future: Future[Any]) -> None:
        """Lets a chunk be that has not begun."""
        future.cancel()

    def renew(self) -> None:
        """Has new workers for those that ended. Raises WorkersLost if it cannot."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None:
        """Lets nothing go on."""


@dataclass
class Borrowed(Crew):
    """An executor of someone else's, who will shut it down."""

    executor: Executor
    window: int = field(default_factory=lambda: 2 * cores())
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Begins with a chunk."""
        return self.executor.submit(work, *given)

    def renew(self) -> None:
        """Cannot: only its owner makes another."""
        raise WorkersLost("the executor's workers ended; run again with a new one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class _Task:
    """A chunk that was given to a worker."""

    given: Any
    future: Future[Any]
    losses: int = 0


def in_order(
    crew: Crew | None, work: Callable[[Any], Any], chunks: Iterable[Any], most: int | None = None
) -> Iterator[Any]:
    """What each chunk comes to, in the order of the chunks; without a crew this process does it. At most so many wait.

    Raises what the work raises, WorkersLost if its workers end again and again.
    """
    if crew is None:
        yield from map(work, chunks)
        return
    waiting: deque[_Task] = deque()
    window = min(crew.window, most or crew.window)
    try:
        for chunk in chunks:
            waiting.append(_Task(chunk, _submitted(crew, work, chunk)))
            if len(waiting) == window:
                yield _first(crew, work, waiting)
        while waiting:
            yield _first(crew, work, waiting)
    finally:
        for task in waiting:
            crew.drop(task.future)


def _first(crew: Crew, work: Callable[[Any], Any], waiting: deque[_Task]) -> Any:
    while True:
        try:
            found = crew.result(waiting[0].future)
        except crew.lost:
            _again(crew, work, waiting)
        else:
            waiting.popleft()
            return found


def _again(crew: Crew, work: Callable[[Any], Any], waiting: deque[_Task]) -> None:
    """Gives what was lost to others."""
    crew.renew()
    for task in waiting:
        if task.future.done() and (task.future.cancelled() or isinstance(task.future.exception(), crew.lost)):
            task.losses += 1
            if task.losses > MOST_LOSSES:
                raise WorkersLost(
                    f"workers ended {task.losses} times before a chunk was done, perhaps for want of memory; "
                    "try fewer with --workers"
                )
            task.future = _submitted(crew, work, task.given)


def _submitted(crew: Crew, work: Callable[[Any], Any], chunk: Any) -> Future[Any]:
    try:
        return crew.submit(work, chunk)
    except crew.lost:
        failed: Future[Any] = Future()
        failed.set_exception(BrokenExecutor())
        return failed
