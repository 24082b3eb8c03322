"""Where nodes of rows stand from left to right: near what they are linked to, and none over another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from costcalc.drawing.rows import Rows
from costcalc.drawing.straight_chains import Chain, straight_chains

PASSES, STRAIGHTENING_PASSES = 60, 30
MIN_BRANCHES = 3  # into one node
ALONE, LANE, SHARED = 40.0, 60.0, 1.0  # weights of links: of a chain, between lanes, others

MAX_LANE_DRIFT = 0.2  # px: lanes of one wire that differ by no more stand below each other
BOX_CHAIN, LANE_CHAIN = 10_000.0, 1.0  # weights in the last passes: of a chain with boxes, of one of lanes alone


class Extent(NamedTuple):
    """How far a node reaches to the left and right of where its wires are, with the room that it needs."""

    left: float
    right: float


class Pull(NamedTuple):
    """What draws a node: another one, and how strongly."""

    other: int
    weight: float


def x_positions(
    rows: Rows, extents: Sequence[Extent], gap: float, ports: tuple[int, int] | None = None
) -> list[float]:  # fmt: skip
    """The x of each node, lanes included. `ports` are the only way in and the only way out, which are to be in line."""
    chains = straight_chains(rows, len(extents), ports)
    chain_of = {node: chain for chain in chains for node in chain}
    room = _shared_room(extents, chains)
    pulls = _pulls(rows, len(extents), chain_of)
    x = [0.0] * len(extents)
    for row in rows.rows:
        _settle(row, [0.0] * len(row), [1.0] * len(row), room, gap, x)
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
            _settle(row, wanted, weights, room, gap, x)
    _straighten(rows, room, gap, chain_of, x)
    _compact(rows, extents, gap, x)
    return [round(one, 1) for one in x]


def _shared_room(extents: Sequence[Extent], chains: Sequence[Chain]) -> list[Extent]:
    """The room of each node: in a straight chain that of the widest, so that no row pushes a part of it aside."""
    room = [*extents]
    for chain in chains:
        widest = Extent(max(extents[node].left for node in chain), max(extents[node].right for node in chain))
        for node in chain:
            room[node] = widest
    return room


def _pulls(rows: Rows, count: int, chain_of: Mapping[int, Chain]) -> list[list[Pull]]:
    pulls: list[list[Pull]] = [[] for _ in range(count)]
    ins = Counter(target for _, target in rows.links)
    for source, target in rows.links:
        lanes = (source >= rows.first_lane) + (target >= rows.first_lane)
        in_line = source in chain_of and chain_of[source] is chain_of.get(target)
        of_lane = 0.0 if ins[target] >= MIN_BRANCHES else lanes / 2  # many branches end in their middle
        weight = LANE if lanes == 2 else ALONE if in_line else SHARED + of_lane
        pulls[source].append(Pull(target, weight))
        pulls[target].append(Pull(source, weight))
    for chain in dict.fromkeys(chain_of.values()):
        for upper, lower in itertools.pairwise(chain):
            if lower not in {pull.other for pull in pulls[upper]}:  # the ports of a frame
                pulls[upper].append(Pull(lower, ALONE))
                pulls[lower].append(Pull(upper, ALONE))
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


def _straighten(
    rows: Rows, room: Sequence[Extent], gap: float, chain_of: Mapping[int, Chain], x: list[float]
) -> None:  # fmt: skip
    """Puts the nodes of each chain exactly below each other where there is room."""
    chains = [*dict.fromkeys(chain_of.values())]
    with_boxes = {node for chain in chains if min(chain) < rows.first_lane for node in chain}
    for _ in range(STRAIGHTENING_PASSES):
        means = {chain: round(sum([x[node] for node in chain]) / len(chain), 1) for chain in chains}
        for row in rows.rows:
            wanted = [means[chain_of[node]] if node in chain_of else x[node] for node in row]
            weights = [BOX_CHAIN if node in with_boxes else LANE_CHAIN if node in chain_of else 0.1 for node in row]
            _settle(row, wanted, weights, room, gap, x)


def _compact(rows: Rows, extents: Sequence[Extent], gap: float, x: list[float]) -> None:
    """Moves the lanes of long wires, and boxes with one wire, as close to the rest as the gaps allow."""
    place = {node: (row, at) for row in rows.rows for at, node in enumerate(row)}
    hanging = _hanging(rows)
    for side in (1, -1):
        for nodes, others in sorted(hanging, key=lambda one: side * x[one[0][0]]):
            now = [side * x[node] for node in nodes]
            nearest = max(side * x[other] for other in others)
            if min(now) <= nearest or max(now) - min(now) > MAX_LANE_DRIFT:
                continue
            for node in nodes:
                row, at = place[node]
                if 0 <= at - side < len(row):
                    beside, (left, right) = row[at - side], extents[node]
                    reach = extents[beside].right + left if side == 1 else extents[beside].left + right
                    nearest = max(nearest, side * x[beside] + reach + gap)
            for node in nodes:
                x[node] = side * min(now[0], nearest)


def _hanging(rows: Rows) -> list[tuple[list[int], list[int]]]:
    """The lanes of each long wire, with its ends; each box with one wire, with its other end."""
    found = [(chain[1:-1], [chain[0], chain[-1]]) for chain in rows.chains if len(chain) > 2]
    ends: dict[int, list[int]] = {}
    for chain in rows.chains:
        ends.setdefault(chain[0], []).append(chain[1])
        ends.setdefault(chain[-1], []).append(chain[-2])
    return found + [([node], others) for node, others in ends.items() if len(others) == 1]
