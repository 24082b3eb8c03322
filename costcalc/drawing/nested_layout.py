"""The layout: each frame is laid out by itself, and is then one box in the frame around it.

Equal blocks are so drawn equally, branches keep the order of the network, and the only wire into and out of a frame is
in line with the boxes above and below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from costcalc.drawing.drawing import DrawingData, PlacedBox, PlacedFrame, PlacedWire, Point, Rectangle
from costcalc.drawing.frame_layout import FrameLayout
from costcalc.drawing.frame_wires import Link, Member
from costcalc.drawing.frames import common, without_cycles
from costcalc.drawing.sheet_columns import ONE_COLUMN, Columns, in_columns
from costcalc.drawing.sketch import LABEL_SIZE, Sketch
from costcalc.drawing.text_widths import text_width

MARGIN = 16.0  # px around the drawing
WHOLE = ""  # the name of the frame around everything


@dataclass
class NestedLayout:
    """The frames of a sketch, each laid out by itself. A frame that `continues` another one begins a column."""

    sketch: Sketch
    continues: Mapping[str, str] = field(default_factory=dict)
    members: dict[str, dict[str, None]] = field(default_factory=lambda: {WHOLE: {}})  # boxes and frames in each frame
    links: dict[str, dict[Link, None]] = field(default_factory=dict)
    frames: dict[str, FrameLayout] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.boxes = {box.key: box for box in self.sketch.boxes}
        ends = [(wire.source, wire.target) for wire in self.sketch.wires]
        self.paths = without_cycles({box.key: box.path for box in self.sketch.boxes}, ends)
        self.labels = {wire.source: wire.label for wire in reversed(self.sketch.wires)}
        self.depths = {WHOLE: 0}
        for key, path in self.paths.items():
            for depth, (outer, member) in enumerate(zip((WHOLE, *path), (*path, key)), 1):
                self.members.setdefault(outer, {})[member] = None
                self.depths[member] = depth
        for source, target in ends:
            for frame, link in self._pieces(source, target):
                self.links.setdefault(frame, {})[link] = None

    def _pieces(self, source: str, target: str) -> list[tuple[str, Link]]:
        """The parts of a wire, frame by frame: out of those of its source, across, and into those of its target."""
        one, other = (*self.paths[source], source), (*self.paths[target], target)
        shared = common(self.paths[source], self.paths[target])
        out = [(one[at - 1], Link(one[at], None, source)) for at in range(len(one) - 1, shared, -1)]
        across = (WHOLE, *one)[shared], Link(one[shared], other[shared], source)
        into = [(other[at - 1], Link(None, other[at], source)) for at in range(shared + 1, len(other))]
        return [*out, across, *into]

    def drawing(self, columns: bool, most_width: float | None, sheet: Point | None) -> DrawingData:
        """Lays out the frames, inner ones first, and puts everything where it is."""
        order = sorted(self.members, key=self.depths.__getitem__)
        for name in reversed(order):
            heading = None if name == WHOLE else self.sketch.headings.get(name, "")
            members = [self._member(member) for member in self.members[name]]
            self.frames[name] = FrameLayout(heading, members, [*self.links.get(name, ())])
        whole = self.frames[WHOLE]
        room = None if most_width is None else most_width - 2 * MARGIN
        required_cuts = {whole.level_of(name) for name in self.members[WHOLE] if name in self.continues}
        cuts = in_columns(whole, room, required_cuts, sheet) if columns else ONE_COLUMN
        corners = self._corners(order, cuts)
        boxes = [PlacedBox(box, corners[box.key].place(*self._size(box.key))) for box in self.sketch.boxes]
        frames = [
            PlacedFrame(
                name, self.sketch.headings.get(name, ""), self.depths[name], corners[name].place(*self._size(name))
            )
            for name in order
            if name != WHOLE
        ]
        width, height = cuts.size(whole)
        wires = self._wires(corners, cuts)
        size = round(width + 2 * MARGIN, 1), round(height + 2 * MARGIN, 1)
        return DrawingData(self.sketch, boxes, frames, wires, *size, most_width)

    def opened(self) -> Sketch:
        """The sketch with the frames that are drawn."""
        return replace(self.sketch, boxes=[replace(box, path=self.paths[box.key]) for box in self.sketch.boxes])

    def outermost(self) -> dict[str, FrameLayout]:
        """The frames in no other one."""
        return {name: self.frames[name] for name in self.members[WHOLE] if name in self.frames}

    def _member(self, name: str) -> Member:
        width, height = self._size(name)
        label = self.labels.get(name, "")
        room = text_width(label, LABEL_SIZE) + 8 if label else 0
        if name in self.boxes:
            return Member(name, width, height, room)
        inside = self.frames[name]
        return Member(name, width, height, 0, inside.ins, inside.outs)

    def _size(self, name: str) -> tuple[float, float]:
        it = self.boxes.get(name) or self.frames[name]
        return it.width, it.height

    def _corners(self, order: Sequence[str], cuts: Columns) -> dict[str, _Corner]:
        """The left upper corners of all frames and boxes."""
        corners = {WHOLE: _Corner(MARGIN, MARGIN)}
        for name in order:
            inside = self.frames[name]
            here = corners[name]
            for member, (x, y) in inside.corners.items():
                dx, dy = cuts.shift(inside.level_of(member)) if name == WHOLE else (0.0, 0.0)
                corners[member] = _Corner(here.x + x + dx, here.y + y + dy)
        return corners

    def _wires(self, corners: Mapping[str, _Corner], cuts: Columns) -> list[PlacedWire]:
        found, labelled = [], set[str]()
        for wire in self.sketch.wires:
            points: list[Point] = []
            for frame, link in self._pieces(wire.source, wire.target):
                here, inside = corners[frame], self.frames[frame]
                piece = cuts.points(inside, link) if frame == WHOLE else inside.points(link)
                points += [(round(x + here.x, 1), round(y + here.y, 1)) for x, y in piece]
            label_at = None
            if wire.label and wire.source not in labelled:
                labelled.add(wire.source)
                label_at = round(points[0][0] + 4, 1), round(points[0][1] + LABEL_SIZE + 3, 1)
            found.append(PlacedWire(wire, _simplified(points), label_at))
        return found


@dataclass(frozen=True)
class _Corner:
    x: float
    y: float

    def place(self, width: float, height: float) -> Rectangle:
        return Rectangle(round(self.x, 1), round(self.y, 1), width, height)


def _simplified(points: Sequence[Point]) -> tuple[Point, ...]:
    """The same way without points that it goes straight through."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        while len(kept) > 1 and _is_straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _is_straight(first: Point, middle: Point, last: Point) -> bool:
    upright = first[0] == middle[0] == last[0] and first[1] <= middle[1] <= last[1]
    level = first[1] == middle[1] == last[1] and (middle[0] - first[0]) * (last[0] - middle[0]) >= 0
    return upright or level
