"""Writes names beside points so that none overlap, with a thin line to a name that is far from its point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.chart.axes import FONT_SIZE, POINTS_PER_INCH, renderer_of, text_width
from costcalc.chart.label_places import Disc, Leader, NameBox, NamePlace, NameSize, place_names
from costcalc.table import visible

MAX_NAMES = 80  # more cannot be read
MARK_RADIUS = 4  # points from the middle of a mark to its edge
PADDING = 1  # pixels around a name
INSIDE = 2  # pixels between a name and the edge of the axes


class Obstacles(NamedTuple):
    """What no name may lie on: marks (x, y, radius) and lines between two points, in data, radii in points of type; and
    boxes in pixels."""

    marks: Sequence[tuple[float, float, float]] = ()
    lines: Sequence[Sequence[tuple[float, float]]] = ()
    boxes: Sequence[NameBox] = ()


NO_OBSTACLES = Obstacles()


def label_points(
    axes: Any, named: Sequence[tuple[float, float, str]], obstacles: Obstacles = NO_OBSTACLES,
    radii: Sequence[float] = (),
) -> list[str]:  # fmt: skip
    """Writes a name beside each (x, y, name), not over another name or an obstacle; `radii` are those of the named
    points, in points of type. Returns the names for which there is no room."""
    renderer, frame = measured(axes)
    scale, to_pixels = axes.figure.dpi / POINTS_PER_INCH, axes.transData.transform
    sized = [*(radii or [MARK_RADIUS] * len(named)), *(radius for _, _, radius in obstacles.marks)]
    at = [to_pixels(mark) for mark in (*((x, y) for x, y, _ in named), *((x, y) for x, y, _ in obstacles.marks))]
    discs = [Disc(float(x), float(y), scale * radius) for (x, y), radius in zip(at, sized)]
    names = [visible(name) for _, _, name in named[:MAX_NAMES]]
    sizes = [NameSize(i, *_size(renderer, name)) for i, name in enumerate(names)]
    lines = [Leader(*map(float, (*to_pixels(start), *to_pixels(end)))) for start, end in obstacles.lines]
    found = place_names(frame, discs, sizes, lines, obstacles.boxes)
    for name, place, disc in zip(names, found, discs):
        if place is not None:
            _write(axes, name, place, disc, scale)
    lacking = [name for name, place in zip(names, found) if place is None]
    return [*lacking, *(visible(name) for _, _, name in named[MAX_NAMES:])]


def measured(axes: Any) -> tuple[Any, NameBox]:
    """A renderer that measures text, once the axes have their place; and that place, in pixels."""
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")  # what is measured here stays where it is
    renderer = renderer_of(axes.figure)
    frame = axes.get_window_extent(renderer)
    return renderer, NameBox(frame.x0 + INSIDE, frame.y0 + INSIDE, frame.x1 - INSIDE, frame.y1 - INSIDE)


def _size(renderer: Any, name: str) -> tuple[float, float]:
    return text_width(renderer, name) + 2 * PADDING, FONT_SIZE * renderer.dpi / POINTS_PER_INCH + 2 * PADDING


def _write(axes: Any, name: str, place: NamePlace, disc: Disc, scale: float) -> None:
    """Writes a name into its box, by its distance from its mark in points: so it stays there in each format."""
    box, leader = place
    left, middle = box.left + PADDING - disc.x, (box.bottom + box.top) / 2 - disc.y
    at = axes.transData.inverted().transform((disc.x, disc.y))
    axes.annotate(
        name, at, (left / scale, middle / scale), textcoords="offset points", annotation_clip=False, zorder=6,
        fontsize=FONT_SIZE, ha="left", va="center", in_layout=False,
        bbox={"facecolor": "white", "alpha": 0.9, "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip
    if leader:
        ends = [axes.transAxes.inverted().transform(end) for end in (leader[:2], leader[2:])]
        axes.plot(*zip(*ends), transform=axes.transAxes, color="0.45", linewidth=0.6, zorder=5, in_layout=False)
