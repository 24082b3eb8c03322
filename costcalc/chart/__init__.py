"""Charts: plain data, drawn by matplotlib, which is imported for the first picture.

    HeatMap("MACs", Axis("r"), Axis("w"), Axis("MACs"), (128, 224), (1, 2), ((1, 3), (4, 12))).save("macs.svg")

`chart_data` has the charts as data, `draw` draws them.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from costcalc.chart.chart_data import MAX_NUMBERED_VALUES as MAX_NUMBERED_VALUES
from costcalc.chart.chart_data import Axis as Axis
from costcalc.chart.chart_data import Ball as Ball
from costcalc.chart.chart_data import (
    BallsData,
    BandsData,
    BarsData,
    ChartData,
    CurvesData,
    HeatMapData,
    RooflineData,
    ScatterData,
)
from costcalc.chart.chart_data import Bar as Bar
from costcalc.chart.chart_data import Group as Group
from costcalc.chart.chart_data import Line as Line
from costcalc.chart.chart_data import Mark as Mark
from costcalc.chart.chart_data import Stretch as Stretch
from costcalc.chart.chart_data import TimedLayer as TimedLayer
from costcalc.chart.chart_data import are_numbers as are_numbers
from costcalc.chart.chart_data import short_number as short_number
from costcalc.errors import MissingExtra, UsageError
from costcalc.files import check, write

SUFFIXES = {".svg": "svg", ".png": "png", ".pdf": "pdf"}


def picture_format(path: Path | str) -> str:
    """svg, png or pdf, by the suffix of a file. Raises UsageError for another."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{str(path)!r}: a picture is one of {' '.join(SUFFIXES)}")
    return SUFFIXES[suffix]


def check_picture(path: Path | str) -> None:
    """Raises, before a picture is made, what saving it there would raise."""
    from costcalc.chart.draw import import_matplotlib

    picture_format(path)
    import_matplotlib()
    check(Path(path))


class Chart(ChartData):
    """A chart that is drawn and saved."""

    def svg(self) -> str:
        """The picture as SVG, the same bytes each time. Raises MissingExtra without matplotlib."""
        return self.render("svg").decode()

    def render(self, format: str) -> bytes:
        """The bytes of the picture; `format` is svg, png or pdf. Raises MissingExtra without matplotlib."""
        from costcalc.chart.draw import render

        return render(self, format)

    def save(self, path: Path | str) -> None:
        """Writes an .svg, .png or .pdf. Raises UsageError for another suffix, MissingExtra, OSError."""
        write(Path(path), self.render(picture_format(path)))

    def inline(self) -> str:
        """The picture as an `<svg>` element of an HTML page; empty without matplotlib."""
        svg = self._repr_svg_()
        return svg[svg.index("<svg") :] if svg else ""

    def _repr_svg_(self) -> str | None:
        with suppress(MissingExtra):
            return self.svg()
        return None


class Curves(CurvesData, Chart):
    """Costs over a knob."""


class HeatMap(HeatMapData, Chart):
    """A metric over two knobs, as colours."""


class Scatter(ScatterData, Chart):
    """Points over two axes."""


class Balls(BallsData, Chart):
    """Networks over two of their numbers, the area of each ball by a third."""


class Bars(BarsData, Chart):
    """A metric of several things, category by category."""


class Bands(BandsData, Chart):
    """What is held over an order of steps, by kind."""


class Roofline(RooflineData, Chart):
    """The layers of a network below the ceilings of a device."""
