"""Writes names beside points so that none overlap, with a thin line to a name that is far from its point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from typing import Any

from costcalc.table import visible

FONT_SIZE = 8  # points of type
MAX_NAMES = 40  # more cannot be read
MARK_RADIUS = 5  # points from the middle of a mark to its edge
NEAR, STEP, FARTHEST = 8, 9, 80  # points from a mark to its name, and how much farther each try is
AROUND = (0, 7, 2, 5, 4, 1, 6, 3)  # eighths of a turn: right first, left last


def label_points(
    axes: Any, named: Sequence[tuple[float, float, str]], others: Sequence[tuple[float, float]] = ()
) -> None:
    """Writes a name beside each (x, y, name), but not over these or other marks."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    axes.figure.draw_without_rendering()
    canvas: Any = FigureCanvasAgg(axes.figure)
    renderer = canvas.get_renderer()
    marks = [*others, *((x, y) for x, y, _ in named)]
    taken = [_around(axes.transData.transform(mark)) for mark in marks]
    for x, y, name in named[:MAX_NAMES]:
        taken.append(_place(axes, renderer, (x, y), visible(name), taken))


def _place(axes: Any, renderer: Any, at: tuple[float, float], name: str, taken: list[Any]) -> Any:
    """Writes the name at the first free place, else at the last place tried; returns its box."""
    frame = axes.get_window_extent(renderer)
    text = None
    for distance, dx, dy in _offsets():
        if text is not None:
            text.remove()
        text = _annotate(axes, at, name, dx, dy, distance > NEAR)
        box = _text_box(text, renderer)
        inside = frame.x0 <= box[0] and box[2] <= frame.x1 and frame.y0 <= box[1] and box[3] <= frame.y1
        if inside and not any(_meet(box, other) for other in taken):
            return box
    return box


def _annotate(axes: Any, at: tuple[float, float], name: str, dx: float, dy: float, line: bool) -> Any:
    return axes.annotate(
        name, at, (dx, dy), textcoords="offset points", fontsize=FONT_SIZE, zorder=5, in_layout=False,
        ha="left" if dx > 1 else "right" if dx < -1 else "center",
        va="bottom" if dy > 1 else "top" if dy < -1 else "center",
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
        arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3} if line else None,
    )  # fmt: skip


def _offsets() -> Iterator[tuple[float, float, float]]:
    distance = NEAR
    while distance <= FARTHEST:
        for eighth in AROUND:
            angle = eighth * pi / 4
            yield distance, distance * cos(angle), distance * sin(angle)
        distance += STEP


def _text_box(text: Any, renderer: Any) -> tuple[float, float, float, float]:
    from matplotlib.text import Text

    text.update_positions(renderer)  # an annotation gets its position when it is drawn
    box = Text.get_window_extent(text, renderer)  # without its line
    return box.x0, box.y0, box.x1, box.y1


def _around(mark: Any) -> tuple[float, float, float, float]:
    x, y = mark
    return x - MARK_RADIUS, y - MARK_RADIUS, x + MARK_RADIUS, y + MARK_RADIUS


def _meet(a: Any, b: Any) -> bool:
    return bool(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])
