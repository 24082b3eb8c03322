"""The shapes of a drawing: its head, frames, wires, boxes and labels."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.drawing.drawing import DrawingData, PlacedBox, PlacedFrame, PlacedWire, Point, Rectangle
from costcalc.drawing.heads import head
from costcalc.drawing.shapes import MAX_SHADE, Group, Picture, Polyline, Rect, Shape, Text
from costcalc.drawing.sketch import BAR_HEIGHT, HEADING_SIZE, LABEL_SIZE, LINE_HEIGHT, LINE_SIZE, PADDING, TITLE_SIZE
from costcalc.drawing.wire_overlaps import without_overlaps

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
    for points in without_overlaps(drawing.wires):
        yield Polyline("wire", tuple(_moved(point, left, top) for point in points))
    for box in drawing.boxes:
        yield _box(box, left, top)
    for wire in drawing.wires:
        yield from _label(wire, left, top)


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
