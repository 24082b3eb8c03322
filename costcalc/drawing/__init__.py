"""Drawings of networks: boxes, wires and frames with places, as data, and their plain formats.

A `Sketch` says what is drawn, the layout gives everything a place, and the formats write that: SVG by itself, PNG and
PDF with matplotlib, which is imported for the first of them.
"""

from __future__ import annotations

from pathlib import Path

from costcalc.drawing.drawing import DrawingData
from costcalc.drawing.svg import svg
from costcalc.errors import UsageError
from costcalc.files import write

SUFFIXES = (".svg", ".png", ".pdf")


class Drawing(DrawingData):
    """A drawing with its formats."""

    def svg(self, name: str = "drawing") -> str:
        """The drawing as SVG, the same bytes each time. `name` keeps the ids of several on one page apart."""
        return "".join(svg(self, name=name))

    def save(self, path: Path | str) -> None:
        """Writes an .svg, a .png or a .pdf. Raises UsageError for another suffix, MissingExtra without matplotlib,
        OSError."""
        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(f"{str(path)!r}: a drawing is one of {' '.join(SUFFIXES)}")
        if suffix == ".svg":
            write(Path(path), self.svg())

    def _repr_svg_(self) -> str:
        return self.svg()
