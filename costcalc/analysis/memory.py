"""How many elements a network holds at once, from which of its tensors are still to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.analysis.walk import Row, walk
from costcalc.dims import Size, elements
from costcalc.graph import Graph, unroll


class Peak(NamedTuple):
    """The most elements held at once during inference, inputs included, and the layer that is computed then."""

    elements: Size
    layer: Any


def peak_activations(graph: Graph) -> Peak:
    """Liveness on the order of the layers: a tensor is held from the layer that writes it to the last that reads it.

    Inputs are the caller's and held throughout, outputs to the end. A view holds what it looks at; nothing is computed
    in place; what a layer needs while it computes (a padded copy, a workspace) is not counted.
    """
    rows = list(walk(unroll(graph)))
    storage = _storages(rows)
    last_read = {storage[source]: i for i, row in enumerate(rows) for source in row.inputs}
    kept = _kept(rows, storage)
    sizes: dict[Any, Size] = {}
    held, peak = 0, Peak(0, None)
    for i, row in enumerate(rows):
        if storage[row.name] == row.name:
            sizes[row.name] = elements(row.output_shape)
            held += sizes[row.name]
        if held > peak.elements:
            peak = Peak(held, row.name)
        held -= sum(sizes[name] for name in {storage[source] for source in row.inputs} - kept if last_read[name] == i)
    return peak


def _storages(rows: Sequence[Row]) -> dict[Any, Any]:
    """The layer that wrote what each layer's output is: its own, or for a view that of its input."""
    storage: dict[Any, Any] = {}
    for row in rows:
        storage[row.name] = storage[row.inputs[0]] if row.op.view and row.inputs else row.name
    return storage


def _kept(rows: Sequence[Row], storage: dict[Any, Any]) -> set[Any]:
    """What is held to the end: inputs, and the outputs that nobody reads."""
    read = {source for row in rows for source in row.inputs}
    return {storage[row.name] for row in rows if not row.inputs or row.name not in read}
