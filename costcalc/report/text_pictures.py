"""Small pictures of characters: a heat map of two knobs in shades, or for one knob a line of bars for each metric.

    w 2     ░░▒▒▓█        params  ▁▁▁▂▄█  4.2 M to 8.1 M
      0.5    ░░▒▒▓

Darker or higher is more. Colour has no meaning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY
from costcalc.analysis.sweep.sweep_chart import chosen_metric, curves, heat_map
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.chart import HeatMap, are_numbers, short_number
from costcalc.table import visible
from costcalc.text import value_text

SHADES, PLAIN_SHADES = " ░▒▓█×", " .:*#x"  # the last for missing values
BARS, PLAIN_BARS = "▁▂▃▄▅▆▇█", "_.-=+*%#"
MAX_MAP_ROWS, MIN_CELL_WIDTH = 16, 2  # rows of a map, and columns of the terminal that a value has at least
MIN_WIDTH, MAX_WIDTH = 30, 100  # columns: no picture on fewer, none wider on more


def text_picture(found: Sweep, metric: str | None, width: int, blocks: bool = True) -> Iterator[str]:
    """A picture of a sweep in `width` characters; nothing for more than two knobs, a front, too many points or one."""
    long = [name for name, values in found.grid.axes.items() if len(values) > 1]
    if found.choice.reduces or not 0 < len(found) <= MAX_ROWS_IN_MEMORY or width < MIN_WIDTH:
        return
    if len(long) == 1:
        yield from _bar_lines(found, long[0], min(width, MAX_WIDTH), BARS if blocks else PLAIN_BARS)
    elif len(long) == 2:
        chart = heat_map(found, long[0], long[1], chosen_metric(found.metrics, metric))
        yield from _map_lines(chart, min(width, MAX_WIDTH), SHADES if blocks else PLAIN_SHADES)


def _bar_lines(found: Sweep, knob: str, width: int, bars: str) -> Iterator[str]:
    """A line for each metric: a bar for each value of the knob, and the least and the largest number."""
    chart = curves(found, knob)
    rows: list[tuple[str, tuple[Any, ...], str]] = []
    for axis, (line, *_) in chart.panels:
        if None in line.ys:  # not timed at some points
            continue
        rows.append((visible(axis.title), line.ys, f"{short_number(min(line.ys))} to {short_number(max(line.ys))}"))
    names = max((len(name) for name, *_ in rows), default=width)
    room = width - names - max((len(ends) for *_, ends in rows), default=0) - 4
    if room < 4:
        return
    xs = found.columns[knob].tolist()
    for name, ys, ends in rows:
        yield f"{name:<{names}}  {_bars(_thinned(ys, room), bars)}  {ends}"
    span = f"from {value_text(xs[0])} to {value_text(xs[-1])}"
    yield f"{visible(knob):<{names}}  {span if are_numbers(xs) else ', '.join(map(value_text, xs))}"


def _bars(values: Sequence[Any], bars: str) -> str:
    most = max(values)
    return "".join(bars[math.ceil(value * len(bars) / most) - 1 if value > 0 else 0] for value in values)


def _map_lines(chart: HeatMap, width: int, shades: str) -> Iterator[str]:
    ys = _thinned(range(len(chart.ys)), MAX_MAP_ROWS)
    labels = {at: value_text(chart.ys[at]) for at in ys}
    name, wide = visible(chart.y.title), max(map(len, labels.values()))
    margin = wide + len(name) + 2
    room = width - margin - len(chart.x.title) - 2
    first, last = (value_text(chart.xs[at]) for at in (0, -1))
    if room < max(4 * MIN_CELL_WIDTH, len(first) + len(last) + 1):
        return
    xs = _thinned(range(len(chart.xs)), room // MIN_CELL_WIDTH)
    cell = min(8, room // len(xs))
    known = [value for row in chart.cells for value in row if value is not None]
    if not known:
        return
    shades, nothing = shades[:-1], shades[-1]
    shade = _shading(min(known), max(known), shades)
    for at in reversed(ys):
        row = (chart.cells[at][i] for i in xs)
        cells = "".join((nothing if value is None else shade(value)) * cell for value in row)
        yield f"{name if at == ys[-1] else '':<{len(name)}} {labels[at]:>{wide}} {cells}".rstrip()
    under = f"{first}{' ' * max(1, cell * len(xs) - len(first) - len(last))}{last}"
    yield f"{' ' * margin}{under}  {visible(chart.x.title)}"
    missing = [f"[{nothing}] none"] if any(value is None for row in chart.cells for value in row) else []
    yield from _wrapped([*_legend(chart, min(known), max(known), shades), *missing], width)


def _shading(low: Any, high: Any, shades: str) -> Any:
    """A function from values to shades, logarithmic if all values are positive."""
    scale = math.log if low > 0 else float
    start, span = scale(low), scale(high) - scale(low)
    return lambda value: shades[min(len(shades) - 1, int((scale(value) - start) / span * len(shades))) if span else 0]


def _legend(chart: HeatMap, low: Any, high: Any, shades: str) -> list[str]:
    """The value at which each shade starts."""
    count = len(shades)
    starts = [low * (high / low) ** (i / count) if low > 0 else low + (high - low) * i / count for i in range(count)]
    said = [f"[{shade}] {short_number(start)}" for shade, start in zip(shades, starts)]
    return [f"{visible(chart.what.title)} from {said[0]}", *said[1:-1], f"{said[-1]} to {short_number(high)}"]


def _thinned(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of these values, evenly spaced, with the first and the last."""
    if len(values) <= most:
        return [*values]
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def _wrapped(words: Sequence[str], width: int) -> Iterator[str]:
    """Joins texts to lines of at most `width` characters."""
    line = ""
    for word in words:
        if line and len(line) + len(word) + 2 > width:
            yield line
            line = ""
        line += ("  " if line or word is not words[0] else "") + word
    yield line
