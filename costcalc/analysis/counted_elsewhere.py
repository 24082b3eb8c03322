"""Sizes of a row that other counters add to theirs or leave out of it, for metrics of which conventions are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from costcalc.analysis.memory import Layer
from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements
from costcalc.ops.conv import bias_adds


def macs_on_input(row: Row) -> list[Size]:
    """Multiplies with an element of an input, of one copy."""
    rule = getattr(row.op, "macs_on_input", row.op.macs)
    return [rule(*row.input_shapes, out=row.output_shape)]


def bias_additions(row: Row) -> list[Size]:
    """One for each output of a layer whose only other arithmetic is its bias: a convolution, a linear layer."""
    return [row.costs["elementwise"]] if type(row.op).elementwise is bias_adds else []


def bn_elements(row: Row) -> list[Size]:
    """The elements that batch norm writes."""
    return [elements(row.output_shape)] if row.op.stored_statistics else []


def input_elements(layers: Sequence[Layer]) -> Iterator[Size]:
    """The elements of each input of the network, at the first layer that reads it."""
    unread = {layer.name: elements(layer.output_shape) for layer in layers if layer.op.is_input}
    for layer in layers:
        yield sum([unread.pop(source, 0) for source in layer.inputs])
