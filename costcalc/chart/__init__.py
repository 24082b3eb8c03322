"""A picture before anyone draws it: axes with their units, and the lines, cells or points between them.

    HeatMap("MACs", Axis("r"), Axis("w"), Axis("MACs"), (128, 224), (1, 2), ((1, 3), (4, 12))).save("macs.svg")

matplotlib draws it, and is imported then: see draw.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costcalc.errors import MissingExtra, UsageError
from costcalc.files import check, write

SUFFIXES = {".svg": "svg", ".png": "png"}
FEW = 14  # values of an axis up to which each cell of a map says its number
POWERS = ("", "k", "M", "G", "T", "P", "E")


def picture_format(path: Path | str) -> str:
    """svg or png, by the suffix of a file. Raises UsageError for another."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{str(path)!r}: a picture is one of {' '.join(SUFFIXES)}")
    return SUFFIXES[suffix]


def check_picture(path: Path | str) -> None:
    """Raises what saving a picture there would raise, as far as can be seen before it is made."""
    from costcalc.chart.draw import matplotlib

    picture_format(path)
    matplotlib()
    check(Path(path))


def short(number: Any) -> str:
    """A number to three digits in thousands: 0.25, 224, 386 M, 37.7 G; 1.2e+24 beyond."""
    if abs(number) < 999.5:
        return f"{float(number):.3g}"
    power = 0
    while abs(number) >= 999.5 and power < len(POWERS) - 1:
        number, power = number / 1000, power + 1
    return f"{float(number):.3g} {POWERS[power]}" if abs(number) < 999.5 else f"{float(number * 1000**power):.1e}"


def are_numbers(values: Iterable[Any]) -> bool:
    """Are these numbers, and neither truths nor words?"""
    return not any(isinstance(value, bool | str) for value in values)


@dataclass(frozen=True)
class Axis:
    """What is measured along an axis, its unit, and whether equal steps are equal factors."""

    title: str
    unit: str = ""
    log: bool = False

    @property
    def label(self) -> str:
        """`weight bytes`, `params (learned scalars)`."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Mark:
    """A point, with a name if it has one."""

    x: Any
    y: Any
    name: str = ""


@dataclass(frozen=True)
class Line:
    """Points joined in order. What is only said, and not counted, is dashed."""

    label: str
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    dashed: bool = False


@dataclass(frozen=True)
class Group:
    """Points shown alike: `dots` for a crowd, `marks`, `rings` and `squares` for few, `steps` for a front."""

    label: str
    points: tuple[Mark, ...]
    kind: str = "marks"


@dataclass(frozen=True)
class Chart:
    """What every picture can do."""

    title: str

    def svg(self) -> str:
        """The picture as SVG, the same to the letter whenever it is drawn. Raises MissingExtra without matplotlib."""
        return self.drawn("svg").decode()

    def drawn(self, format: str) -> bytes:
        """The picture as svg or png."""
        from costcalc.chart.draw import drawn

        return drawn(self, format)

    def save(self, path: Path | str) -> None:
        """Writes an .svg or a .png. Raises UsageError for another suffix, MissingExtra, OSError."""
        write(Path(path), self.drawn(picture_format(path)))

    def inline(self) -> str:
        """The picture to stand in HTML; nothing without matplotlib."""
        svg = self._repr_svg_() or "<svg"
        return svg[svg.index("<svg") :].removesuffix("<svg")

    def _repr_svg_(self) -> str | None:
        with suppress(MissingExtra):
            return self.svg()
        return None


@dataclass(frozen=True)
class Curves(Chart):
    """What a knob does: for each quantity its axis and its lines over the same x."""

    x: Axis
    panels: tuple[tuple[Axis, tuple[Line, ...]], ...]


@dataclass(frozen=True)
class HeatMap(Chart):
    """A number for each pair of values: `cells` has a row for each y, and None where there is nothing."""

    x: Axis
    y: Axis
    what: Axis
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    cells: tuple[tuple[Any, ...], ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Scatter(Chart):
    """Points by two of their numbers."""

    x: Axis
    y: Axis
    groups: tuple[Group, ...]
