"""Writes sweeps to files: small ones at once, large ones chunk by chunk, so that they can be resumed.

write_sweep("efficientnet", "big.csv", r=range(128, 601), d="1:3:0.01", w="1:2:0.01", resume=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costcalc import files, report
from costcalc.analysis.metric_names import read_metrics
from costcalc.analysis.metrics import COUNTED
from costcalc.analysis.sweep.arrow import import_pyarrow
from costcalc.analysis.sweep.compute import chunk_results
from costcalc.analysis.sweep.grid import given_axes
from costcalc.analysis.sweep.point_query import read_query
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY, Limit, SweepState
from costcalc.analysis.sweep.sweep import grid_of, sweep
from costcalc.errors import UsageError
from costcalc.net import Target, load
from costcalc.sweep_files.disk_space import check_disk_space
from costcalc.sweep_files.request import SweepRequest, WrittenSweep
from costcalc.sweep_files.resumable_file import ResumableFile
from costcalc.sweep_files.resume_journal import read_journal
from costcalc.sweep_files.row_formats import RowFormat
from costcalc.workers.pools import pool_for
from costcalc.workers.worker_pool import WorkerPool


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
    """Writes a sweep in the format of the file's suffix: `write_sweep("efficientnet", "big.parquet", r=range(128,
    601))`.

    A CSV or Parquet file may have more rows than fit into memory. `resume` continues one that was interrupted,
    `restart` starts it anew. Raises as `sweep` does; UsageError for the journal of another sweep, and without `resume`
    and `restart` for any journal; OSError and NoRoom if the file cannot be written.
    """
    model = load(target)
    model.require_knobs("write_sweep")
    axes = given_axes(axes, model.settable, model.name)
    query = read_query(model.settable, [*axes], where=where, pareto=pareto, top=top, by=by)
    metrics = counted_metrics(metrics)
    request = SweepRequest(model, grid_of(model, axes), query, Path(path), None, resume, restart, metrics)
    with pool_for(workers, executor, request.grid.size, request.points_per_second) as pool:
        return write(request, pool)


def counted_metrics(given: Sequence[str] | str | None) -> tuple[str, ...]:
    """The metrics of each point in a file. Raises UnknownName, and UsageError for seconds, which are measured."""
    shown = read_metrics(given)
    if not {*shown} <= {*COUNTED}:
        raise UsageError("a sweep file cannot have `seconds`; `sweep` looks up measured times")
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
    if request.file_format == "parquet":
        import_pyarrow()
    if is_stream:
        return _stream_rows(request, rows, pool, progress) if rows and large else _at_once(request, pool, progress)
    path = files.resolved(request.path)
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
    return ResumableFile(request, path, rows).write(journal, pool, progress)


def _check_stream(request: SweepRequest) -> None:
    """Raises UsageError for what a pipe cannot have."""
    name = "standard output" if str(request.path) == "-" else repr(str(request.path))
    if request.resume or request.restart:
        raise UsageError(f"{name} is not a file and cannot be resumed; name one with -o")
    if request.file_format == "parquet":
        raise UsageError(f"{name} is not a file, and Parquet is not text; name one with -o")


def _at_once(request: SweepRequest, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
    swept = sweep(
        request.model, request.grid, request.query, metrics=request.metrics, pool=pool, progress=progress,
        limit=Limit(points=MAX_ROWS_IN_MEMORY),
    )  # fmt: skip
    request.write_points(swept, request.path)
    return WrittenSweep(request.path, len(swept), tuple(swept.how_many()), large=False)


def _stream_rows(request: SweepRequest, rows: RowFormat, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
    """Streams rows to a pipe or a device. Writes nothing before the first row, because a pipe cannot be rewound. Raises
    ShapeError if all points are invalid."""
    check_disk_space(request.grid, request.query, rows)
    state, head = SweepState(), rows.head()
    with _stream(request.path) as put:
        for result in chunk_results(request.task(rows), request.grid, pool, progress):
            state.add(result, request.query)
            if result.piece:
                put(head + result.piece)
                head = b""
        state.raise_if_all_invalid(request.grid.size)
        put(head)
    return request.written(state)


@contextmanager
def _stream(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A function that writes bytes to a path, or to standard output for `-`, without delay."""
    if str(path) == "-":
        yield lambda data: report.put(data.decode())
        return
    with files.explaining_write_errors(path):
        out = open(path, "wb")  # noqa: SIM115  closed below

    def put(data: bytes) -> None:
        with files.explaining_write_errors(path):
            out.write(data)
            out.flush()

    try:
        yield put
    finally:
        with files.explaining_write_errors(path):
            out.close()
