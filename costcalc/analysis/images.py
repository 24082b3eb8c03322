"""Finds tensors that are images or feature maps, (n, c, h, w)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.walk import Row
from costcalc.dims import Shape


class LayerLayout(NamedTuple):
    """What tells whether a layer outputs an image."""

    name: str
    layout: str  # "image", "plain", or "same" as its inputs
    inputs: Sequence[str]
    rank: int  # the axes of its output

    @classmethod
    def of(cls, name: Any, op: Any, inputs: Iterable[Any], ins: Sequence[Shape], out: Shape) -> LayerLayout:
        """That of an op; that of its input for an op that keeps all axes, as a view of a part."""
        layout = op.layout
        if layout == "plain":
            kept = [*range(len(out))]
            reads = (op.reads(i, ins, out) for i in range(len(ins)))
            keeps = any(isinstance(each, tuple) and [one and one.axis for one in each] == kept for each in reads)
            layout = "same" if keeps else layout
        return cls(str(name), layout, [*map(str, inputs)], len(out))


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
                read.update([source for source in inputs if ranks[source] == rank])
        for name, layout, inputs, _ in layers:
            keeps = layout == "same" and not found.isdisjoint(inputs)
            begins = name in read and (layout == "same" if not inputs else layout == "plain")
            if layout == "image" or keeps or begins:
                found.add(name)
    return found


def image_names(rows: Iterable[Row]) -> set[str]:
    """The names of the rows that output an image."""
    return image_layers(
        [LayerLayout.of(row.name, row.op, row.inputs, row.input_shapes, row.output_shape) for row in rows]
    )
