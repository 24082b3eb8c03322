"""Draws balls over two axes, each with its name beside it, and a ball of a round size as the key."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from costcalc.chart.axes import (
    ACCENT,
    FONT_SIZE,
    INK,
    POINTS_PER_INCH,
    WIDTH,
    figure,
    label_axes,
    label_few_decades,
    renderer_of,
    text_width,
    write_notes,
)
from costcalc.chart.chart_data import Ball, BallsData, short_number
from costcalc.chart.point_labels import label_points
from costcalc.table import visible

LARGEST_RADIUS = 24  # points of type
MANY_BALLS, LARGEST_OF_MANY = 12, 16  # more of them are drawn smaller
HEIGHT = 5.0  # inches, without notes
KEY_HEIGHT, KEY_GAP = 16, 12  # points of type: above the axes, and before each of its balls
SMALLEST_KEYED = 40
BALL: dict[str, Any] = {
    "linestyle": "", "marker": "o", "color": ACCENT, "alpha": 0.45, "markeredgecolor": "white", "markeredgewidth": 0.8,
}  # fmt: skip


def draw_balls(chart: BallsData) -> Any:
    """Names that find no room stand below."""
    drawing, lacking = _drawn(chart)
    if not lacking:
        return drawing
    note = f"without room for their names: {', '.join(lacking)}"
    return _drawn(replace(chart, notes=(*chart.notes, note)))[0]


def _drawn(chart: BallsData) -> tuple[Any, list[str]]:
    """The figure, and the names that found no room."""
    drawing, ((axes,),) = figure(chart, height=HEIGHT)
    write_notes(drawing, chart.notes)
    most = max((float(ball.size) for ball in chart.balls), default=1.0) or 1.0
    largest = LARGEST_RADIUS if len(chart.balls) <= MANY_BALLS else LARGEST_OF_MANY
    radii = [radius_of(ball, most, largest) for ball in chart.balls]
    order = sorted(range(len(radii)), key=lambda i: -radii[i])  # small ones stand before large ones
    xs, ys = ([float(getattr(ball, name)) for ball in chart.balls] for name in "xy")
    for i in order:
        axes.plot([xs[i]], [ys[i]], markersize=2 * radii[i], zorder=3, **BALL)
        axes.plot([xs[i]], [ys[i]], linestyle="", marker=".", markersize=3, color=INK, zorder=4)
    label_axes(axes, chart.x, chart.y)
    _leave_room(axes, chart, xs, ys, largest)
    label_few_decades(axes, chart.x, chart.y)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    _key(axes, chart, most, largest)
    named = [(x, y, ball.name) for x, y, ball in zip(xs, ys, chart.balls)]
    return drawing, label_points(axes, named, radii=radii)


def radius_of(ball: Ball, most: float, largest: float) -> float:
    """The radius in points of type: areas are as sizes, and that of the size `most` has the radius `largest`."""
    return largest * float((float(ball.size) / most) ** 0.5)


def round_size(most: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most a quarter of `most`."""
    power = 10.0 ** math.floor(math.log10(most / 4))
    return float(max(digit * power for digit in (1, 2, 5) if digit * power <= most / 4))


def _leave_room(axes: Any, chart: BallsData, xs: list[float], ys: list[float], largest: float) -> None:
    """Sets the limits so that no ball reaches an edge; around one value a factor of two, or its half."""
    axes.margins(2.6 * largest / (POINTS_PER_INCH * WIDTH), 3.2 * largest / (POINTS_PER_INCH * HEIGHT))
    for values, axis, limit in ((xs, chart.x, axes.set_xlim), (ys, chart.y, axes.set_ylim)):
        if values and min(values) == max(values):
            around = (values[0] / 2, values[0] * 2) if axis.log else (values[0] - 1, values[0] + 1)
            limit(*around)


def _key(axes: Any, chart: BallsData, most: float, largest: float) -> None:
    """Above the axes: what areas show, and two balls of round sizes."""
    from matplotlib.transforms import offset_copy

    def at(x: float) -> Any:
        return offset_copy(axes.transAxes, axes.figure, x, KEY_HEIGHT, "points")

    def write(x: float, text: str) -> float:
        look = {"transform": at(x), "color": INK, "fontsize": FONT_SIZE, "va": "center", "clip_on": False}
        axes.text(0, 1, text, in_layout=False, **look)
        return x + text_width(renderer, text) * POINTS_PER_INCH / float(renderer.dpi)

    if most < SMALLEST_KEYED:  # has no round parts
        return
    axes.set_title(" ", pad=KEY_HEIGHT)  # makes room
    renderer = renderer_of(axes.figure)
    size = round_size(most)
    x = write(0, f"area: {visible(chart.size.label)}")
    for one in (size / 10, size):
        radius = largest * (one / most) ** 0.5
        x += KEY_GAP + radius
        axes.plot([0], [1], transform=at(x), clip_on=False, markersize=2 * radius, **BALL)
        x = write(x + radius + 3, short_number(one))
