"""What wires of one source have in common, which is drawn once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from costcalc.drawing.drawing import PlacedWire, Point


def without_overlaps(wires: Iterable[PlacedWire]) -> Iterator[Sequence[Point]]:
    """Each wire without the start that an earlier wire of its source already draws; a line drawn twice looks bolder."""
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
