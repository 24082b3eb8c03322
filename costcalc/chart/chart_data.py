"""Charts as plain data: axes with their units, and the lines, cells or points between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MAX_NUMBERED_VALUES = 14  # of an axis, up to which a heat map writes the number of each cell
MAX_DIGITS = 8  # of a number along an axis
POWERS_OF_1000 = ("", "k", "M", "G", "T", "P", "E")


def short_number(number: Any, digits: int = 3) -> str:
    """A number to so many digits in thousands: 0.25, 224, 386 M, 37.7 G; 1.2e+24 beyond."""
    most, power = 1000 - 0.5 * 10 ** (3 - digits), 0
    while abs(number) >= most and power < len(POWERS_OF_1000) - 1:
        number, power = number / 1000, power + 1
    if abs(number) >= most:
        return f"{float(number * 1000**power):.1e}"
    return f"{float(number):.{digits}g} {POWERS_OF_1000[power]}".rstrip()


def significant_digits(numbers: Iterable[float]) -> int:
    """How many digits tell what each number is, three at least: 4 for 77, 77.25 and 77.5."""
    found = 3
    for number in numbers:
        while found < MAX_DIGITS and abs(float(f"{number:.{found}g}") - number) > abs(number) / 10**MAX_DIGITS:
            found += 1
    return found


def are_numbers(values: Iterable[Any]) -> bool:
    """Are all values numbers? Booleans and texts are not."""
    return not any(isinstance(value, bool | str) for value in values)


@dataclass(frozen=True)
class Axis:
    """The quantity along an axis, its unit, and whether the axis is logarithmic."""

    title: str
    unit: str = ""
    log: bool = False

    @property
    def label(self) -> str:
        """`weight bytes`, `params (learned scalars)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Mark:
    """A point, which may have a name."""

    x: Any
    y: Any
    name: str = ""


@dataclass(frozen=True)
class Line:
    """Points joined in order. Claims, which are not counted, are `dashed`."""

    label: str
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    dashed: bool = False


@dataclass(frozen=True)
class Group:
    """Points that look alike: `dots` for many, `marks`, `rings` and `squares` for few, `steps` for a front."""

    label: str
    points: tuple[Mark, ...]
    kind: str = "marks"


@dataclass(frozen=True)
class ChartData:
    """The base of all charts: each kind adds its data. The subtitle says how the points were chosen."""

    title: str
    subtitle: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class CurvesData(ChartData):
    """Costs over a knob: for each quantity its axis and its lines, all over the same x."""

    x: Axis
    panels: tuple[tuple[Axis, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class HeatMapData(ChartData):
    """A number for each pair of values: `cells` has a row for each y, and None where there is no number."""

    x: Axis
    y: Axis
    what: Axis
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    cells: tuple[tuple[Any, ...], ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class ScatterData(ChartData):
    """Groups of points over two axes."""

    x: Axis
    y: Axis
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Ball:
    """A network among others: its place, and the size that the area of its ball shows."""

    name: str
    x: Any
    y: Any
    size: Any


@dataclass(frozen=True)
class BallsData(ChartData):
    """Balls over two axes, each with its name; the notes stand below."""

    x: Axis
    y: Axis
    size: Axis
    balls: tuple[Ball, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """The values of one thing, for each of the categories; None where it has none."""

    label: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class BarsData(ChartData):
    """For each category a bar of each thing, side by side."""

    x: Axis
    y: Axis
    categories: tuple[str, ...]
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stretch:
    """A stretch of an axis with a name: from `start` up to `end`."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class BandsData(ChartData):
    """Amounts of several kinds, one on the other, at each step of an order; and the highest step, with its name."""

    x: Axis
    y: Axis
    bands: tuple[Bar, ...]
    parts: tuple[Stretch, ...]  # of the whole order, as forward and backward
    places: tuple[Stretch, ...]  # finer ones, as blocks
    highest: Mark
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimedLayer:
    """A layer on a roofline: MACs and bytes moved, the seconds that it took, and its kind."""

    name: str
    kind: str
    macs: int
    bytes: int
    seconds: float

    @property
    def intensity(self) -> float:
        """MACs for each byte that is moved."""
        return self.macs / self.bytes

    @property
    def rate(self) -> float:
        """MACs a second."""
        return self.macs / self.seconds


@dataclass(frozen=True)
class RooflineData(ChartData):
    """Layers below the two ceilings of a device: MACs a second, and bytes a second."""

    macs_per_second: float
    bytes_per_second: float
    layers: tuple[TimedLayer, ...]
    whole: TimedLayer
    notes: tuple[str, ...] = ()

    def ceiling(self, intensity: float) -> float:
        """The most MACs a second at so many MACs for each byte."""
        return min(self.macs_per_second, self.bytes_per_second * intensity)
