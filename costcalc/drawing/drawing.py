"""A drawing: boxes, frames and wires with their places. All lengths are in px, y grows downwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from costcalc.drawing.sketch import Box, Sketch, Wire

Point = tuple[float, float]


class Rectangle(NamedTuple):
    """Its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height

    def moved(self, dx: float, dy: float) -> Rectangle:
        """The same, elsewhere."""
        return Rectangle(self.x + dx, self.y + dy, self.width, self.height)

    def holds(self, other: Rectangle, slack: float = 0.05) -> bool:
        """Is the other one inside?"""
        return (
            self.x <= other.x + slack and self.y <= other.y + slack
            and other.right <= self.right + slack and other.bottom <= self.bottom + slack
        )  # fmt: skip

    def overlaps(self, other: Rectangle, slack: float = 0.05) -> bool:
        """Do the two have more than an edge in common?"""
        return (
            self.x + slack < other.right and other.x + slack < self.right
            and self.y + slack < other.bottom and other.y + slack < self.bottom
        )  # fmt: skip


class PlacedBox(NamedTuple):
    """A box and where it is."""

    box: Box
    place: Rectangle


class PlacedFrame(NamedTuple):
    """A frame, its heading, how many frames it is in, itself included, and where it is."""

    name: str
    heading: str
    depth: int
    place: Rectangle


class PlacedWire(NamedTuple):
    """A wire as straight pieces, level or upright. `label_at` is the left end of its label's base line; None for a
    wire whose label stands at another one of the same source."""

    wire: Wire
    points: tuple[Point, ...]
    label_at: Point | None


@dataclass(frozen=True)
class DrawingData:
    """A sketch with places for everything in it."""

    sketch: Sketch
    boxes: Sequence[PlacedBox]
    frames: Sequence[PlacedFrame]  # outer ones first
    wires: Sequence[PlacedWire]
    width: float
    height: float
    most_width: float | None = None  # px that it is shown in at most

    @property
    def places(self) -> Mapping[str, Rectangle]:
        """The place of each box by its key."""
        return {placed.box.key: placed.place for placed in self.boxes}
