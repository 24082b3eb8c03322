"""Sweeps written to files: small ones at once, large ones as they are made, so that they can be gone on with.

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
from costcalc.analysis.sweep.arrow import arrow
from costcalc.analysis.sweep.choice import read_choice
from costcalc.analysis.sweep.chunks import Job
from costcalc.analysis.sweep.fingerprint import identity
from costcalc.analysis.sweep.grid import given_axes
from costcalc.analysis.sweep.metrics import COUNTED, read_metrics
from costcalc.analysis.sweep.progress import Progress, silent
from costcalc.analysis.sweep.state import MAX_ROWS, Limit, State
from costcalc.analysis.sweep.sweep import grid_of, parts, sweep, sweep_of
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words, what_a_front_lacks
from costcalc.errors import ShapeError, UsageError
from costcalc.net import Net, load
from costcalc.sweep_files.disk_space import refuse_if_too_large
from costcalc.sweep_files.journal import Journal, beside, found, go_on
from costcalc.sweep_files.request import Wanted
from costcalc.sweep_files.row_formats import Rows
from costcalc.workers.pools import pool_for
from costcalc.workers.worker_pool import WorkerPool


@dataclass(frozen=True)
class Written:
    """What a sweep's file has."""

    path: Path
    rows: int
    notes: tuple[str, ...]  # how many points there were, and why some are not there
    large: bool = True  # was it made chunk by chunk?

    def __repr__(self) -> str:
        return f"<costcalc.Written {str(self.path)!r}: {self.notes[0]}>"


def write_sweep(
    target: str | Net,
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
) -> Written:
    """A sweep as a file, in its suffix's format: `write_sweep("efficientnet", "big.parquet", r=range(128, 601))`.

    A CSV or Parquet file may have more rows than fit into memory. One that was interrupted is gone on with if `resume`,
    started anew if `restart`. Raises as `sweep` does; UsageError for a journal of which neither was said, or which is
    of another sweep; OSError and NoRoom for what cannot be written.
    """
    net = target if isinstance(target, Net) else load(target)
    axes = given_axes(axes, net.spec.knobs, net.name)
    choice = read_choice(net.spec.knobs, [*axes], where=where, pareto=pareto, top=top, by=by)
    wanted = Wanted(net, grid_of(net, axes), choice, Path(path), None, resume, restart, counted_metrics(metrics))
    with pool_for(workers, executor, wanted.grid.size, wanted.per_second) as pool:
        return write(wanted, pool)


def counted_metrics(given: Sequence[str] | str | None) -> tuple[str, ...]:
    """The metrics of the points of a file. Raises UnknownName, and UsageError for seconds, which are measured."""
    shown = read_metrics(given)
    if not {*shown} <= {*COUNTED}:
        raise UsageError("seconds are measured, and looked up for few points; a sweep of its own has them")
    return shown


def write(wanted: Wanted, pool: WorkerPool | None = None, progress: Progress = silent) -> Written:
    """The same from what was read."""
    if wanted.kind == "parquet":
        arrow()
    rows = wanted.rows()
    large = wanted.grid.size > MAX_ROWS
    if str(wanted.path) == "-" or files.is_stream(wanted.path):
        _refuse_of_a_stream(wanted)
        return _as_it_comes(wanted, rows, pool, progress) if rows and large else _at_once(wanted, pool, progress)
    files.check(wanted.path)
    path = files.real(wanted.path)
    journal = found(path)
    if journal and wanted.restart:
        journal.abandon()
        journal = None
    if rows is None and not wanted.choice.reduces:
        if wanted.resume:
            raise UsageError("only a CSV or Parquet file, or a sweep with --top or --pareto, can be resumed")
        return _at_once(wanted, pool, progress)
    if journal is None and not wanted.resume and not large:
        return _at_once(wanted, pool, progress)
    return _Made(wanted, path, rows).go_on(journal, pool, progress)


def _refuse_of_a_stream(wanted: Wanted) -> None:
    name = "standard output" if str(wanted.path) == "-" else repr(str(wanted.path))
    if wanted.resume or wanted.restart:
        raise UsageError(f"{name} is no file, and what went there cannot be gone on with; name one with -o")
    if wanted.kind == "parquet":
        raise UsageError(f"{name} is no file, and Parquet is not text; name one with -o")


