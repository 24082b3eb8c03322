"""One chunk of a grid, worked out on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from costcalc.analysis.sweep.choice import Choice
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.histogram import counted
from costcalc.analysis.sweep.metrics import METRICS, with_looked_at
from costcalc.analysis.sweep.partition import Array, apart, axes_of_layers
from costcalc.analysis.sweep.points import Points, joined
from costcalc.analysis.sweep.state import USUAL_LIMIT, Limit, with_more
from costcalc.analysis.sweep.sums_cache import cached_sums
from costcalc.analysis.sweep.totals import Totals
from costcalc.dims.column import Column
from costcalc.errors import UsageError
from costcalc.spec.expressions import Expression
from costcalc.spec.network import Network
from costcalc.version import __version__

BLOCKS = 2**22, 2**18  # points whose layers are worked out together, and of these whose sums are
MOST_NUMBERS = 2**20  # that a cost of a layer may be in a block: 8 MB, and some thirty are held at once
ROWS, FILTERED = (2**18, 2**18), (2**20, 2**18)  # where all rows, or those that meet a condition, go to a file: 20 MB
Render = Callable[[Points], bytes]


@dataclass(frozen=True)
class Job:
    """What is asked of every chunk of a grid. It is small and plain: processes and other machines are sent it."""

    net: Network
    choice: Choice
    metrics: tuple[str, ...] = METRICS
    histogram: str | None = None  # a metric of which no points are kept, only how many there are of each size
    render: Render | None = None  # makes rows of a file of the points, which are then not kept either
    points: tuple[int, int] = BLOCKS
    limit: Limit = USUAL_LIMIT
    version: str = __version__


@dataclass(frozen=True)
class Part:
    """What one chunk came to."""

    size: int  # points of the chunk
    points: Points  # that were kept
    invalid: int  # points at which there is no such network
    reason: str  # what is wrong at the first of them
    refused: int  # points that the condition left out
    counts: Mapping[int, int] = field(default_factory=dict)  # points by the lower edges of a histogram
    rows: int = 0  # in `piece`, of a file
    piece: bytes = b""


def blocks_for(net: Network, grid: Grid) -> tuple[int, int]:
    """Points of chunks and of blocks within them: `BLOCKS`, or fewer where costs of layers would take too much room, as
    those that stretch along all axes do."""
    points, within = BLOCKS
    if grid.size > MOST_NUMBERS:
        along = axes_of_layers(net, next(grid.blocks(points)))  # of a chunk: a condition may be another in the next
        while prod(n for n, stretches in zip(next(grid.blocks(points)).shape, along) if stretches) > MOST_NUMBERS:
            points //= 2
    return points, within


def work(job: Job, chunk: Grid) -> Part:
    """What a chunk comes to: the network at its points, of which those are kept that were asked for.

    Raises UsageError where another costcalc works than asked, and if more is kept than there is room for.
    """
    if job.version != __version__:
        raise UsageError(f"this is costcalc {job.version}, and a worker has {__version__}; install the same there")
    found = cached_sums(job.net, chunk, with_looked_at(job.metrics, job.choice.names.difference(job.net.spec.knobs)))
    parts: list[Points] = []
    invalid = refused = 0
    counts: Counter[int] = Counter()
    limit = job.limit if job.render is None else None
    for block in chunk.blocks(job.points[1]):
        points, impossible, unmet = _met(found.at(block), job.choice.where, job.net.knobs)
        if job.histogram:
            counts.update(counted(points.columns[job.histogram]))
            points = points.only(slice(0))
        parts = with_more(parts, job.choice.of(points), job.choice, limit)
        invalid, refused = invalid + impossible, refused + unmet
    kept = joined(parts) if len(parts) > 1 else parts[0]
    if job.render is None:
        return Part(chunk.size, kept, invalid, found.reason, refused, counts)
    piece = job.render(kept.of((*chunk.axes, *job.metrics)))
    return Part(chunk.size, kept.only(slice(0)), invalid, found.reason, refused, counts, len(kept), piece)


def _met(found: Totals, where: Expression | None, knobs: Mapping[str, Any]) -> tuple[Points, int, int]:
    """The points of a block that meet a condition; at how many there are no networks, and how many do not meet it."""
    points = Points({name: found.flat(name) for name in (*found.block.axes, *found.values)})
    holding = found.holding()
    meets = holding & _meets(where, found, knobs) if where else holding
    impossible, unmet = int((~holding).sum()), int((holding & ~meets).sum())
    return points.only(meets) if impossible or unmet else points, impossible, unmet


def _meets(where: Expression, found: Totals, knobs: Mapping[str, Any]) -> Any:
    """At which points of a block a condition holds, in order."""
    reads_kinds = where.names & {*found.block.axes} - {*found.block.numbers}

    def ask(part: Grid, at: tuple[Array, ...]) -> Any:
        read = {name: values for name, values in found.values.items() if name in where.names}
        metrics = {name: Column(values if part is found.block else _cut(values, at)) for name, values in read.items()}
        swept = {name: part.column(name) for name in part.numbers}
        return where.held({**knobs, **metrics, **swept, **(part.kinds if reads_kinds else {})})

    parts = apart(found.block, ask)
    if len(parts) == 1:
        return np.broadcast_to(parts[0].answer, found.block.shape).ravel()
    meets = np.empty(found.block.shape, bool)
    for part in parts:
        meets[np.ix_(*part.at)] = part.answer
    return meets.ravel()


def _cut(values: Array, at: tuple[Array, ...]) -> Array:
    """Of an array that stretches along the axes of a block what is at some of its values."""
    return values[np.ix_(*[few if n > 1 else [0] for n, few in zip(values.shape, at)])]
