"""What is wrong with a drawing, found in its data: overlaps, wires over boxes, crossings, labels on wires."""

import itertools

from costcalc.drawing.drawing import Rectangle
from costcalc.drawing.sketch import HEADING_SIZE, LABEL_SIZE
from costcalc.drawing.text_widths import text_width


def problems(data):
    """Sentences about what may not be in any drawing."""
    return [
        *overlaps(data), *outside(data), *wires_over_boxes(data), *wires_not_there(data), *labels_on_wires(data),
        *wires_on_wires(data), *wires_on_headings(data),
    ]  # fmt: skip


def overlaps(data):
    for one, other in itertools.combinations(data.boxes, 2):
        if one.place.overlaps(other.place):
            yield f"{one.box.title} overlaps {other.box.title}"
    for one, other in itertools.combinations(data.frames, 2):
        if one.place.overlaps(other.place) and not one.place.holds(other.place) and not other.place.holds(one.place):
            yield f"the frames {one.heading} and {other.heading} overlap"


def outside(data):
    """Boxes that are not in their frames, or in others; all that is not on the sheet."""
    sheet = Rectangle(0, 0, data.width, data.height)
    for placed in data.boxes:
        if not sheet.holds(placed.place):
            yield f"{placed.box.title} is off the sheet"
        around = [frame for frame in data.frames if frame.place.overlaps(placed.place)]
        if not all(frame.place.holds(placed.place) for frame in around):
            yield f"{placed.box.title} lies on the edge of a frame"
        if sorted(frame.name for frame in around) != sorted(placed.box.path):
            yield f"{placed.box.title} is in the frames {[frame.name for frame in around]}, not in {placed.box.path}"
    for wire in data.wires:
        if not all(sheet.holds(Rectangle(x, y, 0, 0)) for x, y in wire.points):
            yield f"a wire of {wire.wire.source} leaves the sheet"


def pieces(wire):
    """Its straight pieces, as rectangles without width or height."""
    for (x, y), (a, b) in itertools.pairwise(wire.points):
        yield Rectangle(min(x, a), min(y, b), abs(x - a), abs(y - b))


def touches(piece, place, slack=0.3):
    """Does a straight piece lie in a rectangle, its edge aside?"""
    return (
        piece.x < place.right - slack and place.x + slack < piece.right + 0.001
        and piece.y < place.bottom - slack and place.y + slack < piece.bottom + 0.001
    )  # fmt: skip


def wires_over_boxes(data):
    for wire in data.wires:
        for piece in pieces(wire):
            if piece.width and piece.height:
                yield f"a wire of {wire.wire.source} is not at right angles"
            for placed in data.boxes:
                if touches(piece, placed.place):
                    yield f"the wire from {wire.wire.source} to {wire.wire.target} lies on {placed.box.title}"


def wires_not_there(data):
    """Wires that do not begin and end at their boxes."""
    places = data.places
    for wire in data.wires:
        (x, y), (a, b) = wire.points[0], wire.points[-1]
        source, target = places[wire.wire.source], places[wire.wire.target]
        if abs(y - source.bottom) > 0.2 or not source.x <= x <= source.right:
            yield f"a wire of {wire.wire.source} begins elsewhere"
        if abs(b - target.y) > 0.2 or not target.x <= a <= target.right:
            yield f"a wire to {wire.wire.target} ends elsewhere"


def labels_on_wires(data):
    labels = [(wire, label) for wire in data.wires if (label := label_place(wire))]
    for wire, label in labels:
        for other in data.wires:
            if any(touches(piece, label) for piece in pieces(other)):
                yield f"the label of {wire.wire.source} lies on a wire of {other.wire.source}"
        for placed in data.boxes:
            if label.overlaps(placed.place):
                yield f"the label of {wire.wire.source} lies on {placed.box.title}"


def wires_on_wires(data):
    """Wires of two sources that go along one line."""
    for one, other in itertools.combinations(data.wires, 2):
        if one.wire.source == other.wire.source:
            continue
        for a, b in itertools.product(pieces(one), pieces(other)):
            along = min(a.right, b.right) - max(a.x, b.x), min(a.bottom, b.bottom) - max(a.y, b.y)
            if min(along) >= -0.3 and max(along) > 1 and bool(a.width) == bool(b.width):
                yield f"wires of {one.wire.source} and {other.wire.source} lie on each other at {a.x}, {max(a.y, b.y)}"


def wires_on_headings(data):
    for frame in data.frames:
        place = heading_place(frame)
        for wire in data.wires:
            if any(touches(piece, place) for piece in pieces(wire)):
                yield f"a wire of {wire.wire.source} lies on the heading {frame.heading}"


def heading_place(frame):
    """The rectangle of its heading."""
    width = text_width(frame.heading, HEADING_SIZE)
    return Rectangle(frame.place.x + 8, frame.place.y + 14 - HEADING_SIZE + 2, width, HEADING_SIZE)


def label_place(wire):
    """The rectangle of its label, if it has one."""
    if wire.label_at is None:
        return None
    x, y = wire.label_at
    return Rectangle(x, y - LABEL_SIZE + 2, text_width(wire.wire.label, LABEL_SIZE), LABEL_SIZE - 2)


def crossings(data):
    """Pairs of sources whose wires cross."""
    found = set()
    for one, other in itertools.combinations(data.wires, 2):
        if one.wire.source == other.wire.source:
            continue
        for a, b in itertools.product(pieces(one), pieces(other)):
            level, upright = (a, b) if a.width else (b, a)
            if level.width and upright.height and touches_across(level, upright):
                found.add((one.wire.source, other.wire.source, round(upright.x), round(level.y)))
    return found


def touches_across(level, upright):
    return level.x + 0.3 < upright.x < level.right - 0.3 and upright.y + 0.3 < level.y < upright.bottom - 0.3
