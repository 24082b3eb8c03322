"""An image on its way through a pipeline: its shape, its dtype, and the bytes that it takes."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.dims import Shape, Size, prod

BYTES = {"uint8": 1, "float32": 4}  # of an element


class ImageTensor(NamedTuple):
    """One image (c, h, w), or the n images that a step makes of it."""

    channels: Size
    height: Size
    width: Size
    dtype: str = "uint8"
    images: Size = 1

    @property
    def shape(self) -> Shape:
        """(c, h, w), as torch has it."""
        return self.channels, self.height, self.width

    @property
    def positions(self) -> Size:
        """n·h·w"""
        return self.images * self.height * self.width

    @property
    def elements(self) -> Size:
        """n·c·h·w"""
        return self.images * prod(self.shape)

    @property
    def bytes(self) -> Size:
        """Of all its elements."""
        return self.elements * BYTES[self.dtype]

    @property
    def text(self) -> str:
        """`224×224×3`, or `10 of 224×224×3`."""
        size = "×".join(map(str, (self.height, self.width, self.channels)))
        return size if self.images == 1 else f"{self.images} of {size}"
