"""Finds tensors that are images or feature maps, (n, c, h, w), which tables show as papers write them: h×w×c."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costcalc.analysis.batch_axes import FIRST, BatchAxis, batch_axes, batch_of_inputs
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, exact_div
from costcalc.table import Batchless, Image


class LayerLayout(NamedTuple):
    """What tells whether a layer outputs an image."""

    name: str
    layout: str  # "image", "plain", or "same" as its inputs
    inputs: Sequence[str]
    rank: int  # the axes of its output

    @classmethod
    def of(cls, name: Any, op: Any, inputs: Iterable[Any], ins: Sequence[Shape], out: Shape) -> LayerLayout:
        """That of an op; that of its input for an op that keeps all axes, as a view of a part."""
        kept = [*range(len(out))]
        reads = (op.reads(i, ins, out) for i in range(len(ins))) if op.layout == "plain" else ()
        keeps = any(isinstance(each, tuple) and [one and one.axis for one in each] == kept for each in reads)
        return cls(str(name), "same" if keeps else op.layout, [*map(str, inputs)], len(out))


def image_layers(layers: Sequence[LayerLayout]) -> set[str]:
    """The names of the layers that output an image, of layers in order.

    An op that keeps its input's layout outputs an image if an input is one, and its other inputs are images then. An
    input of the network, and what a view or a transpose makes, is an image if an op on images reads it.
    """
    ranks = {each.name: each.rank for each in layers}
    read: set[str] = set()  # by an op on images, directly or behind layers that keep the layout
    found: set[str] = set()
    before = -1
    while before < len(found):
        before = len(found)
        for name, layout, inputs, rank in reversed(layers):
            if layout == "image" or (layout == "same" and (name in read or name in found)):
                read.update(source for source in inputs if ranks[source] == rank)
        for name, layout, inputs, _ in layers:
            keeps = layout == "same" and any(source in found for source in inputs)
            begins = name in read and (layout == "same" if not inputs else layout == "plain")
            if layout == "image" or keeps or begins:
                found.add(name)
    return found


def image_names(rows: Iterable[Row]) -> set[str]:
    """The names of the rows that output an image."""
    return image_layers(
        [LayerLayout.of(row.name, row.op, row.inputs, row.input_shapes, row.output_shape) for row in rows]
    )


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
