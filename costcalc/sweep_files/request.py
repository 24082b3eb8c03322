"""The request for a sweep file: the points, the file and its format, whether it is resumed; and its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costcalc import report
from costcalc.analysis.columns import metric_column, read_columns
from costcalc.analysis.metrics import USUAL
from costcalc.analysis.selection import select_columns
from costcalc.analysis.sweep.chunks import (
    BLOCK_POINTS,
    CHUNK_POINTS_OF_ALL_ROWS,
    CHUNK_POINTS_OF_SOME_ROWS,
    ChunkTask,
    points_for,
)
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY, Limit, SweepState
from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words, what_a_front_lacks
from costcalc.models.model import Model
from costcalc.sweep_files.row_formats import CsvFormat, ParquetFormat, RowFormat
from costcalc.table import Column

ROW_FORMATS: dict[str, type[RowFormat]] = {"csv": CsvFormat, "parquet": ParquetFormat}


@dataclass(frozen=True)
class WrittenSweep:
    """A file that a sweep was written to."""

    path: Path
    rows: int
    notes: tuple[str, ...]  # how many points have a row, and why others have none
    large: bool = True  # was it written chunk by chunk?

    def __repr__(self) -> str:
        return f"<costcalc.WrittenSweep {str(self.path)!r}: {self.notes[0]}>"


@dataclass(frozen=True)
class SweepRequest:
    """A sweep and its file. Without a `format` the file's suffix decides."""

    model: Model
    grid: Grid
    query: PointQuery
    path: Path
    format: str | None = None
    resume: bool = False
    restart: bool = False
    metrics: tuple[str, ...] = USUAL
    columns: str | None = None  # of the file, in their order; all of them if None
    points: tuple[int, int] | None = None  # of a chunk and of a block; those that suit the rows if None

    @property
    def file_format(self) -> str:
        """The format by name or suffix, which may be Parquet. Raises UnknownName."""
        return "parquet" if report.is_parquet(self.format, self.path) else report.format_of(self.format, self.path)

    @property
    def points_per_second(self) -> int:
        """About how many points one process computes in a second."""
        rows = self.row_format()
        return rows.rows_per_second if rows else POINTS_PER_SECOND

    def row_format(self) -> RowFormat | None:
        """The format of rows that are written chunk by chunk; None if the query keeps few points, or the file is
        written at once."""
        if self.query.reduces or self.file_format not in ROW_FORMATS:
            return None
        knobs = (Column(name, name, "knob") for name in self.grid.axes)
        columns = (*knobs, *map(metric_column, self.metrics))
        chosen = columns if self.columns is None else tuple(read_columns(self.columns, columns))
        return ROW_FORMATS[self.file_format](chosen, dict(self.grid.denominators))

    def task(self, rows: RowFormat | None) -> ChunkTask:
        """The task of every chunk; with `rows` it also makes the bytes of its points."""
        render = None if rows is None else rows.piece
        points, limit = self.points or self._points_for(rows), Limit(points=MAX_ROWS_IN_MEMORY)
        return ChunkTask(self.model, self.query, self.metrics, render=render, points=points, limit=limit)

    def _points_for(self, rows: RowFormat | None) -> tuple[int, int]:
        if rows is None:
            return points_for(self.model, self.grid)
        return CHUNK_POINTS_OF_SOME_ROWS if self.query.where else CHUNK_POINTS_OF_ALL_ROWS, BLOCK_POINTS

    def write_points(self, swept: Sweep, path: Path) -> None:
        """Writes all points of a sweep at once. Raises OSError."""
        if self.file_format == "parquet":
            swept.to_parquet(path, self.columns)
            return
        document = swept.to_dict() if self.file_format == "json" else {}
        table = swept.table() if self.columns is None else select_columns(swept.table(), self.columns)
        report.emit([table], document, format=self.file_format, output=path)

    def written(self, state: SweepState) -> WrittenSweep:
        """The result, from the merged results of all chunks."""
        kept = state.rows or (len(self.query.last(state.points)) if state.points else 0)
        chosen = self.query.in_words()
        notes = counts_in_words(kept, self.grid, state.invalid, state.reason, state.refused, chosen)
        return WrittenSweep(self.path, kept, (*notes, *what_a_front_lacks(self.query, self.grid)))
