"""Boxes of one frame in rows: each as low as the longest path to it, those of a row in an order with few crossings."""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MAX_SWEEPS = 8  # through all rows, while wires cross
Link = tuple[int, int]  # the numbers of two nodes, the upper one first


class Rows(NamedTuple):
    """The nodes in rows from above, each row from left to right, and the links between neighbouring rows. Nodes from
    `first_lane` on are lanes: where a link passes a row. `chains` has the way of each given link through its lanes."""

    rows: list[list[int]]
    links: list[Link]
    chains: list[list[int]]
    first_lane: int


def in_rows(
    count: int, links: Sequence[Link], first: Sequence[int] = (), last: Sequence[int] = (),
    isolated: Sequence[Sequence[int]] = (),
) -> Rows:  # fmt: skip
    """Nodes 0 to `count` - 1 in rows; their numbers are their order in the network. `first` are all in the first row,
    which then has no others, `last` in the last. Links, of which several may be alike, have no cycle. `isolated` are
    rows of nodes without links, which stand below all others."""
    level = _levels(count, links, first, last)
    alone = {node for row in isolated for node in row}
    below = max([level[node] for node in range(count) if node not in alone], default=-1) + 1
    for at, row in enumerate(isolated):
        for node in row:
            level[node] = below + at
    rows: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    keys: dict[int, tuple[float, float]] = {node: (node, 0) for node in range(count)}
    keys |= {node: (count + at, 0) for at, node in enumerate(last)}
    for node in range(count):
        rows[level[node]].append(node)
    short, chains = _with_lanes(links, level, rows, keys, count)
    for row in rows:
        row.sort(key=keys.__getitem__)
    return Rows(_uncrossed(rows, short), short, chains, count)


def _levels(count: int, links: Sequence[Link], first: Sequence[int], last: Sequence[int]) -> list[int]:
    """The row of each node: the longest path to it; one that reads nothing stands just above what reads it."""
    after: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for source, target in links:
        after[source].append(target)
        waits[target] += 1
    begins = [not waiting for waiting in waits]
    level = [int(bool(first) and node not in {*first}) for node in range(count)]
    ready = [node for node in range(count) if not waits[node]]
    while ready:
        node = ready.pop()
        for target in after[node]:
            level[target] = max(level[target], level[node] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    if last:
        lowest = max([level[node] for node in range(count) if node not in {*last}], default=-1)
        for node in last:
            level[node] = lowest + 1
    for node in range(count):
        if begins[node] and node not in {*first} and after[node]:
            level[node] = max(level[node], min(level[target] for target in after[node]) - 1)
    return level


def _with_lanes(
    links: Sequence[Link], level: list[int], rows: list[list[int]], keys: dict[int, tuple[float, float]], count: int
) -> tuple[list[Link], list[list[int]]]:
    """Links between neighbouring rows: a long one passes a lane of its own in each row between. A lane begins where its
    target stands in the order, so that a shortcut passes right of what it goes around."""
    short: list[Link] = []
    chains: list[list[int]] = []
    lane = count
    for source, target in links:
        chain = [source]
        for at in range(level[source] + 1, level[target]):
            keys[lane] = keys[target][0], keys[source][0]
            rows[at].append(lane)
            chain.append(lane)
            lane += 1
        chains.append([*chain, target])
        short += [*zip(chain, [*chain[1:], target])]
    return list(dict.fromkeys(short)), chains


def _uncrossed(rows: list[list[int]], links: Sequence[Link]) -> list[list[int]]:
    """The rows in the order with the fewest crossings that sweeps down and up find. Nodes stay as they are unless that
    takes a crossing away."""
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for source, target in links:
        below.setdefault(source, []).append(target)
        above.setdefault(target, []).append(source)
    best, fewest = rows, _crossings(rows, below)
    now = [list(row) for row in rows]
    for sweep in range(MAX_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        near, order = (above, range(1, len(now))) if downwards else (below, range(len(now) - 2, -1, -1))
        for at in order:
            place = {node: x for x, node in enumerate(now[at - 1 if downwards else at + 1])}
            now[at] = _by_neighbours(now[at], near, place)
        crossings = _crossings(now, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in now], crossings
    return best


def _by_neighbours(row: list[int], near: Mapping[int, list[int]], place: Mapping[int, int]) -> list[int]:
    """A row by the mean place of neighbours; a node without one stays behind the node before it."""
    means: list[tuple[float, int]] = []
    last = -1.0
    for at, node in enumerate(row):
        places = [place[other] for other in near.get(node, ()) if other in place]
        last = sum(places) / len(places) if places else last
        means.append((last, at))
    return [row[at] for _, at in sorted(means)]


def _crossings(rows: Sequence[Sequence[int]], below: Mapping[int, list[int]]) -> int:
    return sum(crossings_between(upper, lower, below) for upper, lower in itertools.pairwise(rows))


def crossings_between(upper: Sequence[int], lower: Sequence[int], below: Mapping[int, list[int]]) -> int:
    """How often links between two rows cross."""
    place = {node: x for x, node in enumerate(lower)}
    seen: list[int] = []
    crossings = 0
    for node in upper:
        ends = sorted(place[target] for target in below.get(node, ()) if target in place)
        crossings += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
        for end in ends:
            insort(seen, end)
    return crossings
