"""Finds tensors that are images or feature maps, (n, c, h, w), which tables show as papers write them: h×w×c."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from costcalc.analysis.batch_axes import FIRST, BatchAxis, batch_axes, batch_of_inputs
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, exact_div
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


@dataclass(frozen=True)
class OutputLayouts:
    """How tables and pictures show the output shapes of a network's layers: without the batch, images as h×w×c."""

    images: set[str]
    axes: Mapping[str, BatchAxis | None] = field(default_factory=dict)  # of the batch, where it is not the first one
    batch: Size | None = None

    @classmethod
    def of(cls, rows: Sequence[Row]) -> OutputLayouts:
        """Those of a network's rows."""
        return cls(image_names(rows), batch_axes(rows), batch_of_inputs(rows))

    def shown(self, shape: Shape, name: Any) -> Shape:
        """The output shape of a layer: whole if it has no batch, as a tensor of the network and a constant."""
        name = str(name)
        place = self.axes.get(name, FIRST) if self.axes else FIRST
        if place is FIRST or (place is not None and name in self.images):
            return Image(shape) if name in self.images else shape
        if place is None:
            return Batchless(shape)
        size = () if place.is_whole else (exact_div(shape[place.axis], self.batch),)
        return Batchless((*shape[: place.axis], *size, *shape[place.axis + 1 :]))


def as_image(shape: Shape, name: Any, found: set[str]) -> Shape:
    """The output shape of a layer, as an `Image` if its name is among those found."""
    return Image(shape) if str(name) in found else shape
