"""Which tensors are images or feature maps, (n, c, h, w), that are shown as papers write them: h×w×c."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from costcalc.analysis.walk import Row
from costcalc.dims import Shape
from costcalc.table import Image


def image_layers(layers: Sequence[tuple[str, str, Sequence[str]]]) -> set[str]:
    """The layers that put out an image, of (name, layout of its op, inputs) in order.

    What passes a layout on puts out an image if one of its inputs is; what reads nothing, if an op on images reads it.
    """
    read: set[str] = set()  # by an op on images, at once or behind layers that pass it on
    for name, layout, inputs in reversed(layers):
        if layout == "image" or (layout == "same" and name in read):
            read.update(inputs)
    found: set[str] = set()
    for name, layout, inputs in layers:
        is_image = any(source in found for source in inputs) if inputs else name in read
        if layout == "image" or (layout == "same" and is_image):
            found.add(name)
    return found


def image_names(rows: Iterable[Row]) -> set[str]:
    """The rows that put out an image."""
    return image_layers([(str(row.name), row.op.layout, [*map(str, row.inputs)]) for row in rows])


def as_image(shape: Shape, name: Any, found: set[str]) -> Shape:
    """The shape that a layer puts out, to be shown as an image if it is among those found."""
    return Image(shape) if str(name) in found else shape
