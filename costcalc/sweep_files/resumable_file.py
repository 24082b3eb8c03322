"""A file that is written chunk by chunk, beside its journal, so that it can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costcalc import files
from costcalc.analysis.sweep.chunks import ChunkTask
from costcalc.analysis.sweep.compute import chunk_results
from costcalc.analysis.sweep.fingerprint import fingerprint
from costcalc.analysis.sweep.progress import Progress
from costcalc.analysis.sweep.state import SweepState
from costcalc.analysis.sweep.sweep import sweep_from
from costcalc.errors import ShapeError, UsageError
from costcalc.sweep_files.disk_space import check_disk_space
from costcalc.sweep_files.request import SweepRequest, WrittenSweep
from costcalc.sweep_files.resume_journal import VERSION, Journal, beside, what_to_do
from costcalc.sweep_files.row_formats import RowFormat
from costcalc.workers.worker_pool import WorkerPool


@dataclass(frozen=True)
class ResumableFile:
    """A file that is written chunk by chunk, beside a journal. Without `rows` it holds the few points that a query
    keeps."""

    request: SweepRequest
    path: Path
    rows: RowFormat | None

    def write(self, journal: Journal | None, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
        """Writes the file, after the chunks in the journal if there is one."""
        request, task = self.request, self.request.task(self.rows)
        mine = fingerprint(task, request.grid, format=request.file_format, columns=request.columns)
        if journal:
            _check_journal(journal, mine, request.resume)
        if self.rows:
            done = journal.done if journal else 0
            check_disk_space(request.grid, request.query, self.rows, self.path.parent, done)
        if journal is None:
            journal = Journal(self.path, mine, request.grid.size)
            journal.start()
        if not journal.in_place():
            self._compute(task, journal, pool, progress)
            self._put_in_place(task, journal)
        journal.remove()
        return request.written(SweepState.from_json(journal.state))

    def _compute(self, task: ChunkTask, journal: Journal, pool: WorkerPool | None, progress: Progress) -> None:
        """Computes all chunks that are not on the disk yet. Raises ShapeError, and removes the journal, if all points
        are invalid."""
        state, grid = SweepState.from_json(journal.state), self.request.grid
        with journal.writing() as writer:
            head = self.rows.head() if self.rows and not journal.length else b""
            for result in chunk_results(task, grid, pool, progress, journal.done):
                state.add(result, task.query, task.limit)
                writer.add(head + result.piece, journal.done + result.size, state.to_json())
                head = b""
        try:
            state.raise_if_all_invalid(grid.size)
        except ShapeError:
            journal.remove()
            raise

    def _put_in_place(self, task: ChunkTask, journal: Journal) -> None:
        """Makes the file from its part or journal. Raises OSError."""
        try:
            if self.rows:
                self.rows.finish(journal.part, self.path)
            else:
                state = SweepState.from_json(journal.state)
                self.request.write_points(sweep_from(task, self.request.grid, state), self.path)
        except OSError as error:
            raise OSError(f"{error}{what_to_do(error)}") from None
        files.sync_folder(self.path.parent)
        journal.mark_placed()


def _check_journal(journal: Journal, mine: dict[str, str], resume: bool) -> None:
    """Raises UsageError for the journal of another sweep, and without `resume` for any."""
    name = str(beside(journal.path, "journal"))
    if journal.version != VERSION:
        raise UsageError(
            f"{name!r} is of another version of costcalc and cannot be resumed; start over with --restart, or write to "
            "another file"
        )
    others = [part for part in mine if journal.fingerprint.get(part) != mine[part]]
    if others:
        raise UsageError(
            f"{name!r} belongs to a different sweep (different {', '.join(others)}); write to another file, or start "
            "over with --restart"
        )
    if not resume:
        share = f"{100 * journal.done // journal.size} %"
        hint = "continue with --resume or start over with --restart"
        raise UsageError(f"{name!r}: this sweep is {share} complete", hint)
