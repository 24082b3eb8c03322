"""One chunk of a grid, computed on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import compress
from math import prod
from typing import Any

import numpy as np

from costcalc.analysis.metric_names import with_metrics_in
from costcalc.analysis.metrics import USUAL
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.histogram import count_by_leading_digits
from costcalc.analysis.sweep.partition import Array, layer_axes, partition
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.points import Points, concatenate
from costcalc.analysis.sweep.state import USUAL_LIMIT, ChunkResult, Limit, merged
from costcalc.analysis.sweep.sums_cache import cached_sums
from costcalc.analysis.sweep.totals import Totals
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import UsageError
from costcalc.expressions import Expression
from costcalc.models.model import Model
from costcalc.version import __version__

BLOCK_POINTS = 2**18  # whose sums are computed together
CHUNK_POINTS = 2**22  # whose layers are computed together
CHUNK_POINTS_OF_ALL_ROWS = 2**18  # where every point becomes a row of a file: 20 MB of text
CHUNK_POINTS_OF_SOME_ROWS = 2**20  # where those that meet a condition do
MAX_CHUNK_POINTS = 2**24  # of the largest grids, which have `MIN_CHUNKS` chunks even so
MIN_CHUNKS = 64
MAX_COST_NUMBERS = 2**20  # of a layer's cost in a chunk: 8 MB, and some thirty costs are held at once
Render = Callable[[Points], bytes]


@dataclass(frozen=True)
class ChunkTask:
    """The task of every chunk of a grid. It is small and picklable, because it is sent to processes and machines."""

    model: Model
    query: PointQuery
    metrics: tuple[str, ...] = USUAL
    histogram: str | None = None  # the metric by whose value points are counted; none are kept
    render: Render | None = None  # makes rows of a file from the points; none are kept
    points: tuple[int, int] = (CHUNK_POINTS, BLOCK_POINTS)
    limit: Limit = USUAL_LIMIT
    version: str = __version__


def points_for(model: Model, grid: Grid) -> tuple[int, int]:
    """The points of a chunk and of a block in it. Chunks of the largest grids are larger, because the rules run once a
    chunk. They are smaller where a layer's costs, which may vary along all axes, would take too much memory."""
    points = max(CHUNK_POINTS, min(MAX_CHUNK_POINTS, grid.size // MIN_CHUNKS))
    if grid.size > MAX_COST_NUMBERS:
        along = layer_axes(model, next(grid.blocks(CHUNK_POINTS)))  # a condition may differ in later chunks
        while prod(compress(next(grid.blocks(points)).shape, along)) > MAX_COST_NUMBERS:
            points //= 2
    return points, BLOCK_POINTS


def compute_chunk(task: ChunkTask, chunk: Grid) -> ChunkResult:
    """Counts the network at the points of a chunk, and keeps the points that `task.query` asks for.

    Raises UsageError at a worker with another version of costcalc, and if the kept points exceed `task.limit`.
    """
    if task.version != __version__:
        raise UsageError(f"this is costcalc {task.version}, and a worker has {__version__}; install the same there")
    names = task.query.names.difference(task.model.knobs)
    sums = cached_sums(task.model, chunk, with_metrics_in(task.metrics, names))
    parts: list[Points] = []
    invalid = refused = 0
    counts: Counter[int] = Counter()
    limit = task.limit if task.render is None else None
    for block in chunk.blocks(task.points[1]):
        points, *left_out = _select(sums.at(block), task.query.where, task.model.values)
        if task.histogram:
            counts.update(count_by_leading_digits(points.columns[task.histogram]))
            points = points.take(slice(0))
        parts = merged(parts, task.query.of(points), task.query, limit)
        invalid, refused = invalid + left_out[0], refused + left_out[1]
    kept = concatenate(parts) if len(parts) > 1 else parts[0]
    if task.render is None:
        return ChunkResult(chunk.size, kept, invalid, sums.reason, refused, counts)
    piece = task.render(kept.select((*chunk.axes, *task.metrics)))
    return ChunkResult(chunk.size, kept.take(slice(0)), invalid, sums.reason, refused, counts, len(kept), piece)


def _select(totals: Totals, where: Expression | None, knobs: Mapping[str, Any]) -> tuple[Points, int, int]:
    """The valid points of a block that meet a condition, the number of invalid points, and the number of others."""
    points = Points({name: totals.flat(name) for name in (*totals.block.axes, *totals.values)})
    valid = totals.flat_valid()
    meets = valid & _meets(where, totals, knobs) if where else valid
    invalid, refused = int((~valid).sum()), int((valid & ~meets).sum())
    return points.take(meets) if invalid or refused else points, invalid, refused


def _meets(where: Expression, totals: Totals, knobs: Mapping[str, Any]) -> Any:
    """At which points of a block a condition holds, as a flat array of bools."""
    reads_kinds = where.names & {*totals.block.axes} - {*totals.block.numbers}

    def ask(part: Grid, at: tuple[Array, ...]) -> Any:
        metrics = {
            name: ExactArray(values if part is totals.block else _at(values, at))
            for name, values in totals.values.items()
            if name in where.names
        }
        swept = {name: part.column(name) for name in part.numbers}
        return where.mask({**knobs, **metrics, **swept, **(part.kinds if reads_kinds else {})})

    parts = partition(totals.block, ask)
    if len(parts) == 1:
        return np.broadcast_to(parts[0].answer, totals.block.shape).ravel()
    meets = np.empty(totals.block.shape, bool)
    for part in parts:
        meets[np.ix_(*part.at)] = part.answer
    return meets.ravel()


def _at(values: Array, at: tuple[Array, ...]) -> Array:
    """Some values of each axis of an array; an axis of length 1 is broadcast."""
    return values[np.ix_(*[few if n > 1 else [0] for n, few in zip(values.shape, at)])]
