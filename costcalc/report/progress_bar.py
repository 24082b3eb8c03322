"""Progress on stderr, on a terminal only, gone afterwards: a bar with the share done, and a line for all other work
that takes longer than a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from costcalc.report import is_hushed, set_clear_progress

SHOWN_AFTER_S = 1.0


@contextmanager
def progress_bar() -> Iterator[Callable[[float, str], None]]:
    """Yields a progress callback, called with the share done, 0 to 1, and the current work. Without a terminal, or
    where nothing but results is asked for, it shows nothing."""
    if not _is_shown():
        yield lambda share, what: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from costcalc.table import visible

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with _paused(), Progress(*columns, console=_console(), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=visible(what))


@contextmanager
def working(what: str) -> Iterator[None]:
    """Says on a line what is being done and for how long, from a second on, while the block runs and prints nothing.
    A progress bar stands in its place."""
    if not _is_shown():
        yield
        return
    line = _Line(what)
    _lines.append(line)
    set_clear_progress(line.end)
    try:
        line.wait()
        yield
    finally:
        line.end()
        _lines.remove(line)
        set_clear_progress(_lines[-1].end if _lines else None)


def tell(what: str = "") -> None:
    """Says what is being done now, if a line of `working` is shown, or will be; "": what it said at first."""
    if _lines:
        _lines[-1].tell(what)


class _Line:
    """A line that a timer shows, with a sign that moves."""

    def __init__(self, what: str):
        self.what = self.at_first = what
        self.lock = threading.Lock()
        self.is_over = False
        self.timer: threading.Timer | None = None
        self.shown: Any = None

    def wait(self) -> None:
        """Shows the line in a second."""
        with self.lock:
            if not self.is_over:
                self.timer = threading.Timer(SHOWN_AFTER_S, self._show)
                self.timer.daemon = True
                self.timer.start()

    def pause(self) -> None:
        """Takes the line away."""
        with self.lock:
            if self.timer is not None:
                self.timer.cancel()
            self.timer = None
            if self.shown is not None:
                self.shown.stop()
            self.shown = None

    def end(self) -> None:
        """Takes the line away for good."""
        self.is_over = True
        self.pause()

    def tell(self, what: str) -> None:
        """Changes what the line says."""
        from costcalc.table import visible

        with self.lock:
            self.what = what or self.at_first
            if self.shown is not None:
                self.shown.update(0, description=visible(self.what))

    def _show(self) -> None:
        with self.lock, suppress(Exception):  # a traceback of another thread would stand between results
            if self.timer is None or self.is_over:
                return
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            from costcalc.table import visible

            columns = (SpinnerColumn("line"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            shown = Progress(*columns, console=_console(), transient=True, redirect_stdout=False)
            shown.add_task(visible(self.what), total=None)
            shown.start()
            self.shown = shown


_lines: list[_Line] = []  # of commands that run within one another, as `lecture` runs others


@contextmanager
def _paused() -> Iterator[None]:
    """While the block runs, no line is shown."""
    if not _lines:
        yield
        return
    line = _lines[-1]
    line.pause()
    try:
        yield
    finally:
        line.wait()


def _is_shown() -> bool:
    return not is_hushed() and sys.stderr is not None and sys.stderr.isatty()


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False, highlight=False)
