"""A progress bar on stderr: the current work, the share done and the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from costcalc.report import is_hushed


@contextmanager
def progress_bar() -> Iterator[Callable[[float, str], None]]:
    """Yields a progress callback, called with the share done, 0 to 1, and the current work. Without a terminal, or
    where nothing but results is asked for, it shows nothing."""
    if is_hushed() or not sys.stderr.isatty():
        yield lambda share, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from costcalc.table import visible

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=visible(what))
