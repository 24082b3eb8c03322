"""The interface of worker pools, and `ordered_map`, which yields their answers in the order of the chunks.

The result is the same to the last bit whichever worker finishes first, because chunks do not depend on each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

from costcalc.errors import WorkersLost, shorten

MAX_RESUBMISSIONS = 3  # of one chunk, each after the worker that had it ended


class ChunkLost(Exception):
    """A chunk has no answer because its worker ended. The text says how the pool learned of it."""

    @classmethod
    def by(cls, error: BaseException) -> Self:
        """From the error that a library raised in place of an answer, in one line."""
        return cls(shorten(" ".join(f"{type(error).__name__}: {error}".rstrip(": ").split()), 200))


class WorkerPool(Protocol):
    """Workers, whose work ends with the `with` block. `window` limits the chunks that are under way or wait for their
    turn."""

    window: int

    def submit(self, work: Callable[..., Any], *given: Any) -> Any:
        """Starts a chunk and returns a handle for `result`. Raises ChunkLost if no worker takes it, WorkersLost if none
        ever will."""

    def result(self, handle: Any) -> Any:
        """Waits for the answer of a chunk. Raises what the work raises, ChunkLost if its worker ended, WorkersLost if
        no other worker can take the chunk."""

    def cancel(self, handle: Any) -> None:
        """Cancels a chunk that has not started."""
        handle.cancel()

    def too_many_losses(self, losses: int, last: ChunkLost) -> WorkersLost:
        """The error for a chunk that was lost so many times."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


def run_chunk(work: Callable[..., Any], *given: Any) -> tuple[bool, Any]:
    """Runs at the worker: (True, the answer), or (False, the error of the work). Other errors are those of the pool."""
    try:
        return True, work(*given)
    except Exception as error:
        return False, error


def unwrap(outcome: tuple[bool, Any]) -> Any:
    """The answer that `run_chunk` returned. Raises the error of the work."""
    done, answer = outcome
    if not done:
        raise answer
    return answer


@dataclass
class _Submitted:
    """A chunk, and its handle while a worker has it."""

    chunk: Any
    handle: Any = None


def ordered_map(
    pool: WorkerPool | None, work: Callable[[Any], Any], chunks: Iterable[Any], max_waiting: int | None = None
) -> Iterator[Any]:
    """Yields the answer of each chunk in the order of the chunks. Without a pool this process computes them. At most
    `max_waiting` chunks are under way or wait for their turn.

    Raises what the work raises, WorkersLost if the workers of a chunk end again and again.
    """
    if pool is None:
        yield from map(work, chunks)
        return
    waiting: deque[_Submitted] = deque()
    window = min(pool.window, max_waiting or pool.window)
    try:
        for chunk in chunks:
            waiting.append(_submitted(pool, work, chunk))
            if len(waiting) == window:
                yield _first_answer(pool, work, waiting)
        while waiting:
            yield _first_answer(pool, work, waiting)
    finally:
        for one in waiting:
            if one.handle is not None:
                pool.cancel(one.handle)


def _submitted(pool: WorkerPool, work: Callable[[Any], Any], chunk: Any) -> _Submitted:
    """The chunk with its handle, or without one if it was lost: `_first_answer` submits it again."""
    one = _Submitted(chunk)
    with suppress(ChunkLost):
        one.handle = pool.submit(work, chunk)
    return one


def _first_answer(pool: WorkerPool, work: Callable[[Any], Any], waiting: deque[_Submitted]) -> Any:
    """Takes the first chunk out of `waiting` and returns its answer. Submits it again each time it is lost."""
    first = waiting[0]
    for _ in range(MAX_RESUBMISSIONS + 1):
        try:
            if first.handle is None:
                first.handle = pool.submit(work, first.chunk)
            answer = pool.result(first.handle)
        except ChunkLost as lost:
            first.handle, last = None, lost
        else:
            waiting.popleft()
            return answer
    raise pool.too_many_losses(MAX_RESUBMISSIONS + 1, last) from None