def _at_once(wanted: Wanted, pool: WorkerPool | None, progress: Progress) -> Written:
    swept = sweep(
        wanted.net, wanted.grid, wanted.choice, metrics=wanted.metrics, pool=pool, progress=progress,
        limit=Limit(points=MAX_ROWS),
    )  # fmt: skip
    _emit(wanted, swept, wanted.path)
    return Written(wanted.path, len(swept), tuple(swept.how_many()), large=False)


def _emit(wanted: Wanted, swept: Sweep, path: Path) -> None:
    if wanted.kind == "parquet":
        swept.to_parquet(path)
        return
    document = swept.to_dict() if wanted.kind == "json" else {}
    report.emit([swept.table()], document, format=wanted.kind, output=path)


def _as_it_comes(wanted: Wanted, rows: Rows, pool: WorkerPool | None, progress: Progress) -> Written:
    """Rows to a pipe or a device, which gives nothing back, so that nothing goes there before there is a row. Raises
    ShapeError if no point is possible."""
    refuse_if_too_large(wanted.grid, wanted.choice, rows)
    state, head = State(), rows.head()
    with _stream(wanted.path) as put:
        for part in parts(wanted.job(rows), wanted.grid, pool, progress):
            state.add(part, wanted.choice)
            if part.piece:
                put(head + part.piece)
                head = b""
        state.whole(wanted.grid.size)
        put(head)
    return _written(wanted, state)


@contextmanager
def _stream(path: Path) -> Iterator[Callable[[bytes], object]]:
    """What writes there at once."""
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
class _Made:
    """A file that is made chunk by chunk, beside a journal. Without rows it is made of the few points that are kept."""

    wanted: Wanted
    path: Path
    rows: Rows | None

    def go_on(self, journal: Journal | None, pool: WorkerPool | None, progress: Progress) -> Written:
        """The whole file, from where the journal is."""
        wanted, job = self.wanted, self.wanted.job(self.rows)
        same = identity(job, wanted.grid, format=wanted.kind)
        if journal:
            _refuse_another(journal, same, wanted.resume)
        if self.rows:
            done = journal.done if journal else 0
            refuse_if_too_large(wanted.grid, wanted.choice, self.rows, self.path.parent, done)
        if journal is None:
            journal = Journal(self.path, same, wanted.grid.size)
            journal.start()
        if not journal.in_place():
            self.make(job, journal, pool, progress)
            self.put(job, journal)
        journal.remove()
        return _written(wanted, State.of_plain(journal.state))

    def make(self, job: Job, journal: Journal, pool: WorkerPool | None, progress: Progress) -> None:
        """All chunks that are not on the disk yet. Raises ShapeError, and leaves nothing, if no point is possible."""
        state, grid = State.of_plain(journal.state), self.wanted.grid
        with journal.writing() as writer:
            head = self.rows.head() if self.rows and not journal.length else b""
            for part in parts(job, grid, pool, progress, journal.done):
                state.add(part, job.choice, job.limit)
                writer.add(head + part.piece, journal.done + part.size, state.plain())
                head = b""
        try:
            state.whole(grid.size)
        except ShapeError:
            journal.remove()
            raise

    def put(self, job: Job, journal: Journal) -> None:
        """Puts what was made in its place. Raises OSError."""
        try:
            if self.rows:
                self.rows.finish(journal.part, self.path)
            else:
                _emit(self.wanted, sweep_of(job, self.wanted.grid, State.of_plain(journal.state)), self.path)
        except OSError as error:
            raise OSError(f"{error}{go_on(error)}") from None
        files.sync_folder(self.path.parent)
        journal.put()


def _refuse_another(journal: Journal, same: dict[str, str], resume: bool) -> None:
    name = str(beside(journal.path, "journal"))
    others = [part for part in same if journal.identity.get(part) != same[part]]
    if others:
        raise UsageError(
            f"{name!r} is of another sweep, with another {', another '.join(others)}; write to another file, or start "
            "anew with --restart"
        )
    if not resume:
        share = f"{100 * journal.done // journal.size} %"
        raise UsageError(f"{name!r}: a sweep to this file got to {share}; go on with --resume, or anew with --restart")


def _written(wanted: Wanted, state: State) -> Written:
    kept = state.rows or (len(wanted.choice.last(state.points)) if state.points else 0)
    chosen = wanted.choice.in_words()
    notes = counts_in_words(kept, wanted.grid, state.invalid, state.reason, state.refused, chosen)
    return Written(wanted.path, kept, (*notes, *what_a_front_lacks(wanted.choice, wanted.grid)))
