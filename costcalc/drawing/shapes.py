"""What a picture is made of, with places: rectangles, areas, lines and texts. All formats are written from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from costcalc.drawing.drawing import Point, Rectangle


class Look(NamedTuple):
    """How shapes of a kind look: colours on paper and on a dark screen, "" for none; the width of the edge in px, and
    how opaque it is."""

    fill: str = ""
    stroke: str = ""
    dark_fill: str = ""
    dark_stroke: str = ""
    line: float = 1.0
    edge: float = 1.0


INK, PAPER, WIRE, FINE, SHADE = "#111111", "#ffffff", "#555555", "#444444", "#1f5fa8"
DARK_INK, DARK_PAPER, DARK_BOX, DARK_WIRE, DARK_FINE = "#eeeeee", "#16181c", "#22252b", "#b4b8c0", "#c8ccd3"
DARK_SHADE = "#2f6db5"
LOOKS = {
    "paper": Look(PAPER, dark_fill=DARK_PAPER),
    "ink": Look(INK, dark_fill=DARK_INK),
    "fine": Look(FINE, dark_fill=DARK_FINE),
    "box": Look(PAPER, WIRE, DARK_BOX, DARK_FINE),
    "frame": Look("#000000", FINE, "#ffffff", DARK_FINE, edge=0.35),
    "shade": Look(SHADE, dark_fill=DARK_SHADE),
    "bar": Look(INK, dark_fill=DARK_INK),
    "rail": Look(PAPER, WIRE, DARK_PAPER, DARK_FINE, 0.5),
    "wire": Look("", WIRE, "", DARK_WIRE, 1.2),
    "head": Look(WIRE, dark_fill=DARK_WIRE),
    "front": Look("#dfe6ee", WIRE, "#3b4552", DARK_FINE, 0.8),  # of volumes, the lightest tone
    "top": Look("#c6d1de", WIRE, "#323b47", DARK_FINE, 0.8),
    "side": Look("#a9b8c9", WIRE, "#29313b", DARK_FINE, 0.8),
}
MAX_SHADE = 0.6  # opacity of the largest box


@dataclass(frozen=True)
class Rect:
    """A rectangle, perhaps with round corners."""

    kind: str
    place: Rectangle
    radius: float = 0.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Polygon:
    """A polygon."""

    kind: str
    points: tuple[Point, ...]
    opacity: float = 1.0


@dataclass(frozen=True)
class Polyline:
    """Straight pieces with a head at their end."""

    kind: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Text:
    """A line of text; `y` is its base line."""

    kind: str
    text: str
    x: float
    y: float
    size: float
    is_bold: bool = False
    is_centred: bool = False


@dataclass(frozen=True)
class Group:
    """Shapes of one thing, with what a reader is told who points at it. `layers` are the numbers of its rows, those of
    one of equal blocks after those of the other."""

    title: str
    shapes: tuple[Shape, ...]
    layers: tuple[int, ...] = ()
    copies: int = 1  # of equal blocks that are drawn once


Shape: TypeAlias = Rect | Polygon | Polyline | Text | Group


@dataclass(frozen=True)
class Picture:
    """A whole picture: its size, what it is called and described as, its shapes, the lowest first, and the lines above
    them."""

    title: str
    description: str
    width: float
    height: float
    head: Sequence[Text]
    shapes: Sequence[Shape]
    shown_width: float | None = None  # px that it is shown in, if it has to shrink
