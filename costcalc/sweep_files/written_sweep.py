"""Writes the points of a small sweep at once, and says what a written file holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costcalc import report
from costcalc.analysis.selection import select
from costcalc.analysis.sweep.state import SweepState
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words, what_a_front_lacks
from costcalc.sweep_files.request import SweepRequest


@dataclass(frozen=True)
class WrittenSweep:
    """A file that a sweep was written to."""

    path: Path
    rows: int
    notes: tuple[str, ...]  # how many points have a row, and why others have none
    large: bool = True  # was it written chunk by chunk?

    def __repr__(self) -> str:
        return f"<costcalc.WrittenSweep {str(self.path)!r}: {self.notes[0]}>"


def written(request: SweepRequest, state: SweepState) -> WrittenSweep:
    """The result of a request, from the merged results of all chunks."""
    kept = state.rows or (len(request.query.last(state.points)) if state.points else 0)
    chosen = request.query.in_words()
    notes = counts_in_words(kept, request.grid, state.invalid, state.reason, state.refused, chosen)
    return WrittenSweep(request.path, kept, (*notes, *what_a_front_lacks(request.query, request.grid)))


def write_points(request: SweepRequest, swept: Sweep, path: Path) -> None:
    """Writes the points of a sweep at once, in the format of the request. Raises OSError."""
    if request.file_format == "parquet":
        swept.to_parquet(path, request.columns)
        return
    document = swept.to_dict() if request.file_format == "json" else {}
    table = swept.table() if request.columns is None else select(swept.table(), request.columns)
    report.emit([table], document, format=request.file_format, output=path)
