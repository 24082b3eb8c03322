"""Is there room and time for all rows of a sweep? Asked before the first of them is made."""

from __future__ import annotations

import shutil
from pathlib import Path

from costcalc.analysis.sweep.choice import Choice
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.state import LESS
from costcalc.errors import NoRoom, UsageError
from costcalc.sweep_files.row_formats import Rows
from costcalc.table import bytes_text
from costcalc.text import time_text

MOST_ROWS = 10**12  # that are looked at one by one


def refuse_if_too_large(grid: Grid, choice: Choice, rows: Rows, folder: Path | None = None, done: int = 0) -> None:
    """Raises UsageError for more rows than anyone has time for, NoRoom if the disk of the folder has no room for those
    that are not done. How many meet a condition nobody knows, so that they may come to less."""
    left = grid.size - done
    size = left * len(rows.columns) * rows.bytes_a_cell
    takes = f"{left:,} rows take about {bytes_text(size)} and {time_text(left / rows.a_second)} of work"
    if grid.size > MOST_ROWS:
        raise UsageError(f"{takes}; {LESS}, or count them with --histogram")
    if folder and choice.where is None and size > (free := shutil.disk_usage(folder).free):
        raise NoRoom(f"{takes}, and {bytes_text(free)} are free in {str(folder)!r}; {LESS}, or use another disk")
