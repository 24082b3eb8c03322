"""Checks, before the first row, that there is disk space and time for all rows of a sweep."""

from __future__ import annotations

import shutil
from pathlib import Path

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.state import KEEP_LESS
from costcalc.errors import NoRoom, UsageError
from costcalc.sweep_files.row_formats import RowFormat
from costcalc.table import bytes_text
from costcalc.text import time_text

MAX_GRID_POINTS = 10**12


def check_disk_space(grid: Grid, query: PointQuery, rows: RowFormat, folder: Path | None = None, done: int = 0) -> None:
    """Raises UsageError for a grid of too many points, NoRoom if the disk of the folder has no space for the rows after
    the first `done`. With a condition, which leaves an unknown number of rows, the disk is not checked."""
    left = grid.size - done
    size = left * len(rows.columns) * rows.bytes_per_cell
    takes = f"{left:,} rows take about {bytes_text(size)} and {time_text(left / rows.rows_per_second)} of work"
    if grid.size > MAX_GRID_POINTS:
        raise UsageError(f"{takes}; {KEEP_LESS}, or count them with --histogram")
    if folder and query.where is None and size > (free := shutil.disk_usage(folder).free):
        raise NoRoom(f"{takes}, and {bytes_text(free)} are free in {str(folder)!r}; {KEEP_LESS}, or use another disk")
