"""Writes sweeps to files: small ones at once, large ones chunk by chunk, so that they can be resumed.

write_sweep("efficientnet", "big.csv", r=range(128, 601), d="1:3:0.01", w="1:2:0.01", resume=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costcalc import files, report
from costcalc.analysis.metrics import COUNTED, read_metrics
from costcalc.analysis.selection import select
from costcalc.analysis.sweep.arrow import import_pyarrow
from costcalc.analysis.sweep.chunks import ChunkTask
from costcalc.analysis.sweep.compute import chunk_results
from costcalc.analysis.sweep.fingerprint import fingerprint
from costcalc.analysis.sweep.grid import given_axes
from costcalc.analysis.sweep.point_query import read_query
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY, Limit, SweepState
from costcalc.analysis.sweep.sweep import grid_of, sweep, sweep_from
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words, what_a_front_lacks
from costcalc.errors import ShapeError, UsageError
from costcalc.net import Target, load
from costcalc.sweep_files.disk_space import check_disk_space
from costcalc.sweep_files.journal import VERSION, Journal, beside, read_journal, what_to_do
from costcalc.sweep_files.request import SweepRequest
from costcalc.sweep_files.row_formats import RowFormat
from costcalc.workers.pools import pool_for
from costcalc.workers.worker_pool import WorkerPool


@dataclass(frozen=True)
class WrittenSweep:
    """A file that a sweep was written to."""

    path: Path
    rows: int
    notes: tuple[str, ...]  # how many points there were, and why some have no row
    large: bool = True  # was it written chunk by chunk?

    def __repr__(self) -> str:
        return f"<costcalc.WrittenSweep {str(self.path)!r}: {self.notes[0]}>"


def write_sweep(
    target: Target,
    path: str | Path,
    *,
    metrics: Sequence[str] | str | None = None,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    resume: bool = False,
    restart: bool = False,
    workers: int | None = 1,
    executor: Executor | None = None,
    **axes: Any,
) -> WrittenSweep:
    """A sweep as a file, in its suffix's format: `write_sweep("efficientnet", "big.parquet", r=range(128, 601))`.

    A CSV or Parquet file may have more rows than fit into memory. `resume` continues one that was interrupted,
    `restart` starts it anew. Raises as `sweep` does; UsageError for a journal if neither was said, or if it is of
    another sweep; OSError and NoRoom if the file cannot be written.
    """
    model = load(target)
    model.needs_knobs("write_sweep")
    axes = given_axes(axes, model.knobs, model.name)
    query = read_query(model.knobs, [*axes], where=where, pareto=pareto, top=top, by=by)
    metrics = counted_metrics(metrics)
    request = SweepRequest(model, grid_of(model, axes), query, Path(path), None, resume, restart, metrics)
    with pool_for(workers, executor, request.grid.size, request.points_per_second) as pool:
        return write(request, pool)


def counted_metrics(given: Sequence[str] | str | None) -> tuple[str, ...]:
    """The metrics of the points of a file. Raises UnknownName, and UsageError for seconds, which are measured."""
    shown = read_metrics(given)
    if not {*shown} <= {*COUNTED}:
        raise UsageError("seconds are measured, and looked up for few points; a sweep of its own has them")
    return shown


def write(request: SweepRequest, pool: WorkerPool | None = None, progress: Progress = no_progress) -> WrittenSweep:
    """Writes the file of a request. Raises as `write_sweep` does."""
    rows = request.row_format()
    large = request.grid.size > MAX_ROWS_IN_MEMORY
    is_stream = str(request.path) == "-" or files.is_stream(request.path)
    if is_stream:
        _check_stream(request)
    else:
        files.check(request.path)
    if request.kind == "parquet":
        import_pyarrow()
    if is_stream:
        return _streamed(request, rows, pool, progress) if rows and large else _at_once(request, pool, progress)
    path = files.real(request.path)
    journal = read_journal(path)
    if journal and request.restart:
        journal.abandon()
        journal = None
    if rows is None and not request.query.reduces:
        if request.resume:
            raise UsageError("only a CSV or Parquet file, or a sweep with --top or --pareto, can be resumed")
        return _at_once(request, pool, progress)
    if journal is None and not request.resume and not large:
        return _at_once(request, pool, progress)
    return _ResumableFile(request, path, rows).write(journal, pool, progress)


def _check_stream(request: SweepRequest) -> None:
    """Raises UsageError for what a pipe cannot have."""
    name = "standard output" if str(request.path) == "-" else repr(str(request.path))
    if request.resume or request.restart:
        raise UsageError(f"{name} is no file and cannot be resumed; name one with -o")
    if request.kind == "parquet":
        raise UsageError(f"{name} is no file, and Parquet is not text; name one with -o")


def _at_once(request: SweepRequest, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
    swept = sweep(
        request.model, request.grid, request.query, metrics=request.metrics, pool=pool, progress=progress,
        limit=Limit(points=MAX_ROWS_IN_MEMORY),
    )  # fmt: skip
    _emit(request, swept, request.path)
    return WrittenSweep(request.path, len(swept), tuple(swept.how_many()), large=False)


def _emit(request: SweepRequest, swept: Sweep, path: Path) -> None:
    if request.kind == "parquet":
        swept.to_parquet(path, request.columns)
        return
    document = swept.to_dict() if request.kind == "json" else {}
    table = swept.table() if request.columns is None else select(swept.table(), request.columns)
    report.emit([table], document, format=request.kind, output=path)


def _streamed(request: SweepRequest, rows: RowFormat, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
    """Streams rows to a pipe or a device, and nothing before the first row, because a pipe cannot be rewound. Raises
    ShapeError if no point is possible."""
    check_disk_space(request.grid, request.query, rows)
    state, head = SweepState(), rows.head()
    with _stream(request.path) as put:
        for result in chunk_results(request.task(rows), request.grid, pool, progress):
            state.add(result, request.query)
            if result.piece:
                put(head + result.piece)
                head = b""
        state.checked(request.grid.size)
        put(head)
    return _written(request, state)


@contextmanager
def _stream(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A function that writes there at once."""
    if str(path) == "-":
        yield lambda data: report.put(data.decode())
        return
    with files.in_words(path):
        out = open(path, "wb")  # noqa: SIM115  closed below

    def put(data: bytes) -> None:
        with files.in_words(path):
            out.write(data)
            out.flush()

    try:
        yield put
    finally:
        with files.in_words(path):
            out.close()


