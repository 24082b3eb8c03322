"""The progress of a sweep: how many points are done, and how many a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from costcalc.text import plural

Progress = Callable[[float, str], None]  # the share done, and what is being done


def no_progress(share: float, what: str) -> None:
    """A progress callback that does nothing."""


class ProgressMeter:
    """Reports after every chunk how many points are done and how many a second, since the start of this process."""

    def __init__(self, size: int, done: int, progress: Progress):
        self.size, self.done, self.new, self.progress = size, done, 0, progress
        self.start = time.monotonic()
        progress(done / size, f"{done:,} of {plural(size, 'point')}")

    def advance(self, points: int) -> None:
        """Counts so many points more."""
        self.done, self.new = self.done + points, self.new + points
        rate = self.new / max(time.monotonic() - self.start, 1e-9)
        self.progress(self.done / self.size, f"{self.done:,} of {plural(self.size, 'point')}, {rate:,.0f} a second")
