"""Nodes that stand exactly below each other: a trunk and its branches are straight where one wire goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from costcalc.drawing.rows import Rows

Chain: TypeAlias = tuple[int, ...]  # of nodes of different rows


def straight_chains(rows: Rows, count: int, ports: tuple[int, int] | None = None) -> list[Chain]:
    """The chains of `count` nodes. Wires that only pass a row do not break one; of two ways out the longer one goes on.
    `ports` are the only ones in and out of a frame, which are one chain if their rows differ."""
    below: list[list[int]] = [[] for _ in range(count)]
    above: list[list[int]] = [[] for _ in range(count)]
    for source, target in rows.links:
        below[source].append(target)
        above[target].append(source)
    height = _heights(rows, below)
    next_of: dict[int, int] = {}
    for node in range(count):
        straight = _goes_on(node, below[node], rows.first_lane, height)
        if straight is not None and _is_only_one(node, above, straight, rows):
            next_of[node] = straight
    return _joined(_walked(next_of, count), rows, ports)


def _heights(rows: Rows, below: Sequence[Sequence[int]]) -> dict[int, int]:
    """How many rows the longest way down from each node has."""
    height: dict[int, int] = {}
    for row in reversed(rows.rows):
        for node in row:
            height[node] = 1 + max([height[target] for target in below[node]], default=-1)
    return height


def _goes_on(node: int, targets: Sequence[int], first_lane: int, height: dict[int, int]) -> int | None:
    """The node that stands straight below; a lane only if all goes there."""
    if node >= first_lane or len(targets) == 1:
        return targets[0] if targets else None
    real = [target for target in targets if target < first_lane]
    if len(real) == 1:
        return real[0]
    if len(real) == 2 and height[real[0]] != height[real[1]]:
        return max(real, key=height.__getitem__)
    return None


def _is_only_one(node: int, above: Sequence[Sequence[int]], target: int, rows: Rows) -> bool:
    """Is `node` the only source of `target`? Ignores lanes if a box leads there, and nodes without a source if a wire
    comes from above."""
    top = {*rows.rows[0]}
    from_above = [source for source in above[target] if above[source] or source in top]
    sources = from_above or above[target]
    real = [source for source in sources if source < rows.first_lane]
    return node in sources and ([node] == sources or [node] == real)


def _walked(next_of: dict[int, int], count: int) -> list[list[int]]:
    inner = {*next_of.values()}
    chains = []
    for node in range(count):
        if node not in inner:
            chains.append([node])
            while chains[-1][-1] in next_of:
                chains[-1].append(next_of[chains[-1][-1]])
    return chains


def _joined(chains: list[list[int]], rows: Rows, ports: tuple[int, int] | None) -> list[Chain]:
    """The chains, with those of both ports as one if no row has nodes of both."""
    if ports is not None:
        first, last = (next(chain for chain in chains if port in chain) for port in ports)
        level = {node: at for at, row in enumerate(rows.rows) for node in row}
        if first is not last and {level[node] for node in first}.isdisjoint(level[node] for node in last):
            chains = [chain for chain in chains if chain is not first and chain is not last] + [first + last]
    return [tuple(chain) for chain in chains if len(chain) > 1]
