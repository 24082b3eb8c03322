"""How output shapes are shown: those of one example, images as papers write them, h×w×c."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from costcalc.analysis.batch_axes import FIRST, BatchAxis, batch_axes, batch_of_inputs
from costcalc.analysis.images import image_names
from costcalc.analysis.walk import Row
from costcalc.dims import Shape, Size, exact_div
from costcalc.table import Batchless, Image


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
