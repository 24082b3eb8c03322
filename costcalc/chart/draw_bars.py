"""Draws bars: for each category one of each thing, told apart by shade and hatch; a single thing has its numbers."""

from __future__ import annotations

from typing import Any

from costcalc.chart.axes import FONT_SIZE, figure, label, legend, write_notes
from costcalc.chart.chart_data import BarsData, short_number
from costcalc.table import visible

FILLS = (
    ("#1f5fa8", ""), ("#cfe0f3", ""), ("#444444", ""), ("#ffffff", "////"), ("#7fa8d8", ""), ("#ffffff", "...."),
    ("#b5b5b5", ""), ("#cfe0f3", "xxxx"),
)  # fmt: skip
GROUP_WIDTH = 0.82  # of the distance from one category to the next
MIN_WIDE = 4  # categories: fewer do not get wider bars
MAX_LETTERS = 90  # of the categories in one line


def draw_bars(chart: BarsData) -> Any:
    drawing, ((axes,),) = figure(chart, height=4.2)
    write_notes(drawing, chart.notes)
    _draw_groups(axes, chart)
    _name_axes(axes, chart)
    if len(chart.bars) > 1:
        legend(axes)
    return drawing


def _draw_groups(axes: Any, chart: BarsData) -> None:
    """Draws the bars of each category around its place; those of a single thing with their numbers."""
    width = GROUP_WIDTH / max(1, len(chart.bars))
    for i, bar in enumerate(chart.bars):
        known = [(j, float(value)) for j, value in enumerate(bar.values) if value is not None]
        at = [j - GROUP_WIDTH / 2 + (i + 0.5) * width for j, _ in known]
        fill, hatch = FILLS[i % len(FILLS)]
        axes.bar(
            at, [value for _, value in known], width, label=label(bar.label), color=fill, hatch=hatch, edgecolor="0.25",
            linewidth=0.6, zorder=3,
        )  # fmt: skip
        if len(chart.bars) == 1:
            for x, (j, value) in zip(at, known):
                axes.annotate(
                    short_number(bar.values[j]), (x, value), (0, 2), textcoords="offset points", ha="center",
                    va="bottom", fontsize=FONT_SIZE,
                )  # fmt: skip


def _name_axes(axes: Any, chart: BarsData) -> None:
    """Names the categories and the axes, and leaves room beside few bars."""
    from matplotlib.ticker import FuncFormatter

    names = [visible(name) for name in chart.categories]
    turned = sum(map(len, names)) > MAX_LETTERS
    axes.set_xticks([*range(len(names))], names, rotation=45 if turned else 0, ha="right" if turned else "center")
    axes.set_xlabel(visible(chart.x.label))
    axes.set_ylabel(visible(chart.y.label))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: short_number(number)))
    axes.margins(y=0.1)
    beside = max(0.6, (MIN_WIDE - len(names) + 1) / 2)
    axes.set_xlim(-beside, len(names) - 1 + beside)
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
