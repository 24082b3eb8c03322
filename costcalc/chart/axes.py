"""Parts of all pictures: a figure with a title, labelled axes, a legend."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any

from costcalc.chart.chart_data import Axis, ChartData, short_number, significant_digits
from costcalc.chart.label_places import NameBox
from costcalc.table import visible

INK, PALE, ACCENT = "black", "0.6", "#1f5fa8"
WIDTH, HEIGHT = 7.2, 4.6  # inches
EDGE = 0.09  # inches between what is drawn and the edge
TITLE_WIDTH = 80  # characters
FONT_SIZE = 8  # of names and notes, in points of type
LINE_HEIGHT = 11  # of notes, in points of type
MAX_NOTE_LINES = 40  # a note of thousands of names is cut
POINTS_PER_INCH = 72


def figure(chart: ChartData, rows: int = 1, columns: int = 1, height: float = HEIGHT) -> tuple[Any, Any]:
    """A figure of `height` inches with the title of a chart, and its axes, row by row."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = drawing.subplots(rows, columns, squeeze=False)
    engine: Any = drawing.get_layout_engine()
    engine.set(w_pad=EDGE, h_pad=EDGE)
    drawing.suptitle("\n".join(title_lines(visible(chart.title), visible(chart.subtitle))), fontsize=11)
    return drawing, axes


def title_lines(title: str, subtitle: str = "") -> list[str]:
    """A title, and its subtitle in brackets: in one line if both fit, else each in lines of about one length."""
    parts = [title, f"({subtitle})"] if subtitle else [title]
    if len(together := " ".join(parts)) <= TITLE_WIDTH:
        return [together]
    return [line for part in parts for line in _even_lines(part)]


def _even_lines(text: str) -> list[str]:
    lines = textwrap.wrap(text, TITLE_WIDTH)
    widths = range(-(-len(text) // len(lines)), TITLE_WIDTH) if lines else ()
    return next((found for width in widths if len(found := textwrap.wrap(text, width)) == len(lines)), lines)


def label_axes(axes: Any, x: Axis, y: Axis) -> None:
    """Sets the titles with their units, the scales, and short numbers."""
    from matplotlib.ticker import FuncFormatter

    for axis, of in ((axes.xaxis, x), (axes.yaxis, y)):
        axis.set_label_text(visible(of.label))
        if of.log:
            (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
        axis.set_major_formatter(FuncFormatter(partial(_tick_text, axis)))
        axis.set_minor_formatter(FuncFormatter(lambda number, _: ""))


def _tick_text(axis: Any, number: float, _: int) -> str:
    """The number at a tick, with as many digits as tell the ticks of its axis apart."""
    return short_number(number, significant_digits(axis.get_majorticklocs()))


def label_few_decades(axes: Any, x: Axis, y: Axis) -> None:
    """Labels 1, 2 and 5 too on a logarithmic axis of less than three decades."""
    from matplotlib.ticker import LogLocator

    for axis, of, (low, high) in ((axes.xaxis, x, axes.get_xlim()), (axes.yaxis, y, axes.get_ylim())):
        if of.log and high / low < 1000:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 3 else tuple(range(1, 10))))


def legend(axes: Any) -> None:
    """Adds a legend at the place where it hides least."""
    _legend_at(axes, "best")


def fixed_legend(axes: Any) -> NameBox:
    """Adds a legend, which stays at its place whatever is drawn later; returns that, in pixels."""
    found = _legend_at(axes, "best")
    axes.figure.draw_without_rendering()
    axes.figure.set_layout_engine("none")  # what is measured here stays where it is
    box = found.get_window_extent(renderer_of(axes.figure))
    _legend_at(axes, tuple(axes.transAxes.inverted().transform((box.x0, box.y0))))
    return NameBox(box.x0, box.y0, box.x1, box.y1)


def _legend_at(axes: Any, where: Any) -> Any:
    return axes.legend(
        loc=where, frameon=True, framealpha=0.9, edgecolor="0.8", fontsize=FONT_SIZE, borderaxespad=0.8
    )  # fmt: skip


def label(text: str) -> str:
    """A text for the legend. Matplotlib hides labels that begin with `_`."""
    return f" {visible(text)}" if text.startswith("_") else visible(text)


def write_notes(drawing: Any, notes: Sequence[str]) -> None:
    """Writes notes below the axes, which keep their height: the figure becomes higher."""
    renderer, width = renderer_of(drawing), (WIDTH - 0.3) * drawing.dpi
    lines = [line for note in notes for line in wrapped(renderer, visible(note), width)]
    if len(lines) > MAX_NOTE_LINES:
        lines = [*lines[: MAX_NOTE_LINES - 1], "…"]
    if not lines:
        return
    room = (LINE_HEIGHT * len(lines) + 8) / POINTS_PER_INCH
    height = drawing.get_figheight() + room
    drawing.set_figheight(height)
    drawing.get_layout_engine().set(rect=(0, room / height, 1, 1 - room / height))
    for i, line in enumerate(lines):
        y = (LINE_HEIGHT * (len(lines) - i) - 4) / POINTS_PER_INCH / height
        drawing.text(0.15 / WIDTH, y, line, fontsize=FONT_SIZE, color="0.25", va="center", in_layout=False)


def wrapped(renderer: Any, text: str, width: float) -> list[str]:
    """A text as lines of so many pixels at most; a word that is longer is cut into pieces."""
    lines, line = [], ""
    for word in text.split():
        if line and text_width(renderer, f"{line} {word}") > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while len(line) > 1 and text_width(renderer, line) > width:
            fits = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or text_width(renderer, line[:n]) <= width)
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def renderer_of(drawing: Any) -> Any:
    """A renderer that measures text."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(drawing)
    return canvas.get_renderer()


def text_width(renderer: Any, text: str, size: float = FONT_SIZE) -> float:
    """The width of a text in pixels."""
    from matplotlib.font_manager import FontProperties

    width, _, _ = renderer.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width)
