"""The costs of a network at every point of a grid: the points that a query keeps, or a histogram.

sweep_model(costcalc.load("efficientnet"), {"r": (224, 240), "w": (1, 2)}, where="macs <= 1e9").table()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costcalc.analysis.metric_names import metric_of, read_metrics, why_not_whole
from costcalc.analysis.metrics import COUNTED, USUAL
from costcalc.analysis.sweep.chunks import ChunkTask, points_for
from costcalc.analysis.sweep.compute import compute_grid
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.histogram import Histogram, round_bins
from costcalc.analysis.sweep.measured import Lookup, check_lookup, check_lookup_count, measured_seconds
from costcalc.analysis.sweep.point_query import PointQuery, read_query, read_where
from costcalc.analysis.sweep.points import Points
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.sweep.state import ALLOW_MORE, KEEP_LESS, USUAL_LIMIT, Limit, SweepState
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.chart import short_number
from costcalc.errors import UsageError
from costcalc.models.knob import FREEZE
from costcalc.models.model import Model
from costcalc.text import HOUR, knobs_note, time_text
from costcalc.workers.worker_pool import WorkerPool

MAX_POINTS_SCANNED = 10**9  # with a condition alone
POINTS_PER_SECOND = 4_000_000  # of one process that also reduces them; an estimate
NUMBER_BYTES = 8


def sweep_model(
    model: Model,
    axes: Mapping[str, tuple[Any, ...]],
    *,
    metrics: Sequence[str] | str | None = None,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    seconds: Lookup | None = None,
    pool: WorkerPool | None = None,
    progress: Progress = no_progress,
    limit: Limit = USUAL_LIMIT,
) -> Sweep:
    """The costs of a model at every point of a grid, computed here or in a worker pool, of the points that a query
    keeps.

    Raises UnknownName, SpecError and UsageError for invalid options, UsageError for a grid that is too large to be
    kept, ShapeError if no point of it is valid.
    """
    grid = grid_of(model, axes)
    query = read_query(model.settable, [*axes], where=where, pareto=pareto, top=top, by=by)
    shown = read_metrics(metrics)
    if "seconds" in shown:
        check_lookup(seconds)
    counted = [name for name in shown if name in COUNTED]
    found = sweep(model, grid, query, metrics=counted, pool=pool, progress=progress, limit=limit)
    return found if len(counted) == len(shown) else _timed(found, shown, seconds, progress)


def _timed(found: Sweep, shown: tuple[str, ...], lookup: Lookup | None, progress: Progress) -> Sweep:
    """The sweep with the measured seconds of each point, None for one that was not measured."""
    check_lookup_count(len(found))
    models = [found.model.at({name: point[name] for name in found.grid.axes}) for point in found.to_records()]
    columns = {**found.points.columns, "seconds": np.array(measured_seconds(models, lookup, progress), dtype=object)}
    return replace(found, points=Points(columns).select((*found.grid.axes, *shown)), metrics=shown)


def grid_of(model: Model, axes: Mapping[str, tuple[Any, ...]]) -> Grid:
    """The grid that axes span. Raises UsageError without axes, and for symbols in the other knobs."""
    if not axes:
        raise UsageError("nothing to sweep over: give a knob some values, as in r=128:512:32")
    model.require_numeric("sweep", but=axes)
    if axes.get(FREEZE.name) == ("all",):
        axes = {**axes, FREEZE.name: tuple(model.blocks())}
    return Grid(dict(axes))


def sweep(
    model: Model, grid: Grid, choice: PointQuery, *, metrics: Sequence[str] = USUAL,
    points: tuple[int, int] | None = None, pool: WorkerPool | None = None, progress: Progress = no_progress,
    limit: Limit = USUAL_LIMIT,
) -> Sweep:  # fmt: skip
    """Sweeps a grid with a parsed query. `points` are the sizes of a chunk and of a block in it."""
    _check_size(grid, choice, metrics, limit)
    task = ChunkTask(model, choice, tuple(metrics), points=points or points_for(model, grid), limit=limit)
    return sweep_from(task, grid, compute_grid(task, grid, pool, progress))


def sweep_from(task: ChunkTask, grid: Grid, state: SweepState) -> Sweep:
    """The sweep from the merged results of all chunks."""
    query = task.query
    assert state.points is not None
    shown = query.last(state.points).select((*grid.axes, *task.metrics))
    return Sweep(
        task.model, grid, shown, state.invalid, state.reason, state.refused, query.in_words(), task.metrics, query
    )


def histogram_model(
    model: Model,
    axes: Mapping[str, tuple[Any, ...]],
    metric: str,
    *,
    where: str | None = None,
    pool: WorkerPool | None = None,
    progress: Progress = no_progress,
    points: tuple[int, int] | None = None,
) -> Histogram:
    """The histogram of a metric over the points of a grid that meet a condition. Raises as `sweep_model` does."""
    metric_of(metric, unless=why_not_whole)
    grid, query = grid_of(model, axes), PointQuery(None if where is None else read_where(where, model.knobs))
    task = ChunkTask(model, query, (metric,), metric, points=points or points_for(model, grid))
    state = compute_grid(task, grid, pool, progress)
    every = sum(state.counts.values())
    counts = counts_in_words(every, grid, state.invalid, state.reason, state.refused, query.in_words())
    notes = *counts, *knobs_note(model.values_but(grid.axes))
    return Histogram(model.label, metric, round_bins(state.counts), notes, model.dtype, warnings_of_grid(model, axes))


def _check_size(grid: Grid, query: PointQuery, metrics: Sequence[str], limit: Limit) -> None:
    """Raises UsageError for a grid that is too large to be kept. Points that meet a condition are counted later."""
    if query.reduces or (query.where and grid.size <= MAX_POINTS_SCANNED):
        return
    nbytes = grid.size * (sum(grid.array(name).itemsize for name in grid.axes) + NUMBER_BYTES * len(metrics))
    rows = limit.points is not None and grid.size > limit.points
    if rows or query.where or nbytes > limit.bytes:
        seconds = grid.size / POINTS_PER_SECOND
        takes = f", and about {time_text(seconds)} of work" if seconds >= HOUR else ""
        room = "" if rows else f": {short_number(nbytes)}B, where {short_number(limit.bytes)}B are kept"
        write = "write all with -o FILE.csv or .parquet" + ("" if rows else f", or {ALLOW_MORE}")
        raise UsageError(f"{grid.size:,} points are too many to be kept{takes}{room}; {KEEP_LESS}, or {write}")
