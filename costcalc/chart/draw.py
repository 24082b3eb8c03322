"""Draws charts with matplotlib: legible in black and white, the same bytes each time, names without markup."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import Any

from costcalc.chart.axes import ACCENT, INK, PALE, figure, fixed_legend, label, label_axes, label_few_decades, legend
from costcalc.chart.chart_data import (
    BallsData,
    BandsData,
    BarsData,
    ChartData,
    CurvesData,
    Group,
    HeatMapData,
    Line,
    RooflineData,
    ScatterData,
    are_numbers,
)
from costcalc.chart.draw_balls import draw_balls
from costcalc.chart.draw_bands import draw_bands
from costcalc.chart.draw_bars import draw_bars
from costcalc.chart.draw_heat_map import draw_heat_map
from costcalc.chart.draw_roofline import draw_roofline
from costcalc.chart.point_labels import MARK_RADIUS, Obstacles, label_points
from costcalc.errors import MissingExtra
from costcalc.text import value_text

STYLE = {
    "svg.hashsalt": "costcalc", "svg.fonttype": "none", "font.size": 10, "axes.titlesize": 11, "axes.spines.top": False,
    "axes.spines.right": False, "figure.dpi": 100, "savefig.dpi": 150, "hatch.linewidth": 0.6, "path.simplify": False,
    "axes.unicode_minus": False, "text.parse_math": False, "pdf.fonttype": 42, "ps.fonttype": 42,
}  # fmt: skip
UNDATED: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")), "png": {"Software": None},
    "pdf": dict.fromkeys(("CreationDate", "ModDate", "Creator", "Producer")),
}  # fmt: skip
MARKERS = "osD^vP*X"
ROUND_MARKERS = "o."  # others have corners
EDGE_WIDTH = 1.0  # of the line around a marker, in points of type
MAX_POINTS_AVOIDED = 200  # of a group: names lie on the marks of larger ones
MAX_VECTOR_DOTS = 1_500  # more of them become one raster image


def import_matplotlib() -> Any:
    """The module matplotlib. Raises MissingExtra without it."""
    try:
        import matplotlib
    except ImportError:
        raise MissingExtra("pictures need matplotlib", "report") from None
    return matplotlib


def render(chart: ChartData, format: str) -> bytes:
    """The picture as bytes of an SVG, PNG or PDF. Raises MissingExtra without matplotlib."""
    out = io.BytesIO()
    with drawn(chart) as figure:
        figure.savefig(out, format=format, metadata=UNDATED[format])
    return out.getvalue()


@contextmanager
def drawn(chart: ChartData) -> Iterator[Any]:
    """The figure of a chart, in our style whatever the reader has set. Raises MissingExtra without matplotlib."""
    with quietly(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that its font lacks: a reader of an SVG has other fonts
        plotting = import_matplotlib()
        with plotting.rc_context():
            plotting.rcdefaults()
            plotting.rcParams.update(STYLE)
            yield next(draw for kind, draw in DRAWERS.items() if isinstance(chart, kind))(chart)


@contextmanager
def quietly() -> Iterator[None]:
    """Hides the messages of matplotlib about its caches."""
    log = logging.getLogger("matplotlib")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _draw_curves(chart: CurvesData) -> Any:
    columns = min(2, len(chart.panels))
    rows = -(-len(chart.panels) // columns)
    drawing, grid = figure(chart, rows, columns, 0.6 + 2.5 * rows if rows > 1 else 3.4)
    cells = [*chain.from_iterable(grid)]
    for axes, (y, lines) in zip(cells, chart.panels):
        for i, line in enumerate(lines):
            _draw_line(axes, line, i)
        label_axes(axes, chart.x, y)
        if lines and not are_numbers(lines[0].xs):
            axes.set_xticks([*range(len(lines[0].xs))], [*map(value_text, lines[0].xs)])
            axes.margins(0.15, 0.5)
        axes.set_ylim(bottom=0)
        axes.grid(color="0.88", linewidth=0.6)
        if len(lines) > 1:
            legend(axes)
    for axes in cells[len(chart.panels) :]:
        axes.set_visible(False)
    return drawing


def _draw_line(axes: Any, line: Line, number: int) -> None:
    look: dict[str, Any] = {"linestyle": "-", "color": INK, "linewidth": 1.2}
    places, ordered = [*range(len(line.xs))], are_numbers(line.xs)
    if line.dashed:
        look = {"linestyle": "--", "color": PALE, "linewidth": 1.4}
    elif len(line.xs) <= 60 or not ordered:
        look |= {"marker": MARKERS[number % len(MARKERS)], "markersize": 3 if ordered else 6}
    if not ordered:  # no line joins flags or words
        look["linestyle"] = ""
    axes.plot(
        [*map(float, line.xs)] if ordered else places,
        [math.nan if y is None else float(y) for y in line.ys],
        label=label(line.label),
        **look,
    )


def _draw_scatter(chart: ScatterData) -> Any:
    drawing, ((axes,),) = figure(chart, height=5.2)
    for group in chart.groups:
        _draw_group(axes, group)
    label_axes(axes, chart.x, chart.y)
    axes.margins(0.08)
    label_few_decades(axes, chart.x, chart.y)
    axes.grid(color="0.9", linewidth=0.6)
    boxes = [fixed_legend(axes)] if len(chart.groups) > 1 else []
    named = [(float(p.x), float(p.y), p.name) for group in chart.groups for p in group.points if p.name]
    few = [group for group in chart.groups if group.kind != "dots" and len(group.points) <= MAX_POINTS_AVOIDED]
    others = [(float(p.x), float(p.y), _reach(group)) for group in few for p in group.points if not p.name]
    reach = max([MARK_RADIUS, *(_reach(group) + RING_GAP for group in few if group.kind == "rings")])
    lines = [line for group in few if group.kind == "steps" for line in _steps(group)]
    label_points(axes, named, Obstacles(others, lines, boxes), [reach] * len(named))
    return drawing


def _steps(group: Group) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The two lines from each point to the next."""
    for one, other in pairwise(group.points):
        corner = float(other.x), float(one.y)
        yield (float(one.x), float(one.y)), corner
        yield corner, (float(other.x), float(other.y))


