"""Streams the rows of a sweep to a pipe or a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from costcalc import files, report
from costcalc.analysis.sweep.compute import chunk_results
from costcalc.analysis.sweep.progress import Progress
from costcalc.analysis.sweep.state import SweepState
from costcalc.sweep_files.disk_space import check_disk_space
from costcalc.sweep_files.request import SweepRequest
from costcalc.sweep_files.row_formats import RowFormat
from costcalc.sweep_files.written_sweep import WrittenSweep, written
from costcalc.workers.worker_pool import WorkerPool


def stream_rows(request: SweepRequest, rows: RowFormat, pool: WorkerPool | None, progress: Progress) -> WrittenSweep:
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
        state.checked(request.grid.size)
        put(head)
    return written(request, state)


@contextmanager
def _stream(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A function that writes bytes to a path, or to standard output for `-`, without delay."""
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
