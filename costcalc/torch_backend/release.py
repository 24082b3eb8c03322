"""When generated code lets a tensor go: one layer after the last that reads it, where that raises no peak.

torch.fx lets it go at once. On a CPU, malloc may then give the end of its heap back to the system just before the
normalisation behind a convolution asks for as much again, and get it anew, page by page (docs/timing.md). The allocator
of a GPU keeps what is freed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from operator import add
from typing import Any

from costcalc.analysis.memory import Layer, held
from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements

ENDS = re.compile(r"(?:;  (?P<names>.+) = None)?\n")  # what torch.fx writes behind a statement


def held_longer(rows: Sequence[Row]) -> set[Any]:
    """The layers whose output is held during one more layer than the last that reads it.

    That raises no peak: neither that of `peak_activations` nor that with what torch holds besides.
    """
    layers = [Layer(row.name, row.op, row.inputs, row.output_shape) for row in rows]
    sizes = {row.name: elements(row.output_shape) for row in rows}  # of a view, that of what it looks at
    last_reader = {source: layer.name for layer in layers for source in layer.inputs}
    longer = set[Any]()
    for layer, room in zip(layers, _room(rows, list(held(layers)))[1:]):
        read = {source for source in layer.inputs if last_reader[source] == layer.name}
        if sum(sizes[source] for source in read) <= room:
            longer |= read
    return longer


def _room(rows: Sequence[Row], needed: Sequence[int]) -> list[int]:
    """How many more elements may be held while each layer is computed."""
    besides = [_besides(row) for row in rows]
    peak, peak_in_all = max(needed, default=0), max(map(add, needed, besides), default=0)
    return [min(peak - now, peak_in_all - now - more) for now, more in zip(needed, besides)]


def _besides(row: Row) -> Size:
    """The elements that torch holds on a CPU besides a layer's input and output."""
    match row.op.name:
        case "conv" | "conv1d" | "conv2d" | "conv3d" | "depthwise" | "conv_transpose":  # in oneDNN's layout
            return sum(map(elements, (*row.input_shapes, row.output_shape))) + row.params
        case "max_pool":  # where each maximum was, in 8 bytes
            return 2 * elements(row.output_shape)
    return 0


def let_go(body: list[str], longer: Collection[str]) -> list[str]:
    """The parts of a forward function, some names let go behind the statement after the one where torch.fx does."""
    parts, late = list[str](), list[str]()
    for part in body:
        if end := ENDS.fullmatch(part):
            names = end["names"].split(" = ") if end["names"] else []
            now = late + [name for name in names if name not in longer]
            late = [name for name in names if name in longer]
            part = f";  {' = '.join(now)} = None\n" if now else "\n"
        parts.append(part)
    return parts
