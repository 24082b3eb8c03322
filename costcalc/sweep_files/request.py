"""What is wanted of a sweep and its file: which points, in which format, made how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costcalc import report
from costcalc.analysis.sweep.choice import Choice
from costcalc.analysis.sweep.chunks import FILTERED, ROWS, Job, blocks_for
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.metrics import ALL, METRICS
from costcalc.analysis.sweep.state import MAX_ROWS, Limit
from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND
from costcalc.spec.network import Network
from costcalc.sweep_files.row_formats import CsvRows, ParquetRows, Rows
from costcalc.table import Column

ROW_FORMATS: dict[str, type[Rows]] = {"csv": CsvRows, "parquet": ParquetRows}


@dataclass(frozen=True)
class Wanted:
    """A sweep, and the file it goes to. `format` is that of the file's suffix if none is said."""

    net: Network
    grid: Grid
    choice: Choice
    path: Path
    format: str | None = None
    resume: bool = False
    restart: bool = False
    metrics: tuple[str, ...] = METRICS
    points: tuple[int, int] | None = None  # of a chunk, and of a block within it, instead of what fits the rows

    @property
    def kind(self) -> str:
        """The format, with Parquet among them. Raises UnknownName."""
        by_suffix = self.format is None and self.path.suffix.lower() == ".parquet"
        return "parquet" if by_suffix else report.format_of(self.format, self.path)

    @property
    def per_second(self) -> int:
        """About how many points a process works out in a second."""
        rows = self.rows()
        return rows.a_second if rows else POINTS_PER_SECOND

    def rows(self) -> Rows | None:
        """How rows are written as they are made; None where something chooses few of them, or the format cannot."""
        if self.choice.reduces or self.kind not in ROW_FORMATS:
            return None
        knobs = (Column(name, name, "knob") for name in self.grid.axes)
        columns = (*knobs, *(Column(name, ALL[name].title, ALL[name].kind) for name in self.metrics))
        return ROW_FORMATS[self.kind](columns, dict(self.grid.denominators))

    def job(self, rows: Rows | None) -> Job:
        """What is asked of every chunk."""
        render = None if rows is None else rows.piece
        points, limit = self.points or self.fitting(rows), Limit(points=MAX_ROWS)
        return Job(self.net, self.choice, self.metrics, render=render, points=points, limit=limit)

    def fitting(self, rows: Rows | None) -> tuple[int, int]:
        """Points of a chunk, and of a block within it, that there is room for."""
        if rows is None:
            return blocks_for(self.net, self.grid)
        return FILTERED if self.choice.where else ROWS
