"""Draws a heat map: cells from white to blue, with a number in each or contour lines, and named points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from costcalc.chart.axes import INK, figure
from costcalc.chart.chart_data import MAX_NUMBERED_VALUES, HeatMapData, are_numbers, short_number
from costcalc.chart.point_labels import label_points
from costcalc.table import visible
from costcalc.text import value_text

MAX_TICKS = 9  # values that are written along an axis
MIN_SPAN = 0.25  # of the width or the height: a longer contour line gets its number


def draw_heat_map(chart: HeatMapData) -> Any:
    import numpy

    drawing, ((axes,),) = figure(chart)
    values = numpy.array([[math.nan if v is None else float(v) for v in row] for row in chart.cells])
    axes.set_facecolor("white")
    axes.patch.set(hatch="////", edgecolor="0.7")  # shows where there is no number
    known = values[~numpy.isnan(values)]
    ends = _ends(known)
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=_pale(), interpolation="none", norm=_norm(*ends))
    for axis, found in ((axes.xaxis, chart.xs), (axes.yaxis, chart.ys)):
        at = [*range(0, len(found), max(1, -(-len(found) // MAX_TICKS)))]
        axis.set_ticks(at, [value_text(found[i]) for i in at])
    axes.set_xlabel(visible(chart.x.label))
    axes.set_ylabel(visible(chart.y.label))
    if max(map(len, (chart.xs, chart.ys))) <= MAX_NUMBERED_VALUES:
        _write_cells(axes, chart)
    elif ends[1] > ends[0] and are_numbers(chart.xs + chart.ys):
        _draw_levels(axes, values, *ends)
    bar = drawing.colorbar(image, ax=axes, ticks=_round_levels(*ends), format=lambda number, _: short_number(number))
    bar.minorticks_off()
    bar.set_label(visible(chart.what.label))
    _mark(axes, chart)
    return drawing


def _ends(known: Any) -> tuple[float, float]:
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _norm(low: float, high: float) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    return LogNorm(low, high) if low > 0 and high > 4 * low else Normalize(low, high)


def _pale() -> Any:
    """From white to a blue on which black is legible; in grey print the order stays."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("pale", ["#ffffff", "#cfe0f3", "#7fa8d8"])


def _write_cells(axes: Any, chart: HeatMapData) -> None:
    size = 9 if len(chart.xs) <= 9 else 7
    for j, row in enumerate(chart.cells):
        for i, value in enumerate(row):
            if value is not None:
                axes.text(i, j, short_number(value), ha="center", va="center", fontsize=size)


def _draw_levels(axes: Any, values: Any, low: float, high: float) -> None:
    """Draws lines of equal cost at round numbers, and labels the long ones."""
    import numpy

    levels = _round_levels(low, high)
    lines = axes.contour(values, levels=levels, colors=INK, linewidths=0.8)
    size = values.shape[::-1]  # columns, rows
    room = [
        max((float((numpy.ptp(part, axis=0) / size).sum()) for part in parts if len(part)), default=0) > MIN_SPAN
        for parts in lines.allsegs
    ]
    labelled = [level for level, long in zip(lines.levels, room) if long]
    if labelled:
        axes.clabel(lines, labelled, fmt=short_number, fontsize=8, inline=True, inline_spacing=3)


def _round_levels(low: float, high: float) -> list[float]:
    """5 to 10 numbers like 1, 2 and 5 times a power of ten; evenly spaced ones where the ends are near each other."""
    tens = range(math.floor(math.log10(max(low, 1e-9))), math.ceil(math.log10(max(high, 1e-9))) + 1)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [n * 10.0**k for k in tens for n in digits if low < n * 10.0**k < high]
        if len(found) >= 5:
            return found[:: -(-len(found) // 10)]
    from matplotlib.ticker import MaxNLocator

    return [float(level) for level in MaxNLocator(7).tick_values(low, high) if low < level < high]


def _mark(axes: Any, chart: HeatMapData) -> None:
    """Marks named points, between the cells if their values are between those of the cells."""
    import numpy

    def place(value: Any, found: Sequence[Any]) -> float:
        return float(numpy.interp(float(value), [*map(float, found)], range(len(found))))

    xs, ys = ([place(getattr(m, k), v) for m in chart.marks] for k, v in (("x", chart.xs), ("y", chart.ys)))
    axes.plot(xs, ys, linestyle="", marker="o", markersize=6, markerfacecolor="white", markeredgecolor=INK)
    label_points(axes, [*zip(xs, ys, (mark.name for mark in chart.marks))])
