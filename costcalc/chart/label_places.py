"""Places for names beside discs, as data: no name lies on another, on a disc or on a line, and all stay inside.

    place_names(NameBox(0, 0, 400, 300), [Disc(50, 50, 5)], [NameSize(0, 40, 10)])

A name that finds no place gets None. Units are those of the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

GAP = 3  # between a disc and a name beside it
STEP, MAX_STEPS = 7, 24  # how much farther each try is, and how many there are
NEAR = 2 * GAP  # a name farther from its disc has a line
EIGHTHS = ((1, 0), (0, 1), (0, -1), (-1, 0), (0.7071, 0.7071), (0.7071, -0.7071), (-0.7071, 0.7071), (-0.7071, -0.7071))
SIXTEENTHS = tuple(
    (0.9239 * x + 0.3827 * y, 0.9239 * y - 0.3827 * x) for x, y in EIGHTHS
)  # between the eighths of a turn


class NameBox(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float


class Disc(NamedTuple):
    """A mark, or a ball."""

    x: float
    y: float
    radius: float


class NameSize(NamedTuple):
    """A name of this width and height, which belongs to one of the discs."""

    disc: int
    width: float
    height: float


class Leader(NamedTuple):
    """From a disc to its name."""

    x: float
    y: float
    to_x: float
    to_y: float


class NamePlace(NamedTuple):
    """Where a name stands, and the line to it if it is far from its disc."""

    box: NameBox
    line: Leader | None


def place_names(
    frame: NameBox, discs: Sequence[Disc], labels: Sequence[NameSize], lines: Sequence[Leader] = (),
    boxes: Sequence[NameBox] = (),
) -> list[NamePlace | None]:  # fmt: skip
    """A place for each label, which is on no disc, line or box.

    Those with the most discs around them choose first, each the nearest free place; to a place that is found last the
    line may lead over other discs.
    """
    found: dict[int, NamePlace] = {}
    for i in sorted(range(len(labels)), key=lambda i: (-_crowd(discs, labels[i]), i)):
        others = [square(disc) for j, disc in enumerate(discs) if j != labels[i].disc]
        for place in _tries(discs[labels[i].disc], labels[i]):
            if not _is_inside(place.box, frame) or any(touches(place.box, disc) for disc in discs):
                continue
            if any(crosses(line, place.box) for line in lines) or any(meet(box, place.box) for box in boxes):
                continue
            if any(_disturb(place, other) for j, other in found.items() if j != i):
                continue
            leader = place.line
            if leader is None or not any(crosses(leader, one) for one in others):
                found[i] = place
                break
            found.setdefault(i, place)
    return [found.get(i) for i in range(len(labels))]


def _crowd(discs: Sequence[Disc], label: NameSize) -> int:
    """How many discs are less than two names away."""
    x, y, _ = discs[label.disc]
    return sum(abs(each.x - x) < 2 * label.width and abs(each.y - y) < 4 * label.height for each in discs)


def _tries(disc: Disc, label: NameSize) -> Iterator[NamePlace]:
    """Places around a disc, from near to far."""
    for step in range(MAX_STEPS):
        far = disc.radius + GAP + STEP * step
        for dx, dy in EIGHTHS if step == 0 else (*EIGHTHS, *SIXTEENTHS):
            box = _beside(disc.x + far * dx, disc.y + far * dy, dx, dy, label)
            yield NamePlace(box, _line(disc, box) if step else None)


def _beside(x: float, y: float, dx: float, dy: float, label: NameSize) -> NameBox:
    """The box that touches the point (x, y) with the side or the corner that looks back at the disc."""
    left = x if dx > 0.3 else x - label.width if dx < -0.3 else x - label.width / 2
    bottom = y if dy > 0.3 else y - label.height if dy < -0.3 else y - label.height / 2
    return NameBox(left, bottom, left + label.width, bottom + label.height)


def _line(disc: Disc, box: NameBox) -> Leader:
    """From the edge of the disc to the nearest point of the box."""
    to_x, to_y = min(max(disc.x, box.left), box.right), min(max(disc.y, box.bottom), box.top)
    dx, dy = to_x - disc.x, to_y - disc.y
    share = disc.radius / (dx * dx + dy * dy) ** 0.5
    return Leader(disc.x + share * dx, disc.y + share * dy, to_x, to_y)


def _is_inside(box: NameBox, frame: NameBox) -> bool:
    return (
        frame.left <= box.left and box.right <= frame.right and frame.bottom <= box.bottom and box.top <= frame.top
    )  # fmt: skip


def _disturb(one: NamePlace, other: NamePlace) -> bool:
    """Do two names meet, or does the line of one lie on the other?"""
    return bool(
        meet(one.box, other.box)
        or (one.line and crosses(one.line, other.box))
        or (other.line and crosses(other.line, one.box))
    )


def meet(one: NameBox, other: NameBox) -> bool:
    """Do two boxes overlap?"""
    return (
        one.left < other.right and other.left < one.right and one.bottom < other.top and other.bottom < one.top
    )  # fmt: skip


def touches(box: NameBox, disc: Disc) -> bool:
    """Does a box lie on a disc?"""
    dx = disc.x - min(max(disc.x, box.left), box.right)
    dy = disc.y - min(max(disc.y, box.bottom), box.top)
    return dx * dx + dy * dy < disc.radius * disc.radius


def square(disc: Disc) -> NameBox:
    """The largest square in a disc."""
    half = 0.7071 * disc.radius
    return NameBox(disc.x - half, disc.y - half, disc.x + half, disc.y + half)


def crosses(line: Leader, box: NameBox) -> bool:
    """Does any part of a line lie in a box? The line is cut at each side of the box in turn."""
    low, high = 0.0, 1.0
    for start, end, least, most in (
        (line.x, line.to_x, box.left, box.right), (line.y, line.to_y, box.bottom, box.top),
    ):  # fmt: skip
        if start == end:
            if not least < start < most:
                return False
            continue
        first, last = sorted(((least - start) / (end - start), (most - start) / (end - start)))
        low, high = max(low, first), min(high, last)
    return low < high
