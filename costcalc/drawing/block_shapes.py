"""The shapes of a drawing: its head, frames, wires, boxes and labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from costcalc.drawing.drawing import DrawingData, PlacedBox, PlacedFrame, PlacedWire, Point, Rectangle
from costcalc.drawing.heads import head
from costcalc.drawing.shapes import MAX_SHADE, Group, Picture, Polyline, Rect, Shape, Text
from costcalc.drawing.sketch import BAR_HEIGHT, HEADING_SIZE, LABEL_SIZE, LINE_HEIGHT, LINE_SIZE, PADDING, TITLE_SIZE

FRAME_SHADE, MAX_SHADED_FRAMES = 0.04, 4  # black over each frame, of so many within each other


def picture_of(drawing: DrawingData) -> Picture:
    """The picture of a drawing, its head above."""
    sketch = drawing.sketch
    texts, width, top = head(sketch.title, sketch.notes, drawing.width)
    left = round((width - drawing.width) / 2, 1)
    shapes = tuple(_shapes(drawing, left, top))
    height = round(drawing.height + top, 1)
    shown = None if drawing.most_width is None else min(width, drawing.most_width)
    return Picture(sketch.title, sketch.description, width, height, texts, shapes, shown)


def _shapes(drawing: DrawingData, left: float, top: float) -> Iterator[Shape]:
    for frame in drawing.frames:
        yield from _frame(frame, left, top)
    for points in branches(drawing.wires):
        yield Polyline("wire", tuple(_moved(point, left, top) for point in points))
    for box in drawing.boxes:
        yield _box(box, left, top)
    for wire in drawing.wires:
        yield from _label(wire, left, top)


def branches(wires: Iterable[PlacedWire]) -> Iterator[Sequence[Point]]:
    """The way of each wire from where it leaves those of its source that are drawn before it: a line that is drawn
    twice looks bolder."""
    before: dict[str, list[Sequence[Point]]] = {}
    for wire in wires:
        others = before.setdefault(wire.wire.source, [])
        yield min([_rest(wire.points, other) for other in others], key=_length, default=wire.points)
        others.append(wire.points)


def _rest(points: Sequence[Point], other: Sequence[Point]) -> Sequence[Point]:
    """The way behind what it has in common with another one that begins at the same point."""
    at = next((at for at, (one, two) in enumerate(zip(points, other)) if one != two), len(other))
    if at == len(other):
        return points[at - 1 :]
    start, one, two = points[at - 1], points[at], other[at]
    if _step(start, one) != _step(start, two):
        return [start, *points[at:]]
    return points[at:] if _length((start, one)) <= _length((start, two)) else [two, *points[at:]]


def _step(start: Point, end: Point) -> tuple[bool, bool, bool, bool]:
    """Which way a straight piece goes: right, left, down, up."""
    return end[0] > start[0], end[0] < start[0], end[1] > start[1], end[1] < start[1]


def _length(points: Sequence[Point]) -> float:
    return sum(abs(x - a) + abs(y - b) for (x, y), (a, b) in itertools.pairwise(points))


def _frame(frame: PlacedFrame, left: float, top: float) -> Iterator[Shape]:
    at = _rounded(frame.place.moved(left, top))
    yield Rect("frame", at, 6, FRAME_SHADE if frame.depth <= MAX_SHADED_FRAMES else 0)
    yield Text("fine", frame.heading, at.x + 8, at.y + 14, HEADING_SIZE)


def _label(placed: PlacedWire, left: float, top: float) -> Iterator[Shape]:
    if placed.label_at is not None:
        yield Text("fine", placed.wire.label, *_moved(placed.label_at, left, top), LABEL_SIZE)


def _box(placed: PlacedBox, left: float, top: float) -> Group:
    box, at = placed.box, _rounded(placed.place.moved(left, top))
    return Group(box.hover or box.title, tuple(_box_shapes(placed, at)), box.layers, box.copies)


def _box_shapes(placed: PlacedBox, at: Rectangle) -> Iterator[Shape]:
    box = placed.box
    radius = min(at.height / 2, 12) if box.is_pill else 4
    yield Rect("box", at, radius)
    if box.shade:
        yield Rect("shade", at, radius, round(MAX_SHADE * box.shade, 3))
    middle, y = at.x + at.width / 2, at.y + (15 if box.is_pill else PADDING + TITLE_SIZE - 1)
    yield Text("ink", box.title, middle, y, LINE_SIZE if box.is_pill else TITLE_SIZE, not box.is_pill, True)
    for line in box.lines:
        y += LINE_HEIGHT
        yield Text("ink", line, middle, y, LINE_SIZE, False, True)
    if box.share is not None:
        rail = Rectangle(at.x + PADDING, at.bottom - PADDING - BAR_HEIGHT + 2, at.width - 2 * PADDING, BAR_HEIGHT)
        yield Rect("rail", rail)
        yield Rect("bar", rail._replace(width=round(rail.width * min(box.share, 1.0), 1)))


def _moved(point: Point, left: float, top: float) -> Point:
    return round(point[0] + left, 1), round(point[1] + top, 1)


def _rounded(place: Rectangle) -> Rectangle:
    return Rectangle(*(round(part, 1) for part in place))
