"""Pictures by matplotlib: legible in black and white, the same to the letter each time, names no mathematics."""

from __future__ import annotations

import io
import logging
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from costcalc.chart import FEW, Axis, Chart, Curves, Group, HeatMap, Line, Scatter, short
from costcalc.chart.names import put_names
from costcalc.errors import MissingExtra
from costcalc.table import visible
from costcalc.text import value_text

INK, PALE, ACCENT = "black", "0.6", "#1f5fa8"
WIDTH, HEIGHT = 7.2, 4.6  # inches
STYLE = {
    "svg.hashsalt": "costcalc", "svg.fonttype": "none", "font.size": 10, "axes.titlesize": 11, "axes.spines.top": False,
    "axes.spines.right": False, "figure.dpi": 100, "savefig.dpi": 150, "hatch.linewidth": 0.6, "path.simplify": False,
    "axes.unicode_minus": False, "text.parse_math": False,
}  # fmt: skip
UNDATED = {"svg": dict.fromkeys(("Date", "Creator", "Format", "Type")), "png": {"Software": None}}
MARKERS = "osD^vP*X"
CROWD = 1_500  # dots that are still drawn one by one
LINE = 80  # signs of a title
TICKS = 9  # values that are written along an axis of cells


def drawn(chart: Chart, format: str) -> bytes:
    """The picture as bytes of an SVG or PNG. Raises MissingExtra without matplotlib."""
    out = io.BytesIO()
    with _quietly(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that its font lacks: an SVG is read with the reader's
        try:
            import matplotlib
        except ImportError:
            raise MissingExtra("pictures need matplotlib", "report") from None
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            settings: Any = matplotlib.rcParams
            settings.update(STYLE)
            DRAWERS[type(chart)](chart).savefig(out, format=format, metadata=UNDATED[format])
    return out.getvalue()


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what matplotlib says of its caches, which is no part of what was asked for."""
    log = logging.getLogger("matplotlib")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _figure(title: str, rows: int = 1, columns: int = 1, height: float = HEIGHT) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    lines = textwrap.wrap(visible(title), LINE)
    figure.suptitle("\n".join(lines), fontsize=11)
    return figure, axes


def _name_axes(axes: Any, x: Axis, y: Axis) -> None:
    from matplotlib.ticker import FuncFormatter

    for axis, of, said in ((axes.xaxis, x, axes.set_xlabel), (axes.yaxis, y, axes.set_ylabel)):
        said(visible(of.label))
        if of.log:
            (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
        axis.set_major_formatter(FuncFormatter(lambda number, _: short(number)))
        axis.set_minor_formatter(FuncFormatter(lambda number, _: ""))


def _label_few_decades(axes: Any, x: Axis, y: Axis) -> None:
    """On an axis of less than two decades 1, 2 and 5 are written too."""
    from matplotlib.ticker import LogLocator

    for axis, of, (low, high) in ((axes.xaxis, x, axes.get_xlim()), (axes.yaxis, y, axes.get_ylim())):
        if of.log and high / low < 1000:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 3 else tuple(range(1, 10))))


def _draw_curves(chart: Curves) -> Any:
    columns = min(2, len(chart.panels))
    rows = -(-len(chart.panels) // columns)
    figure, grid = _figure(chart.title, rows, columns, 0.6 + 2.3 * rows if rows > 1 else 3.4)
    cells = [*chain.from_iterable(grid)]
    for axes, (y, lines) in zip(cells, chart.panels):
        for i, line in enumerate(lines):
            _draw_line(axes, line, i)
        _name_axes(axes, chart.x, y)
        axes.set_ylim(bottom=0)
        axes.grid(color="0.88", linewidth=0.6)
        if len(lines) > 1:
            _legend(axes)
    for axes in cells[len(chart.panels) :]:
        axes.set_visible(False)
    return figure


def _draw_line(axes: Any, line: Line, number: int) -> None:
    look = {"linestyle": "--", "color": PALE, "linewidth": 1.4} if line.dashed else {"color": INK, "linewidth": 1.2}
    marker = (
        {"marker": MARKERS[number % len(MARKERS)], "markersize": 3} if not line.dashed and len(line.xs) <= 60 else {}
    )
    axes.plot(
        [*map(float, line.xs)],
        [math.nan if y is None else float(y) for y in line.ys],
        label=_label(line.label),
        **look,
        **marker,
    )


def _draw_heat_map(chart: HeatMap) -> Any:
    import numpy

    figure, ((axes,),) = _figure(chart.title)
    values = numpy.array([[math.nan if v is None else float(v) for v in row] for row in chart.cells])
    axes.set_facecolor("white")
    axes.patch.set(hatch="////", edgecolor="0.7")  # shows where there is no number
    known = values[~numpy.isnan(values)]
    ends = _ends(known)
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=_pale(), interpolation="none", norm=_norm(*ends))
    for axis, found in ((axes.xaxis, chart.xs), (axes.yaxis, chart.ys)):
        at = [*range(0, len(found), max(1, -(-len(found) // TICKS)))]
        axis.set_ticks(at, [value_text(found[i]) for i in at])
    axes.set_xlabel(visible(chart.x.label))
    axes.set_ylabel(visible(chart.y.label))
    if max(map(len, (chart.xs, chart.ys))) <= FEW:
        _write_cells(axes, chart)
    elif ends[1] > ends[0]:
        _draw_levels(axes, values, *ends)
    bar = figure.colorbar(image, ax=axes, ticks=_round_levels(*ends), format=lambda number, _: short(number))
    bar.minorticks_off()
    bar.set_label(visible(chart.what.label))
    _mark(axes, chart)
    return figure


def _ends(known: Any) -> tuple[float, float]:
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _norm(low: float, high: float) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    return LogNorm(low, high) if low > 0 and high > 4 * low else Normalize(low, high)


def _pale() -> Any:
    """From white to a blue on which black can still be read; grey print keeps the order."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("pale", ["#ffffff", "#cfe0f3", "#7fa8d8"])


def _write_cells(axes: Any, chart: HeatMap) -> None:
    size = 9 if len(chart.xs) <= 9 else 7
    for j, row in enumerate(chart.cells):
        for i, value in enumerate(row):
            if value is not None:
                axes.text(i, j, short(value), ha="center", va="center", fontsize=size)


def _draw_levels(axes: Any, values: Any, low: float, high: float) -> None:
    """Lines of equal cost at round numbers, each that is long enough with its number."""
    import numpy

    levels = _round_levels(low, high)
    lines = axes.contour(values, levels=levels, colors=INK, linewidths=0.8)
    least = max(values.shape) / 4  # cells that a line goes through
    room = [
        least < max((float(numpy.ptp(part, axis=0).sum()) for part in parts if len(part)), default=0)
        for parts in lines.allsegs
    ]
    labelled = [level for level, long in zip(lines.levels, room) if long]
    if labelled:
        axes.clabel(lines, labelled, fmt=short, fontsize=8, inline=True, inline_spacing=3)


def _round_levels(low: float, high: float) -> list[float]:
    """5 to 10 numbers like 1, 2 and 5 times a power of ten; evenly spaced ones where the ends are near each other."""
    tens = range(math.floor(math.log10(max(low, 1e-9))), math.ceil(math.log10(max(high, 1e-9))) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [n * 10.0**k for k in tens for n in digits if low < n * 10.0**k < high]
        if len(found) >= 5:
            return found[:: -(-len(found) // 10)]
    from matplotlib.ticker import MaxNLocator

    return [float(level) for level in MaxNLocator(7).tick_values(low, high) if low < level < high]


def _mark(axes: Any, chart: HeatMap) -> None:
    """Named points, between the cells if their values are."""
    import numpy

    def place(value: Any, found: Sequence[Any]) -> float:
        return float(numpy.interp(float(value), [*map(float, found)], range(len(found))))

    xs, ys = ([place(getattr(m, k), v) for m in chart.marks] for k, v in (("x", chart.xs), ("y", chart.ys)))
    axes.plot(xs, ys, linestyle="", marker="o", markersize=6, markerfacecolor="white", markeredgecolor=INK)
    put_names(axes, [*zip(xs, ys, (mark.name for mark in chart.marks))])


def _draw_scatter(chart: Scatter) -> Any:
    figure, ((axes,),) = _figure(chart.title, height=5.2)
    for group in chart.groups:
        _draw_group(axes, group)
    _name_axes(axes, chart.x, chart.y)
    axes.margins(0.08)
    _label_few_decades(axes, chart.x, chart.y)
    axes.grid(color="0.9", linewidth=0.6)
    if len(chart.groups) > 1:
        _legend(axes)
    named = [(float(p.x), float(p.y), p.name) for group in chart.groups for p in group.points if p.name]
    put_names(axes, named, [(float(p.x), float(p.y)) for g in chart.groups if g.kind == "rings" for p in g.points])
    return figure


LOOKS: dict[str, dict[str, Any]] = {
    "dots": {"linestyle": "", "marker": ".", "markersize": 3, "color": PALE},
    "marks": {"linestyle": "", "marker": "o", "markersize": 6, "color": INK, "zorder": 4},
    "rings": {"linestyle": "", "marker": "D", "markersize": 9, "markerfacecolor": "none", "color": ACCENT, "zorder": 3},
    "squares": {"linestyle": "", "marker": "s", "markersize": 4, "color": ACCENT},
    "steps": {"drawstyle": "steps-post", "marker": "s", "markersize": 3, "color": ACCENT, "linewidth": 1.2},
}


def _draw_group(axes: Any, group: Group) -> None:
    xs, ys = [float(p.x) for p in group.points], [float(p.y) for p in group.points]
    axes.plot(xs, ys, label=_label(group.label), rasterized=len(xs) > CROWD, **LOOKS[group.kind])


def _legend(axes: Any) -> None:
    axes.legend(frameon=True, framealpha=0.9, edgecolor="0.8", fontsize=8)


def _label(text: str) -> str:
    return f" {visible(text)}" if text.startswith("_") else visible(text)  # matplotlib hides what starts so


DRAWERS: dict[type[Chart], Callable[[Any], Any]] = {
    Curves: _draw_curves, HeatMap: _draw_heat_map, Scatter: _draw_scatter,
}  # fmt: skip
