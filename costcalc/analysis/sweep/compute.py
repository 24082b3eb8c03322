"""Runs all chunks of a grid, here or in a worker pool, and merges their results."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import dropwhile

from costcalc.analysis.sweep.chunks import ChunkTask, compute_chunk
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.progress import Progress, ProgressMeter, no_progress
from costcalc.analysis.sweep.state import ChunkResult, SweepState
from costcalc.workers.local_processes import LocalProcesses
from costcalc.workers.worker_pool import WorkerPool, ordered_map

MAX_WAITING_PIECES = 16  # of a file, held in memory


def compute_grid(
    task: ChunkTask, grid: Grid, pool: WorkerPool | None = None, progress: Progress = no_progress
) -> SweepState:
    """The merged results of all chunks. Raises ShapeError if all points are invalid."""
    state = SweepState()
    for result in chunk_results(task, grid, pool, progress):
        state.add(result, task.query, task.limit)
    return state.raise_if_all_invalid(grid.size)


def chunk_results(
    task: ChunkTask, grid: Grid, pool: WorkerPool | None, progress: Progress, done: int = 0
) -> Iterator[ChunkResult]:
    """Yields the result of each chunk in the grid's order, after the first `done` points.

    Only this process knows an op or architecture that a notebook or script defines, or an imported module, so no other
    one is started for it.
    """
    classes = (type(task.model.architecture), *task.model.architecture.own_ops)
    if isinstance(pool, LocalProcesses) and any(cls.__module__ == "__main__" for cls in classes):
        pool = None
    if task.model.architecture.only_here:
        pool = None
    meter = ProgressMeter(grid.size, done, progress)
    chunks = dropwhile(lambda chunk: chunk.start < done, grid.blocks(task.points[0]))
    waiting = MAX_WAITING_PIECES if task.render else None
    for result in ordered_map(pool, partial(compute_chunk, task), chunks, waiting):
        meter.advance(result.size)
        yield result