@dataclass(frozen=True)
class _ResumableFile:
    """A file that is written chunk by chunk, beside a journal. Without rows it has the few points that are kept."""

    request: SweepRequest
    path: Path
    rows: RowFormat | None

    def write(self, journal: Journal | None, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
        """Writes the whole file, from where the journal is."""
        request, task = self.request, self.request.task(self.rows)
        mine = fingerprint(task, request.grid, format=request.kind, columns=request.columns)
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
        return _written(request, SweepState.from_json(journal.state))

    def _compute(self, task: ChunkTask, journal: Journal, pool: WorkerPool | None, progress: Progress) -> None:
        """Computes all chunks that are not on the disk yet. Raises ShapeError, and leaves nothing, if no point is
        possible."""
        state, grid = SweepState.from_json(journal.state), self.request.grid
        with journal.writing() as writer:
            head = self.rows.head() if self.rows and not journal.length else b""
            for result in chunk_results(task, grid, pool, progress, journal.done):
                state.add(result, task.query, task.limit)
                writer.add(head + result.piece, journal.done + result.size, state.to_json())
                head = b""
        try:
            state.checked(grid.size)
        except ShapeError:
            journal.remove()
            raise

    def _put_in_place(self, task: ChunkTask, journal: Journal) -> None:
        """Makes the file of what is beside it. Raises OSError."""
        try:
            if self.rows:
                self.rows.finish(journal.part, self.path)
            else:
                state = SweepState.from_json(journal.state)
                _emit(self.request, sweep_from(task, self.request.grid, state), self.path)
        except OSError as error:
            raise OSError(f"{error}{what_to_do(error)}") from None
        files.sync_folder(self.path.parent)
        journal.mark_placed()


def _check_journal(journal: Journal, mine: dict[str, str], resume: bool) -> None:
    """Raises UsageError for the journal of another sweep, and for one that is not to be resumed."""
    name = str(beside(journal.path, "journal"))
    if journal.version != VERSION:
        raise UsageError(
            f"{name!r} is of another version of costcalc and cannot be resumed; start anew with --restart, or write to "
            "another file"
        )
    others = [part for part in mine if journal.fingerprint.get(part) != mine[part]]
    if others:
        raise UsageError(
            f"{name!r} is of another sweep, with another {', another '.join(others)}; write to another file, or start "
            "anew with --restart"
        )
    if not resume:
        share = f"{100 * journal.done // journal.size} %"
        raise UsageError(f"{name!r}: a sweep to this file got to {share}; go on with --resume, or anew with --restart")


def _written(request: SweepRequest, state: SweepState) -> WrittenSweep:
    kept = state.rows or (len(request.query.last(state.points)) if state.points else 0)
    chosen = request.query.in_words()
    notes = counts_in_words(kept, request.grid, state.invalid, state.reason, state.refused, chosen)
    return WrittenSweep(request.path, kept, (*notes, *what_a_front_lacks(request.query, request.grid)))
