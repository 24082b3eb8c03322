"""Where nodes of rows stand from left to right: near what they are linked to, and none over another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from costcalc.drawing.rows import Rows

PASSES = 60
ALONE, LANE, SHARED = 40.0, 60.0, 1.0  # weights of links: the only one of both ends, between lanes, others


class Extent(NamedTuple):
    """How far a node reaches to the left and right of where its wires are, with the room that it needs."""

    left: float
    right: float


class Pull(NamedTuple):
    """What draws a node: another one, and how strongly."""

    other: int
    weight: float


def places(rows: Rows, extents: Sequence[Extent], gap: float) -> list[float]:
    """The x of each node, lanes included."""
    pulls = _pulls(rows, len(extents))
    x = [0.0] * len(extents)
    for row in rows.rows:
        _settle(row, [0.0] * len(row), [1.0] * len(row), extents, gap, x)
    for number in range(PASSES):
        up = number % 2 == 1
        for row in reversed(rows.rows) if up else rows.rows:
            wanted, weights = [], []
            for node in row:
                near = pulls[node]
                weight = sum([pull.weight for pull in near])
                there = sum([pull.weight * x[pull.other] for pull in near])
                wanted.append(there / weight if weight else x[node])
                weights.append(weight or 0.01)
            _settle(row, wanted, weights, extents, gap, x)
    _straighten(rows, extents, gap, x)
    return [round(one, 1) for one in x]


def _pulls(rows: Rows, count: int) -> list[list[Pull]]:
    outs, ins = [0] * count, [0] * count
    for source, target in rows.links:
        outs[source] += 1
        ins[target] += 1
    pulls: list[list[Pull]] = [[] for _ in range(count)]
    for source, target in rows.links:
        lanes = (source >= rows.first_lane) + (target >= rows.first_lane)
        weight = LANE if lanes == 2 else ALONE if outs[source] == ins[target] == 1 else SHARED + lanes / 2
        pulls[source].append(Pull(target, weight))
        pulls[target].append(Pull(source, weight))
    return pulls


def _settle(
    row: Sequence[int], wanted: Sequence[float], weights: Sequence[float], extents: Sequence[Extent], gap: float,
    x: list[float],
) -> None:  # fmt: skip
    """Sets the places of a row as near to the wanted ones as the least distances allow, by weighted squares: nodes that
    would overlap are taken together at their mean, from left to right (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []  # mean of what its nodes want less their offsets, weight, how many
    offsets = [0.0]
    for left, right in itertools.pairwise(row):
        offsets.append(offsets[-1] + extents[left].right + gap + extents[right].left)
    for want, weight, offset in zip(wanted, weights, offsets):
        mean, total, many = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, heavy, more = pools.pop()
            mean = (mean * total + before * heavy) / (total + heavy)
            total, many = total + heavy, many + more
        pools.append((mean, total, many))
    at = 0
    for mean, _, many in pools:
        for _ in range(many):
            x[row[at]] = mean + offsets[at]
            at += 1


def _straighten(rows: Rows, extents: Sequence[Extent], gap: float, x: list[float]) -> None:
    """Puts nodes that are linked to nothing else exactly below each other where there is room."""
    beside = {}
    for row in rows.rows:
        for left, node, right in zip([None, *row[:-1]], row, [*row[1:], None]):
            beside[node] = left, right
    outs: dict[int, int] = {}
    ins: dict[int, int] = {}
    for source, target in rows.links:
        outs[source] = outs.get(source, 0) + 1
        ins[target] = ins.get(target, 0) + 1
    for source, target in rows.links:
        if outs[source] != 1 or ins[target] != 1:
            continue
        for moved, fixed in ((target, source), (source, target)):
            left, right = beside[moved]
            low = x[left] + extents[left].right + gap + extents[moved].left if left is not None else float("-inf")
            high = x[right] - extents[right].left - gap - extents[moved].right if right is not None else float("inf")
            if low <= x[fixed] <= high:
                x[moved] = x[fixed]
