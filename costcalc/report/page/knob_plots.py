"""Plots of a page that its sliders move: curves over one knob and maps over two, as plain SVG of few parts.

The page's script draws the same with the same arithmetic: plots.js. Numbers are floats here, exact ones stand in texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from costcalc.table import visible

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 34  # px around the axes
LEGEND = 15  # px of each line of a legend
DIGIT = 7  # px of a sign of type, at most
TICKS = 4  # at most so many steps from tick to tick
UNITS = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("K", 1e3), ("", 1.0))
Points = Sequence[float | None]


@dataclass(frozen=True)
class KnobCurves:
    """The values of networks along a knob: `values` has a row for each network, None where there is none. `now` is the
    value of the knob in each network, `even` where two of them cost the same."""

    id: str
    knob: str
    names: tuple[str, ...]
    at: tuple[float, ...]
    values: tuple[Points, ...]
    now: tuple[tuple[float, float | None], ...]
    even: float | None = None
    reasons: tuple[str, ...] = ()  # of each network, why it has no value at some point

    @property
    def gaps(self) -> str:
        """Which networks have no value at some points, and why."""
        said = []
        for name, row, reason in zip(self.names, self.values, self.reasons):
            if lacking := sum(value is None for value in row):
                why = f": {reason}" if reason else ""
                said.append(f"{name} has no numbers at {lacking} of the {len(row)} values of {self.knob}{why}.")
        return " ".join(said)

    def svg(self) -> str:
        """The plot as inline SVG."""
        legend = LEGEND * len(self.names) if len(self.names) > 1 else 0
        top = TOP + legend
        largest = max([v for row in self.values for v in row if v is not None] + [0.0])
        scale = Axes(self.at[0], self.at[-1], _top(largest), top)
        lines = [*scale.frame(self.knob)]
        if self.even is not None and self.at[0] <= self.even <= self.at[-1]:
            lines.append(f'<path class="even" d="M{number(scale.x(self.even))} {top}V{HEIGHT - BOTTOM}"/>')
        for n, row in enumerate(self.values):
            lines.append(f'<path class="curve line-{n % 4}" d="{scale.path(self.at, row)}"/>')
        for n, (x, y) in enumerate(self.now):
            if y is not None:
                lines.append(
                    f'<circle class="now line-{n % 4}" cx="{number(scale.x(x))}" cy="{number(scale.y(y))}" r="4"/>'
                )
        for n, name in enumerate(self.names if legend else ()):
            y = TOP + LEGEND * n + 2
            lines.append(f'<path class="key line-{n % 4}" d="M{LEFT} {y}h24"/>')
            lines.append(f'<text x="{LEFT + 30}" y="{y + 4}">{escape(visible(name))}</text>')
        return _svg(self.id, lines)


@dataclass(frozen=True)
class KnobMap:
    """The values of a network over two knobs, row by row from below; None where there is none. `now` is the network as
    it is set; `marks` are presets."""

    id: str
    knobs: tuple[str, str]
    at: tuple[tuple[float, ...], tuple[float, ...]]
    values: tuple[Points, ...]
    now: tuple[float, float]
    marks: tuple[tuple[float, float, str], ...] = ()

    def svg(self) -> str:
        """The plot as inline SVG."""
        xs, ys = self.at
        scale = Axes(xs[0], xs[-1], ys[-1], TOP, ys[0])
        middle = Middles(xs, ys)
        lines = [*scale.frame(self.knobs[0], self.knobs[1], middle)]
        wide, high = (WIDTH - LEFT - RIGHT) / len(xs), (HEIGHT - TOP - BOTTOM) / len(ys)
        lines.append('<g class="cells">')
        largest = max([v for row in self.values for v in row if v is not None] + [0.0]) or 1.0
        for j, row in enumerate(self.values):
            for i, value in enumerate(row):
                x, y = number(LEFT + i * wide), number(HEIGHT - BOTTOM - (j + 1) * high)
                opacity = shade(value, largest)
                lines.append(
                    f'<rect x="{x}" y="{y}" width="{number(wide)}" height="{number(high)}" fill-opacity="{opacity}"/>'
                )
        lines.append("</g>")
        lines += [
            f'<circle class="preset" cx="{number(middle.x(x))}" cy="{number(middle.y(y))}" r="3"><title>'
            f"{escape(visible(name))}</title></circle>"
            for x, y, name in self.marks
        ]
        x, y = number(middle.x(self.now[0])), number(middle.y(self.now[1]))
        lines.append(f'<path class="here" d="M{x} {TOP}V{HEIGHT - BOTTOM}M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        lines.append(f'<circle class="now line-0" cx="{x}" cy="{y}" r="5"/>')
        return _svg(self.id, lines)


@dataclass(frozen=True)
class Axes:
    """The places of values: x from `first` to `last`, y from `low` to `high`."""

    first: float
    last: float
    high: float
    top: float
    low: float = 0.0

    def x(self, value: float) -> float:
        """In px."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self.first) / ((self.last - self.first) or 1)

    def y(self, value: float) -> float:
        """In px."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - self.top) * (value - self.low) / ((self.high - self.low) or 1)

    def path(self, xs: Sequence[float], ys: Points) -> str:
        """A line through the points that exist; a point without neighbours is a line of no length, seen as a dot."""
        path = ""
        for at, (x, y) in enumerate(zip(xs, ys)):
            if y is None:
                continue
            begins, ends = not at or ys[at - 1] is None, at + 1 == len(ys) or ys[at + 1] is None
            path += f"{'M' if begins else 'L'}{number(self.x(x))} {number(self.y(y))}{'h0' if begins and ends else ''}"
        return path

    def frame(self, below: str, beside: str = "", of_map: Middles | None = None) -> Iterator[str]:
        """The axes, their ticks, and the names of the knobs."""
        bottom, at = HEIGHT - BOTTOM, of_map or self
        yield f'<path class="axis" d="M{LEFT} {number(self.top)}V{bottom}H{WIDTH - RIGHT}"/>'
        unit = unit_of(self.high)
        for value in ticks(self.low, self.high):
            y, said = at.y(value), knob_tick(value) if of_map else tick(value, unit)
            if not of_map:
                yield f'<path class="grid" d="M{LEFT} {number(y)}H{WIDTH - RIGHT}"/>'
            yield f'<text class="tick" x="{LEFT - 5}" y="{number(y + 3.5)}">{said}</text>'
        for value in ticks(self.first, self.last):
            x = number(at.x(value))
            yield _below(x, bottom + 14, knob_tick(value))
        yield f'<text class="name" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}">{escape(visible(below))}</text>'
        if beside:
            yield f'<text x="2" y="{TOP - 2}">{escape(visible(beside))}</text>'


@dataclass(frozen=True)
class Middles:
    """The places of values in a map: a value stands in the middle of its cell, others between."""

    xs: Sequence[float]
    ys: Sequence[float]

    def x(self, value: float) -> float:
        """In px."""
        return LEFT + (WIDTH - LEFT - RIGHT) * _along(value, self.xs)

    def y(self, value: float) -> float:
        """In px."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * _along(value, self.ys)


