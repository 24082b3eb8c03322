"""Which layers may write over an input, as torch's `inplace=True` requires.

Both ops allow it (`output` of ops/output.py: the layer's is `inplace`, the input's is `overwritable`), no other layer
reads the input, the network does not return it, and it has the output's shape. The layers are rows of a walk or
`memory.Layer`s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from costcalc.dims import Truth, decided, same_shape


def inplace_inputs(layers: Sequence[Any]) -> dict[Any, int]:
    """The index of the input that each layer may write over. Raises UsageError where symbols leave that undecided,
    PointsDiffer where points of an array differ."""
    found: dict[Any, int] = {}
    for name, i, alike in _candidates(layers):
        if decided(alike, f"whether {name} may write over its input"):
            found.setdefault(name, i)
    return found


def layers_inplace(layers: Sequence[Any]) -> dict[Any, Truth]:
    """The names of layers that may write over an input; an array says at which points, None that symbols leave it
    undecided."""
    found: dict[Any, Truth] = {}
    for name, _, alike in _candidates(layers):
        known = found.get(name, False)
        found[name] = (known or alike) if known is None or alike is None else known | alike
    return found


def _candidates(layers: Sequence[Any]) -> Iterator[tuple[Any, int, Truth]]:
    """The name of a layer, the index of an input that it may write over if their shapes are equal, and are they?"""
    readers = Counter(source for layer in layers for source in layer.inputs)
    by_name = {layer.name: layer for layer in layers}
    for layer in layers:
        for i, source in enumerate(layer.inputs if layer.op.output.inplace else ()):
            writer = by_name[source]
            axes = writer.op.overwritable_axes
            is_overwritable = writer.op.output.overwritable and axes in (None, len(writer.output_shape))
            if readers[source] == 1 and is_overwritable and not writer.is_output:
                yield layer.name, i, same_shape(writer.output_shape, layer.output_shape)
