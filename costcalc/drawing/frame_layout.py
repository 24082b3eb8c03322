"""One frame: its members in rows, and the wires between them. Places are relative to its left upper corner."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from typing import NamedTuple

from costcalc.drawing.drawing import Point
from costcalc.drawing.rows import in_rows
from costcalc.drawing.sketch import HEADING_SIZE
from costcalc.drawing.text_widths import text_width
from costcalc.drawing.wiring import STEM, TRACK, Run, ends_at, gap_height, tracks
from costcalc.drawing.x_positions import Extent, x_positions

GAP = 22.0  # px between boxes of a row
LANE = 5.0  # px to each side of a wire that passes a row
INSET, HEADING = 12.0, 20.0  # px between a frame and what is in it; height of its heading
LOOSE_WIDTH = 300.0  # px, of a row of members without wires
SHORT_STEM = 6.0  # px straight down where there are no labels
NO_PORTS: Mapping[str, float] = {}


class Member(NamedTuple):
    """A box or a frame inside: its size, the room that the label below it needs to the right of its middle, and of a
    frame the x of what goes in and out, by its source."""

    name: str
    width: float
    height: float
    label_room: float = 0.0
    ins: Mapping[str, float] = NO_PORTS
    outs: Mapping[str, float] = NO_PORTS

    @property
    def axis(self) -> float:
        """The x that stands in line with what is above and below: of a frame that of its only way in or out."""
        only = next((ways for ways in (self.ins, self.outs) if len(ways) == 1), {})
        return next(iter(only.values()), self.width / 2)

    @property
    def extent(self) -> Extent:
        """From the axis to both sides, with room for the label."""
        return Extent(self.axis, max(self.width - self.axis, self.label_room))


class Link(NamedTuple):
    """A wire in one frame, from a member or from outside (None) to a member or outside, and the box that it is of."""

    begin: str | None
    end: str | None
    source: str


class Hop(NamedTuple):
    """A part of a wire between two rows: from x to x, on a track; -1 is straight down."""

    row: int
    begin: float
    end: float
    track: int


class FrameLayout:
    """A frame that is laid out: `width`, `height`, `corners` of members, `ins` and `outs`: the x of wires that come in
    and go out, by their source. Without a `heading` it is the whole drawing, which has no edge."""

    def __init__(self, heading: str | None, members: Sequence[Member], links: Sequence[Link]):
        self.heading, self.members, self.links = heading, members, links
        self.sources_in = [*dict.fromkeys(link.source for link in links if link.begin is None)]
        self.sources_out = [*dict.fromkeys(link.source for link in links if link.end is None)]
        self._number()
        ends = self._ends()
        self.loose = [] if self.last else self._loose({node for pair in ends for node in pair})
        self.rows = in_rows(self.count, ends, self.first, self.last, self.loose)
        self.nodes = sum(map(len, self.rows.rows))
        self.level = {node: row for row, nodes in enumerate(self.rows.rows) for node in nodes}
        self._spread()
        self._wire()
        self._stack()

    def _number(self) -> None:
        """Nodes are what comes in, the members, what goes out; behind these are lanes."""
        ins, many = len(self.sources_in), len(self.members)
        self.first = [*range(ins)]
        self.last = [*range(ins + many, ins + many + len(self.sources_out))]
        self.count = ins + many + len(self.sources_out)
        self.node_of = {member.name: ins + at for at, member in enumerate(self.members)}
        self.member_at = {ins + at: member for at, member in enumerate(self.members)}

    def _ends(self) -> list[tuple[int, int]]:
        into = dict(zip(self.sources_in, self.first))
        out = dict(zip(self.sources_out, self.last))
        return [
            (
                into[link.source] if link.begin is None else self.node_of[link.begin],
                out[link.source] if link.end is None else self.node_of[link.end],
            )
            for link in self.links
        ]

    def _loose(self, linked: Set[int]) -> list[list[int]]:
        """Rows of the members without a wire, which stand below all others: no row is wider than the widest of them or
        about two boxes."""
        loose = [node for node in self.member_at if node not in linked]
        most = max([LOOSE_WIDTH, *(self.member_at[node].width for node in loose)])
        rows: list[list[int]] = []
        width = most
        for node in loose:
            width += GAP + self.member_at[node].width
            if width > most:
                rows.append([])
                width = self.member_at[node].width
            rows[-1].append(node)
        return rows

    def _spread(self) -> None:
        """Places nodes from left to right, and the edges around them."""
        lane = Extent(LANE, LANE)
        self.extents = [self.member_at[node].extent if node in self.member_at else lane for node in range(self.nodes)]
        is_narrow = self.heading is not None and len(self.first) == len(self.last) == 1
        self.x = x_positions(self.rows, self.extents, GAP, (self.first[0], self.last[0]) if is_narrow else None)
        self._centre_loose()
        self._align_ports()
        self.left = min([x - extent.left for x, extent in zip(self.x, self.extents)], default=0.0)
        self.right = max([x + extent.right for x, extent in zip(self.x, self.extents)], default=0.0)
        if self.heading is not None:
            self._frame()

    def _centre_loose(self) -> None:
        """Moves the rows of members without wires below the middle of the row above them."""
        above = self.rows.rows[: len(self.rows.rows) - len(self.loose)]
        if not above:
            return
        for row in self.loose:
            shift = round(self._middle(above[-1]) - self._middle(row), 1)
            for node in row:
                self.x[node] += shift

    def _middle(self, row: Sequence[int]) -> float:
        left = min(self.x[node] - self.extents[node].left for node in row)
        return (left + max(self.x[node] + self.extents[node].right for node in row)) / 2

    def _align_ports(self) -> None:
        """Moves what comes in from outside to where it enters a box of the first row, if it goes nowhere else."""
        links = [*zip(self.links, self.rows.chains)]
        ends = self._arrivals([self._leaves(link, chain[0]) for link, chain in links])
        ways = {node: [at for at, (_, chain) in enumerate(links) if chain[0] == node] for node in self.first}
        there = {
            node: ends[ats[0]] if len(ats) == 1 and len(links[ats[0]][1]) == 2 else self.x[node]
            for node, ats in ways.items()
        }
        row = self.rows.rows[0]
        if len(self.first) > 1 and all(there[b] - there[a] >= 2 * LANE for a, b in itertools.pairwise(row)):
            for node in self.first:
                self.x[node] = there[node]

    def _frame(self) -> None:
        """Room around the members, and for the heading left of what comes in; one wire in and one out are in line."""
        heading = text_width(self.heading or "", HEADING_SIZE) + 16
        if len(self.first) == len(self.last) == 1:
            line = (self.x[self.first[0]] + self.x[self.last[0]]) / 2
            self.x[self.first[0]] = self.x[self.last[0]] = round(line, 1)
        self.left = min([self.left - INSET, *(self.x[node] - heading for node in self.first)])
        self.right = max(self.right + INSET, self.left + heading + 8)

    def _wire(self) -> None:
        """The hops of each link, and the tracks of each gap."""
        begins = [self._leaves(link, chain[0]) for link, chain in zip(self.links, self.rows.chains)]
        ends = self._arrivals(begins)
        runs: list[list[Run]] = [[] for _ in self.rows.rows]
        index: list[list[tuple[int, int]]] = []
        for link, chain, begin, end in zip(self.links, self.rows.chains, begins, ends):
            stops = [begin, *(self.x[node] for node in chain[1:-1]), end]
            index.append([])
            for node, start, stop in zip(chain, stops, stops[1:]):
                row = self.level[node]
                index[-1].append((row, len(runs[row])))
                runs[row].append(Run(start, stop, link.source))
        self.tracks = [tracks(those) for those in runs]
        self.hops = {
            link: [Hop(row, runs[row][at].begin, runs[row][at].end, self.tracks[row][at]) for row, at in those]
            for link, those in zip(self.links, index)
        }

    def _leaves(self, link: Link, node: int) -> float:
        """The x where a wire begins."""
        member = self.member_at.get(node)
        if member is None or not member.outs:
            return self.x[node]
        return round(self.x[node] - member.axis + member.outs[link.source], 1)

    def _arrivals(self, begins: Sequence[float]) -> list[float]:
        """The x where each wire ends."""
        chains = self.rows.chains
        arriving: dict[int, list[int]] = {}
        for at, chain in enumerate(chains):
            arriving.setdefault(chain[-1], []).append(at)
        ends = [0.0] * len(chains)
        for node, those in arriving.items():
            comes = [self.x[chains[at][-2]] if len(chains[at]) > 2 else begins[at] for at in those]
            member = self.member_at.get(node)
            if member is None:
                there = [self.x[node]] * len(those)
            elif member.ins:
                there = [round(self.x[node] - member.axis + member.ins[self.links[at].source], 1) for at in those]
            else:
                there = ends_at(member.width, self.x[node], comes)
            for at, end in zip(those, there):
                ends[at] = end
        return ends

    def _stack(self) -> None:
        """Places rows from above."""
        at = HEADING if self.heading is not None and not self.first else 0.0
        self.tops, self.bottoms, self.stems = list[float](), list[float](), list[float]()
        for row, nodes in enumerate(self.rows.rows):
            self.tops.append(at)
            at += max([self.member_at[node].height for node in nodes if node in self.member_at], default=0.0)
            self.bottoms.append(at)
            self.stems.append(self._stem(nodes) if row or not self._meets_heading() else HEADING)
            if row < len(self.rows.rows) - 1:
                gap = gap_height(self.tracks[row], self.stems[row])
                at += max(gap, HEADING + 4) if row == 0 and self.first else gap
        self.height = round(at + (INSET if self.heading is not None and not self.last else 0.0), 1)
        self.width = round(self.right - self.left, 1)

    def _meets_heading(self) -> bool:
        """Does a level piece of a wire that comes in stand where the heading does?"""
        if self.heading is None or not self.first:
            return False
        hops = [hop for hops in self.hops.values() for hop in hops if hop.row == 0 and hop.track >= 0]
        right = self.left + text_width(self.heading, HEADING_SIZE) + 12
        return any(min(hop.begin, hop.end) < right for hop in hops)

    def _stem(self, nodes: Sequence[int]) -> float:
        """How far wires go straight down below a row: past its labels."""
        members = [self.member_at[node] for node in nodes if node in self.member_at]
        return STEM if any(member.label_room for member in members) else SHORT_STEM

    @cached_property
    def ins(self) -> dict[str, float]:
        """The x of each wire that comes in, by its source."""
        return {source: round(self.x[node] - self.left, 1) for source, node in zip(self.sources_in, self.first)}

    @cached_property
    def outs(self) -> dict[str, float]:
        """The x of each wire that goes out, by its source."""
        return {source: round(self.x[node] - self.left, 1) for source, node in zip(self.sources_out, self.last)}

    @cached_property
    def corners(self) -> dict[str, Point]:
        """The left upper corner of each member."""
        return {
            member.name: (round(self.x[node] - member.axis - self.left, 1), round(self.tops[self.level[node]], 1))
            for node, member in self.member_at.items()
        }

    def level_of(self, member: str) -> int:
        """The row of a member."""
        return self.level[self.node_of[member]]

    def points(self, link: Link) -> list[Point]:
        """The way of a wire: down from where it begins, level on its track, and down."""
        return [point for hop in self.hops[link] for point in self.hop_points(link, hop)]

    def hop_points(self, link: Link, hop: Hop) -> list[Point]:
        """The way of a wire between two rows."""
        begin, end = hop.begin - self.left, hop.end - self.left
        below = self.tops[hop.row + 1]
        points = [(begin, self.leaving_y(link, hop))]
        if hop.track >= 0:
            turn = self.bottoms[hop.row] + self.stems[hop.row] + TRACK * hop.track
            points += [(begin, turn), (end, turn)]
        return [*points, (end, below)]

    def leaving_y(self, link: Link, hop: Hop) -> float:
        """The y where a wire leaves a row: the lower edge of its member, or the upper edge of the row."""
        top = self.tops[hop.row]
        first = link.begin is not None and self.level_of(link.begin) == hop.row
        return top + self.member_at[self.node_of[link.begin]].height if first and link.begin is not None else top