def _along(value: float, values: Sequence[float]) -> float:
    span = (values[-1] - values[0]) or 1
    along = (value - values[0]) / span * (len(values) - 1) + 0.5
    return min(max(along / len(values), 0), 1)


def shade(value: float | None, largest: float) -> str:
    """The opacity of a cell of a map."""
    return "0" if value is None else number(0.04 + 0.9 * value / largest)


def nice_step(span: float, steps: int = TICKS) -> float:
    """The least of 1, 2 and 5 times a power of ten of which so many reach over the span."""
    least = span / steps
    if least <= 0:
        return 1.0
    power = int(f"{least:e}".split("e")[1])
    size: float = float(f"1e{power}")
    return next(step for step in (size, 2 * size, 5 * size, 10 * size) if step >= least * (1 - 1e-9))


def ticks(low: float, high: float) -> list[float]:
    """The multiples of a nice step from one value to another."""
    step = nice_step(high - low)
    first = -int(-low // step) if low % step else int(low // step)
    return [n * step for n in range(first, int(high / step + 1e-9) + 1)]


def _top(largest: float) -> float:
    """The end of an axis from 0 on: a multiple of its step."""
    step = nice_step(largest)
    return -int(-largest // step) * step or 1.0


def unit_of(value: float) -> tuple[str, float]:
    """The unit in which an axis up to a value is written."""
    return next((unit for unit in UNITS if value >= unit[1]), UNITS[-1])


def tick(value: float, unit: tuple[str, float]) -> str:
    """`0`, `250 M`"""
    return f"{value / unit[1]:.6g} {unit[0]}".rstrip() if value else "0"


def knob_tick(value: float) -> str:
    """`1,024`, `0.5`"""
    return f"{value:,.0f}" if value == int(value) else f"{value:.6g}"


def number(value: float) -> str:
    """A length or an opacity, to a tenth of a px or a thousandth."""
    return f"{round(value, 1 if abs(value) > 1 else 3):g}"


def _below(x: str, y: float, text: str) -> str:
    """A number below its place; at the right end so far to the left that it is in the plot."""
    if float(x) + DIGIT * len(text) / 2 > WIDTH:
        return f'<text class="below end" x="{WIDTH}" y="{y}">{text}</text>'
    return f'<text class="below" x="{x}" y="{y}">{text}</text>'


def _svg(id: str, lines: Sequence[str]) -> str:
    return (
        f'<svg id="{id}" class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-caption">'
        f"{''.join(lines)}</svg>"
    )


def as_points(values: Sequence[Any], valid: Sequence[Any]) -> Points:
    """Exact values as floats, None where there is no network."""
    return [float(value) if holds else None for value, holds in zip(values, valid)]
