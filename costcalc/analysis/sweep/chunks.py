"""One chunk of a grid, computed on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from costcalc.analysis.metrics import USUAL, with_looked_at
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

# Points of a chunk, whose layers are computed together, and of the blocks in it, whose sums are.
POINTS = 2**22, 2**18
POINTS_OF_ALL_ROWS = 2**18, 2**18  # where every point becomes a row of a file: 20 MB of text
POINTS_OF_SOME_ROWS = 2**20, 2**18  # where those that meet a condition do
MAX_CHUNK_POINTS = 2**24  # of the largest grids, which have `MIN_CHUNKS` chunks even so
MIN_CHUNKS = 64
MAX_NUMBERS_OF_A_COST = 2**20  # of a layer in a chunk: 8 MB, and some thirty costs are held at once
Render = Callable[[Points], bytes]


@dataclass(frozen=True)
class ChunkTask:
    """The task of every chunk of a grid. It is small and picklable, because it is sent to processes and machines."""

    model: Model
    query: PointQuery
    metrics: tuple[str, ...] = USUAL
    histogram: str | None = None  # a metric: counts points by its value and keeps no points
    render: Render | None = None  # makes rows of a file from the points and keeps no points
    points: tuple[int, int] = POINTS
    limit: Limit = USUAL_LIMIT
    version: str = __version__


def points_for(model: Model, grid: Grid) -> tuple[int, int]:
    """Points of a chunk and of a block: `POINTS`; more for the largest grids, as each chunk asks the rules once; fewer
    where costs of layers would take too much memory, as those that stretch along all axes do."""
    points, within = POINTS
    points = max(points, min(MAX_CHUNK_POINTS, grid.size // MIN_CHUNKS))
    if grid.size > MAX_NUMBERS_OF_A_COST:
        along = layer_axes(model, next(grid.blocks(POINTS[0])))  # a condition may differ in later chunks
        while _numbers_of_a_cost(next(grid.blocks(points)), along) > MAX_NUMBERS_OF_A_COST:
            points //= 2
    return points, within


def _numbers_of_a_cost(chunk: Grid, along: tuple[bool, ...]) -> int:
    return prod(n for n, stretches in zip(chunk.shape, along) if stretches)


def compute_chunk(task: ChunkTask, chunk: Grid) -> ChunkResult:
    """Counts the network at the points of a chunk, and keeps the points that `task.query` asks for.

    Raises UsageError where a worker has another costcalc, and if more points are kept than there is memory for.
    """
    if task.version != __version__:
        raise UsageError(f"this is costcalc {task.version}, and a worker has {__version__}; install the same there")
    names = task.query.names.difference(task.model.knobs)
    sums = cached_sums(task.model, chunk, with_looked_at(task.metrics, names))
    parts: list[Points] = []
    invalid = refused = 0
    counts: Counter[int] = Counter()
    limit = task.limit if task.render is None else None
    for block in chunk.blocks(task.points[1]):
        points, impossible, unmet = _met(sums.at(block), task.query.where, task.model.values)
        if task.histogram:
            counts.update(count_by_leading_digits(points.columns[task.histogram]))
            points = points.only(slice(0))
        parts = merged(parts, task.query.of(points), task.query, limit)
        invalid, refused = invalid + impossible, refused + unmet
    kept = concatenate(parts) if len(parts) > 1 else parts[0]
    if task.render is None:
        return ChunkResult(chunk.size, kept, invalid, sums.reason, refused, counts)
    piece = task.render(kept.of((*chunk.axes, *task.metrics)))
    return ChunkResult(chunk.size, kept.only(slice(0)), invalid, sums.reason, refused, counts, len(kept), piece)


def _met(totals: Totals, where: Expression | None, knobs: Mapping[str, Any]) -> tuple[Points, int, int]:
    """The points of a block that meet a condition, the number of invalid points, and the number that do not meet it."""
    points = Points({name: totals.flat(name) for name in (*totals.block.axes, *totals.values)})
    holding = totals.holding()
    meets = holding & _meets(where, totals, knobs) if where else holding
    impossible, unmet = int((~holding).sum()), int((holding & ~meets).sum())
    return points.only(meets) if impossible or unmet else points, impossible, unmet


def _meets(where: Expression, totals: Totals, knobs: Mapping[str, Any]) -> Any:
    """A bool array: at which points of a block, in order, a condition holds."""
    reads_kinds = where.names & {*totals.block.axes} - {*totals.block.numbers}

    def ask(part: Grid, at: tuple[Array, ...]) -> Any:
        read = {name: values for name, values in totals.values.items() if name in where.names}
        metrics = {
            name: ExactArray(values if part is totals.block else _at(values, at)) for name, values in read.items()
        }
        swept = {name: part.column(name) for name in part.numbers}
        return where.held({**knobs, **metrics, **swept, **(part.kinds if reads_kinds else {})})

    parts = partition(totals.block, ask)
    if len(parts) == 1:
        return np.broadcast_to(parts[0].answer, totals.block.shape).ravel()
    meets = np.empty(totals.block.shape, bool)
    for part in parts:
        meets[np.ix_(*part.at)] = part.answer
    return meets.ravel()


def _at(values: Array, at: tuple[Array, ...]) -> Array:
    """An array that stretches along the axes of a block, at some values of each axis."""
    return values[np.ix_(*[few if n > 1 else [0] for n, few in zip(values.shape, at)])]
