"""Parts of all pictures: a figure with a title, labelled axes, a legend."""

from __future__ import annotations

import textwrap
from typing import Any

from costcalc.chart.chart_data import Axis, short_number
from costcalc.table import visible

INK, PALE, ACCENT = "black", "0.6", "#1f5fa8"
WIDTH, HEIGHT = 7.2, 4.6  # inches
TITLE_WIDTH = 80  # characters


def figure(title: str, rows: int = 1, columns: int = 1, height: float = HEIGHT) -> tuple[Any, Any]:
    """A figure of `height` inches, and its axes, row by row."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = drawing.subplots(rows, columns, squeeze=False)
    lines = textwrap.wrap(visible(title), TITLE_WIDTH)
    drawing.suptitle("\n".join(lines), fontsize=11)
    return drawing, axes


def label_axes(axes: Any, x: Axis, y: Axis) -> None:
    """Sets the titles with their units, the scales, and short numbers."""
    from matplotlib.ticker import FuncFormatter

    for axis, of in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_label_text(visible(of.label))
        if of.log:
            (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
        axis.set_major_formatter(FuncFormatter(lambda number, _: short_number(number)))
        axis.set_minor_formatter(FuncFormatter(lambda number, _: ""))


def label_few_decades(axes: Any, x: Axis, y: Axis) -> None:
    """Labels 1, 2 and 5 too on a logarithmic axis of less than three decades."""
    from matplotlib.ticker import LogLocator

    for axis, of, (low, high) in ((axes.xaxis, x, axes.get_xlim()), (axes.yaxis, y, axes.get_ylim())):
        if of.log and high / low < 1000:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 3 else tuple(range(1, 10))))


def legend(axes: Any) -> None:
    """Adds a legend at the place where it hides least."""
    axes.legend(frameon=True, framealpha=0.9, edgecolor="0.8", fontsize=8)


def label(text: str) -> str:
    """A text for the legend. Matplotlib hides labels that begin with `_`."""
    return f" {visible(text)}" if text.startswith("_") else visible(text)
