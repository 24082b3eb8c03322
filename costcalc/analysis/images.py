"""Finds tensors that are images or feature maps, (n, c, h, w), which tables show as papers write them: h×w×c."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from costcalc.analysis.walk import Row
from costcalc.dims import Shape
from costcalc.ops import OPS
from costcalc.table import Batchless, Image


def image_layers(layers: Sequence[tuple[str, str, Sequence[str]]]) -> set[str]:
    """The names of the layers that output an image, from (name, layout of its op, inputs) in order.

    An op that keeps its input's layout outputs an image if an input is one; an input of the network is an image if an
    op on images reads it.
    """
    read: set[str] = set()  # by an op on images, directly or behind layers that keep the layout
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
    """The names of the rows that output an image."""
    return image_layers([(str(row.name), row.op.layout, [*map(str, row.inputs)]) for row in rows])


def as_shown(op: str, shape: Shape, name: Any, found: set[str]) -> Shape:
    """The output shape of a layer as tables show it: whole if it has no batch, as a tensor of the network and a
    constant."""
    if op in OPS and OPS[op].arity == 0 and not OPS[op].is_input:
        whole: Shape = Batchless(shape)
        return whole
    return as_image(shape, name, found)


def as_image(shape: Shape, name: Any, found: set[str]) -> Shape:
    """The output shape of a layer, as an `Image` if its name is among those found."""
    return Image(shape) if str(name) in found else shape
