"""The wires of one frame: where they begin and end at its members, and their parts from row to row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from costcalc.drawing.wiring import Run, ends_at, tracks
from costcalc.drawing.x_positions import Extent

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


@dataclass(frozen=True)
class FrameWires:
    """The links of a frame, the chain of nodes that each passes, the members by their nodes, and the x of each node."""

    links: Sequence[Link]
    chains: Sequence[Sequence[int]]
    members: Mapping[int, Member]
    x: Sequence[float]

    @property
    def begins(self) -> list[float]:
        """The x where each wire begins."""
        return [self._begin(link, chain[0]) for link, chain in zip(self.links, self.chains)]

    def _begin(self, link: Link, node: int) -> float:
        member = self.members.get(node)
        if member is None or not member.outs:
            return self.x[node]
        return round(self.x[node] - member.axis + member.outs[link.source], 1)

    @property
    def ends(self) -> list[float]:
        """The x where each wire ends."""
        begins = self.begins
        arriving: dict[int, list[int]] = {}
        for at, chain in enumerate(self.chains):
            arriving.setdefault(chain[-1], []).append(at)
        ends = [0.0] * len(self.chains)
        for node, those in arriving.items():
            comes = [self.x[self.chains[at][-2]] if len(self.chains[at]) > 2 else begins[at] for at in those]
            member = self.members.get(node)
            if member is None:
                there = [self.x[node]] * len(those)
            elif member.ins:
                there = [round(self.x[node] - member.axis + member.ins[self.links[at].source], 1) for at in those]
            else:
                there = ends_at(member.width, self.x[node], comes)
            for at, end in zip(those, there):
                ends[at] = end
        return ends

    def in_gaps(self, level: Mapping[int, int]) -> tuple[list[list[int]], dict[Link, list[Hop]]]:
        """The tracks in the gap below each row, and the hops of each wire. `level` has the row of each node."""
        runs: list[list[Run]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
        places: list[list[tuple[int, int]]] = []  # of each wire: the row of each hop, and its number there
        for link, chain, begin, end in zip(self.links, self.chains, self.begins, self.ends):
            stops = [begin, *(self.x[node] for node in chain[1:-1]), end]
            places.append([])
            for node, start, stop in zip(chain, stops, stops[1:]):
                row = level[node]
                places[-1].append((row, len(runs[row])))
                runs[row].append(Run(start, stop, link.source))
        found = [tracks(those) for those in runs]
        hops = {
            link: [Hop(row, runs[row][at].begin, runs[row][at].end, found[row][at]) for row, at in those]
            for link, those in zip(self.links, places)
        }
        return found, hops
