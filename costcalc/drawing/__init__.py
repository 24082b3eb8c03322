"""Drawings of networks: boxes, wires and frames with places, as data, and their plain formats.

A `Sketch` says what is drawn, a layout gives everything a place, and the formats are written from that: SVG by itself,
PNG and PDF by matplotlib, which is imported for the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costcalc.drawing.block_shapes import picture_of
from costcalc.drawing.drawing import DrawingData
from costcalc.drawing.shapes import Picture
from costcalc.drawing.svg import svg
from costcalc.errors import UsageError
from costcalc.files import write

SUFFIXES = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class Drawing:
    """A drawing with its formats. `data` are its boxes and wires with their places; None for volumes."""

    picture: Picture
    data: DrawingData | None = None

    @classmethod
    def of(cls, data: DrawingData) -> Drawing:
        """The drawing of boxes and wires that are laid out."""
        return cls(picture_of(data), data)

    @property
    def title(self) -> str:
        """What is drawn."""
        return self.picture.title

    @property
    def width(self) -> float:
        """In px."""
        return self.picture.width

    @property
    def height(self) -> float:
        """In px."""
        return self.picture.height

    def svg(self, name: str = "drawing") -> str:
        """The drawing as SVG, the same bytes each time. `name` keeps the ids of several on one page apart."""
        return "".join(svg(self.picture, name=name))

    def save(self, path: Path | str) -> None:
        """Writes an .svg, a .png or a .pdf. Raises UsageError for another suffix, MissingExtra without matplotlib,
        OSError."""
        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(f"{str(path)!r}: a drawing is one of {' '.join(SUFFIXES)}")
        if suffix == ".svg":
            write(Path(path), self.svg())
        else:
            from costcalc.drawing.matplotlib_picture import render

            write(Path(path), render(self.picture, suffix[1:]))

    def __repr__(self) -> str:
        return f"<costcalc.Drawing {self.picture.title!r}: {self.picture.description}>"

    def _repr_svg_(self) -> str:
        return self.svg()
