"""Tensors as boxes in space, one behind the other, as papers draw LeNet-5 and AlexNet: channels to the right, height
upwards, width to the back; vectors as bars. Sizes are by doublings, so that 3 and 512 channels are both seen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from costcalc.drawing.drawing import Point
from costcalc.drawing.even_parts import even_parts
from costcalc.drawing.heads import MARGIN, head
from costcalc.drawing.shapes import MAX_SHADE, Group, Picture, Polygon, Polyline, Shape, Text
from costcalc.drawing.sketch import LABEL_SIZE, LINE_HEIGHT, LINE_SIZE, TITLE_SIZE, doublings
from costcalc.drawing.text_widths import text_width

SIDE, CHANNEL = 13.0, 5.5  # px for each doubling of height or width, and of channels
BACK = 0.38 * 0.7071  # px to the right and upwards for each px of width, at 45°
BAR = 12.0  # px: the width of a vector
ARROW, AIR = 26.0, 6.0  # px: the least length of an arrow; around what stands at its ends
MAX_ROW_WIDTH = 1400.0  # px, of a row
BETWEEN, TURN = 40.0, 18.0  # px from row to row, and beside rows for the arrows between them


class Volume(NamedTuple):
    """A tensor: its name, the lines below it, the op that writes it, its sizes (width and channels 0 for a vector), the
    share of cost of the largest, and what a reader is told who points at it."""

    title: str
    lines: tuple[str, ...]
    op: str
    height: int
    width: int
    channels: int
    shade: float = 0.0
    hover: str = ""
    layers: tuple[int, ...] = ()

    @property
    def size(self) -> tuple[float, float, float]:
        """How wide and how high its front is, and how far its back is away to the right and above; in px."""
        high = SIDE * doublings(1 + self.height)
        if not self.channels:
            return BAR, high, 0.0
        return CHANNEL * doublings(1 + self.channels), high, BACK * SIDE * doublings(1 + self.width)

    @property
    def room(self) -> float:
        """The width of its place, texts included."""
        front, _, back = self.size
        texts = [text_width(self.title, TITLE_SIZE - 1, bold=True), *(text_width(t, LINE_SIZE) for t in self.lines)]
        return max(front + back, *texts)

    @property
    def way(self) -> float:
        """The length of the arrow before it, with its op above."""
        return max(ARROW, text_width(self.op, LABEL_SIZE) + 8)


class PlacedVolume(NamedTuple):
    """A volume, the x of the middle of its place, and the y of the middle of its front."""

    volume: Volume
    x: float
    y: float


def volumes_picture(
    title: str, description: str, notes: Sequence[str], volumes: Sequence[Volume], most_width: float | None = None
) -> Picture:
    """The picture of volumes, in rows that are no wider than a sheet."""
    rows = _rows(volumes, max((most_width or MAX_ROW_WIDTH) - 2 * MARGIN, max(volume.room for volume in volumes)))
    beside = MARGIN if len(rows) == 1 else MARGIN + TURN
    width = max(_row_width(row) for row in rows) + 2 * beside
    texts, width, top = head(title, notes, width)
    placed: list[list[PlacedVolume]] = []
    y = top + MARGIN
    for row in rows:
        above = max(volume.size[1] / 2 + volume.size[2] for volume in row)
        below = max(volume.size[1] / 2 for volume in row) + _text_height(row)
        placed.append(_placed(row, (width - _row_width(row)) / 2, y + max(above, 24)))
        y += max(above, 24) + below + BETWEEN
    shown = None if most_width is None else min(width, most_width)
    size = round(width, 1), round(y - BETWEEN + MARGIN, 1)
    return Picture(title, description, *size, texts, tuple(_shapes(placed)), shown)


def _rows(volumes: Sequence[Volume], room: float) -> Sequence[list[Volume]]:
    """As few rows as fit, of which the widest is as narrow as can be, to 2 %."""
    if _row_width(volumes) <= room:
        return [[*volumes]]
    fewest = len(_filled(volumes, room - 2 * TURN))
    return even_parts(partial(_filled, volumes), _row_width(volumes) / fewest, fewest)


def _filled(volumes: Sequence[Volume], room: float) -> list[list[Volume]]:
    """Rows that are filled one after the other."""
    rows: list[list[Volume]] = [[]]
    for volume in volumes:
        if rows[-1] and _row_width([*rows[-1], volume]) > room:
            rows.append([])
        rows[-1].append(volume)
    return rows


def _row_width(row: Sequence[Volume]) -> float:
    return sum(volume.room for volume in row) + sum(volume.way + 2 * AIR for volume in row[1:])


def _text_height(row: Sequence[Volume]) -> float:
    return 20 + LINE_HEIGHT * max(len(volume.lines) for volume in row)


def _placed(row: Sequence[Volume], left: float, y: float) -> list[PlacedVolume]:
    found, x = [], left
    for number, volume in enumerate(row):
        x += (volume.way + 2 * AIR if number else 0) + volume.room / 2
        found.append(PlacedVolume(volume, round(x, 1), round(y, 1)))
        x += volume.room / 2
    return found


def _shapes(rows: Sequence[Sequence[PlacedVolume]]) -> Iterator[Shape]:
    for row in rows:
        lowest = max(place.y + place.volume.size[1] / 2 for place in row)
        for before, place in zip([None, *row[:-1]], row):
            if before is not None:
                yield from _arrow(before, place)
            yield Group(place.volume.hover, tuple(_volume(place, lowest)), place.volume.layers)
    for upper, lower in itertools.pairwise(rows):
        yield from _around(upper, lower)


def _left(place: PlacedVolume) -> float:
    front, _, back = place.volume.size
    return round(place.x - (front + back) / 2, 1)


def _right(place: PlacedVolume) -> float:
    """Where an arrow leaves it: the middle of its right side."""
    front, _, back = place.volume.size
    return round(_left(place) + front + back, 1)


def _arrow(before: PlacedVolume, place: PlacedVolume) -> Iterator[Shape]:
    begin, end = _right(before) + 4, _left(place) - 4
    yield Polyline("wire", ((begin, place.y), (end, place.y)))
    yield Text("fine", place.volume.op, round((begin + end) / 2, 1), place.y - 6, LABEL_SIZE, is_centred=True)


def _around(upper: Sequence[PlacedVolume], lower: Sequence[PlacedVolume]) -> Iterator[Shape]:
    """The arrow from the end of a row to the begin of the next: down at the right, back between the rows."""
    begin, end = upper[-1], lower[0]
    turn = max(begin.x + begin.volume.room / 2, _right(begin) + 8) + 6
    volumes = [place.volume for place in upper]
    between = max(p.y + p.volume.size[1] / 2 for p in upper) + _text_height(volumes) + BETWEEN / 2 - 6
    left = min(_left(end) - 14, end.x - end.volume.room / 2 - 6)
    points = ((_right(begin) + 4, begin.y), (turn, begin.y), (turn, between), (left, between), (left, end.y))
    yield Polyline("wire", (*(_point(*p) for p in points), _point(_left(end) - 4, end.y)))
    yield Text("fine", end.volume.op, round(left + 4, 1), round(between - 4, 1), LABEL_SIZE)


def _volume(place: PlacedVolume, lowest: float) -> Iterator[Shape]:
    volume = place.volume
    front, high, back = volume.size
    x, top = _left(place), place.y - high / 2
    face = (_point(x, top), _point(x + front, top), _point(x + front, top + high), _point(x, top + high))
    if back:
        upper = (_point(x + back, top - back), _point(x + front + back, top - back))
        yield Polygon("top", (face[0], *upper, face[1]))
        yield Polygon("side", (face[1], upper[1], _point(x + front + back, top + high - back), face[2]))
    yield Polygon("front", face)
    if volume.shade:
        yield Polygon("shade", face, round(MAX_SHADE * volume.shade, 3))
    y = lowest + 18
    if volume.title:
        yield Text("ink", volume.title, place.x, round(y, 1), TITLE_SIZE - 1, True, True)
    for line in volume.lines:
        y += LINE_HEIGHT
        yield Text("ink", line, place.x, round(y, 1), LINE_SIZE, False, True)


def _point(x: float, y: float) -> Point:
    return round(x, 1), round(y, 1)
