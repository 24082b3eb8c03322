"""An end to work that nobody can foresee the length of: sympy on a formula of any size."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

from costcalc.errors import CostcalcError

SECONDS = 10.0  # a formula that takes longer is of no use to a reader either


class _OutOfTime(BaseException):
    """No Exception, so that nothing between the alarm and `time_limit` takes it for an error of its own."""


class Deadline:
    """When work has to be done. `check` is for loops; in between there may be an alarm."""

    def __init__(self, seconds: float):
        self.end = monotonic() + seconds

    def check(self) -> None:
        """Ends the work if it is late."""
        if monotonic() > self.end:
            raise _OutOfTime


@contextmanager
def time_limit(seconds: float, message: str) -> Iterator[Deadline]:
    """The work inside ends after so many seconds with CostcalcError(message): at the next `check` of the deadline, or
    where there are alarms, in the main thread of a POSIX system that has set none of its own and traces nothing, in
    whatever it is at: a tracer would be left with its lock held."""
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