LOOKS: dict[str, dict[str, Any]] = {
    "dots": {"linestyle": "", "marker": ".", "markersize": 3, "color": PALE},
    "marks": {"linestyle": "", "marker": "o", "markersize": 6, "color": INK, "zorder": 4},
    "rings": {"linestyle": "", "marker": "D", "markersize": 9, "markerfacecolor": "none", "color": ACCENT, "zorder": 3},
    "squares": {"linestyle": "", "marker": "s", "markersize": 4, "color": ACCENT},
    "steps": {"drawstyle": "steps-post", "marker": "s", "markersize": 3, "color": ACCENT, "linewidth": 1.2},
}
RING_GAP = 1.6  # points of type between a ring and the mark that it belongs to


def _reach(group: Group) -> float:
    """How far the marks of a group reach from their middle, in points of type."""
    look = LOOKS[group.kind]
    radius = look["markersize"] / 2 * (1 if look["marker"] in ROUND_MARKERS else math.sqrt(2))
    return float(radius + EDGE_WIDTH / 2)


def _draw_group(axes: Any, group: Group) -> None:
    xs, ys = [float(p.x) for p in group.points], [float(p.y) for p in group.points]
    axes.plot(xs, ys, label=label(group.label), rasterized=len(xs) > MAX_VECTOR_DOTS, **LOOKS[group.kind])


DRAWERS: dict[type[ChartData], Callable[[Any], Any]] = {
    CurvesData: _draw_curves, HeatMapData: draw_heat_map, ScatterData: _draw_scatter,
    BallsData: draw_balls, BarsData: draw_bars, BandsData: draw_bands, RooflineData: draw_roofline,
}  # fmt: skip
