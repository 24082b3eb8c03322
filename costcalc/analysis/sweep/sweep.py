"""A network at every point of a grid, chunk by chunk, keeping what was asked for.

sweep_net(costcalc.load("efficientnet"), {"r": (224, 240), "w": (1, 2)}, where="macs <= 1e9").table()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import dropwhile
from typing import Any

import numpy as np

from costcalc.analysis.sweep.choice import Choice, read_choice, read_where
from costcalc.analysis.sweep.chunks import Job, Part, blocks_for, work
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.histogram import Histogram, binned
from costcalc.analysis.sweep.measured import Lookup, check_few, check_lookup, looked_up
from costcalc.analysis.sweep.metrics import COUNTED, METRICS, SUMMED, read_metrics
from costcalc.analysis.sweep.points import Points
from costcalc.analysis.sweep.progress import Pace, Progress, silent
from costcalc.analysis.sweep.state import LESS, MORE, USUAL_LIMIT, Limit, State
from costcalc.analysis.sweep.sweep_result import Sweep, counts_in_words
from costcalc.chart import short
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.spec.network import Network
from costcalc.text import HOUR, knobs_note, time_text
from costcalc.workers.worker_pool import WorkerPool, ordered_map

MOST_SEEN = 10**9  # points that a condition alone may choose from
POINTS_PER_SECOND = 4_000_000  # with a choice among them and beside other work, so that an estimate is no promise
NUMBER_BYTES = 8
MOST_PIECES = 16  # of a file that wait for their turn in memory


def sweep_net(
    net: Network,
    axes: Mapping[str, tuple[Any, ...]],
    *,
    metrics: Sequence[str] | str | None = None,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    seconds: Lookup | None = None,
    pool: WorkerPool | None = None,
    progress: Progress = silent,
    limit: Limit = USUAL_LIMIT,
) -> Sweep:
    """The network at every point of a grid, of which those are kept that were asked for; worked out here, or by a pool.

    Raises UnknownName, SpecError and UsageError for what cannot be asked, UsageError for a grid too large to be kept,
    ShapeError if no point of it is possible.
    """
    grid = grid_of(net, axes)
    choice = read_choice(net.spec.knobs, [*axes], where=where, pareto=pareto, top=top, by=by)
    shown = read_metrics(metrics)
    if "seconds" in shown:
        check_lookup(seconds)
    counted = [name for name in shown if name in COUNTED]
    found = sweep(net, grid, choice, metrics=counted, pool=pool, progress=progress, limit=limit)
    return found if len(counted) == len(shown) else _timed(found, shown, seconds, progress)


def _timed(found: Sweep, shown: tuple[str, ...], lookup: Lookup | None, progress: Progress) -> Sweep:
    """The same with the seconds of each point, where they are known."""
    check_few(len(found))
    knobs = ({name: point[name] for name in found.grid.axes} for point in found.to_records())
    nets = [found.net.at({**found.net.settings, **point}, found.net.label) for point in knobs]
    columns = {**found.points.columns, "seconds": np.array(looked_up(nets, lookup, progress), dtype=object)}
    points = Points(columns).of((*found.grid.axes, *shown))
    return replace(found, points=points, metrics=shown)


def grid_of(net: Network, axes: Mapping[str, tuple[Any, ...]]) -> Grid:
    """The grid that axes span. Raises UsageError for none, and for a network with letters in its other knobs."""
    if not axes:
        raise UsageError("nothing to sweep over: give a knob some values, as in r=128:512:32")
    net.needs_numbers("sweep", but=axes)
    return Grid(dict(axes))


def sweep(
    net: Network, grid: Grid, choice: Choice, *, metrics: Sequence[str] = METRICS,
    points: tuple[int, int] | None = None, pool: WorkerPool | None = None, progress: Progress = silent,
    limit: Limit = USUAL_LIMIT,
) -> Sweep:  # fmt: skip
    """The same from what was read, in chunks of so many `points`, and blocks of so many within them."""
    _refuse_if_too_large(grid, choice, metrics, limit)
    job = Job(net, choice, tuple(metrics), points=points or blocks_for(net, grid), limit=limit)
    return sweep_of(job, grid, finished(job, grid, pool, progress))


def sweep_of(job: Job, grid: Grid, state: State) -> Sweep:
    """The sweep that a state of the whole grid is."""
    choice = job.choice
    assert state.points is not None
    shown = choice.last(state.points).of((*grid.axes, *job.metrics))
    return Sweep(
        job.net, grid, shown, state.invalid, state.reason, state.refused, choice.in_words(), job.metrics, choice
    )


def histogram_net(
    net: Network,
    axes: Mapping[str, tuple[Any, ...]],
    metric: str,
    *,
    where: str | None = None,
    pool: WorkerPool | None = None,
    progress: Progress = silent,
    points: tuple[int, int] | None = None,
) -> Histogram:
    """How many points of a grid that meet a condition there are of each size of a metric. Raises as `sweep_net`."""
    if metric not in SUMMED:
        raise UnknownName(unknown("metric", metric, SUMMED))
    grid, choice = grid_of(net, axes), Choice(None if where is None else read_where(where, net.spec.knobs))
    job = Job(net, choice, (metric,), metric, points=points or blocks_for(net, grid))
    state = finished(job, grid, pool, progress)
    every = sum(state.counts.values())
    counts = counts_in_words(every, grid, state.invalid, state.reason, state.refused, choice.in_words())
    return Histogram(net.label, metric, binned(state.counts), (*counts, *knobs_note(net.knobs_but(grid.axes))))


def finished(job: Job, grid: Grid, pool: WorkerPool | None, progress: Progress) -> State:
    """What all chunks come to. Raises ShapeError if no point of the grid is possible."""
    state = State()
    for part in parts(job, grid, pool, progress):
        state.add(part, job.choice, job.limit)
    return state.whole(grid.size)


def parts(job: Job, grid: Grid, pool: WorkerPool | None, progress: Progress, done: int = 0) -> Iterator[Part]:
    """What each chunk comes to, in the grid's order, after so many points that are done."""
    pace = Pace(grid.size, done, progress)
    chunks = dropwhile(lambda chunk: chunk.start < done, grid.blocks(job.points[0]))
    window = MOST_PIECES if job.render else None
    for part in ordered_map(pool, partial(work, job), chunks, window):
        pace.more(part.size)
        yield part


def _refuse_if_too_large(grid: Grid, choice: Choice, metrics: Sequence[str], limit: Limit) -> None:
    if choice.reduces or (choice.where and grid.size <= MOST_SEEN):  # what a condition keeps is seen as it is kept
        return
    nbytes = grid.size * (sum(grid.array(name).itemsize for name in grid.axes) + NUMBER_BYTES * len(metrics))
    rows = limit.points is not None and grid.size > limit.points
    if rows or choice.where or nbytes > limit.bytes:
        seconds = grid.size / POINTS_PER_SECOND
        takes = f", and about {time_text(seconds)} of work" if seconds >= HOUR else ""
        room, more = ("", "") if rows else (f": {short(nbytes)}B, where {short(limit.bytes)}B are kept", f", or {MORE}")
        raise UsageError(
            f"{grid.size:,} points are too many to be kept{takes}{room}; {LESS}, or write all with -o FILE.csv or "
            f".parquet{more}"
        )
