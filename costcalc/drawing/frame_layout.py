"""One frame: its members in rows, one above the other, with gaps for the wires between them.

Places are relative to its left upper corner.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

from costcalc.drawing.drawing import Point
from costcalc.drawing.frame_wires import FrameWires, Hop, Link, Member
from costcalc.drawing.isolated_rows import centre_below, isolated_rows
from costcalc.drawing.rows import in_rows
from costcalc.drawing.sketch import HEADING_SIZE
from costcalc.drawing.text_widths import text_width
from costcalc.drawing.wiring import STEM, TRACK, gap_height
from costcalc.drawing.x_positions import Extent, x_positions

GAP = 22.0  # px between boxes of a row
LANE = 5.0  # px to each side of a wire that passes a row
INSET, HEADING = 12.0, 20.0  # px between a frame and what is in it; height of its heading
SHORT_STEM = 6.0  # px straight down where there are no labels


class FrameLayout:
    """A frame that is laid out: `width`, `height`, `corners` of members, `ins` and `outs`: the x of wires that come in
    and go out, by their source. Without a `heading` it is the whole drawing, which has no edge."""

    def __init__(self, heading: str | None, members: Sequence[Member], links: Sequence[Link]):
        self.heading, self.members, self.links = heading, members, links
        self.sources_in = [*dict.fromkeys(link.source for link in links if link.begin is None)]
        self.sources_out = [*dict.fromkeys(link.source for link in links if link.end is None)]
        self._number()
        ends = self._ends()
        linked = {node for pair in ends for node in pair}
        widths = {node: member.width for node, member in self.member_at.items() if node not in linked}
        self.isolated = [] if self.last else isolated_rows(widths, GAP)
        self.rows = in_rows(self.count, ends, self.first, self.last, self.isolated)
        self.nodes = sum(map(len, self.rows.rows))
        self.level = {node: row for row, nodes in enumerate(self.rows.rows) for node in nodes}
        self._spread()
        self.tracks, self.hops = self._wires().in_gaps(self.level)
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

    def _spread(self) -> None:
        """Places nodes from left to right, and the edges around them."""
        lane = Extent(LANE, LANE)
        self.extents = [self.member_at[node].extent if node in self.member_at else lane for node in range(self.nodes)]
        is_narrow = self.heading is not None and len(self.first) == len(self.last) == 1
        self.x = x_positions(self.rows, self.extents, GAP, (self.first[0], self.last[0]) if is_narrow else None)
        centre_below(self.rows.rows, self.isolated, self.extents, self.x)
        self._align_ports()
        self.left = min([x - extent.left for x, extent in zip(self.x, self.extents)], default=0.0)
        self.right = max([x + extent.right for x, extent in zip(self.x, self.extents)], default=0.0)
        if self.heading is not None:
            self._frame()

    def _wires(self) -> FrameWires:
        """The wires between the places that nodes have now."""
        return FrameWires(self.links, self.rows.chains, self.member_at, self.x)

    def _align_ports(self) -> None:
        """Moves what comes in from outside to where it enters a box of the first row, if it goes nowhere else."""
        links = [*zip(self.links, self.rows.chains)]
        ends = self._wires().ends
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
