"""A deadline for sympy, whose running time cannot be foreseen."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from costcalc.errors import CostcalcError

SECONDS = 10.0  # per formula


class _OutOfTime(BaseException):
    """Not an Exception: an `except Exception` between the alarm and `time_limit` must not catch it."""


class Deadline:
    """The time at which work must end. Loops call `check`."""

    def __init__(self, seconds: float):
        self.end = monotonic() + seconds

    def check(self) -> None:
        """Raises if the deadline has passed."""
        if monotonic() > self.end:
            raise _OutOfTime


@contextmanager
def time_limit(seconds: float, message: str) -> Iterator[Deadline]:
    """Stops the work inside after so many seconds and raises CostcalcError(message).

    In the main thread of a POSIX system an alarm interrupts the work, unless the process has an alarm of its own or a
    tracer, which would keep its lock. Elsewhere the next `check` of the deadline stops it.
    """
    deadline = Deadline(seconds)
    try:
        if not _alarm_is_free():
            yield deadline
            return
        before = signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield deadline
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    except _OutOfTime:
        raise CostcalcError(message) from None


def _alarm_is_free() -> bool:
    here = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    return (
        here
        and sys.gettrace() is None
        and signal.getitimer(signal.ITIMER_REAL)[0] == 0
        and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    )


def _ring(number: int, frame: FrameType | None) -> None:
    raise _OutOfTime
