"""Small sketches to lay out, and where their boxes are then."""

import itertools

from costcalc.drawing.sketch import Box, Sketch, Wire


def sketch(wires, paths=None, **labels):
    """Boxes of one letter and wires between them: `ab bc` from a to b and from b to c."""
    keys = sorted({key for wire in wires.split() for key in wire})
    boxes = [Box(key, key, ("words",), (paths or {}).get(key, ())) for key in keys]
    ends = [Wire(source, target, labels.get(source, "8×8×8")) for source, target in wires.split()]
    return Sketch("sketch", boxes, ends, {frame: frame for path in (paths or {}).values() for frame in path})


def middles(data):
    return {placed.box.key: placed.place.x + placed.place.width / 2 for placed in data.boxes}


def tops(data):
    return {placed.box.key: placed.place.y for placed in data.boxes}


def chain(keys):
    return " ".join(f"{one}{other}" for one, other in itertools.pairwise(keys))
