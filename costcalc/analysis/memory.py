"""How many elements a network holds at once, from which of its tensors are still to be read."""

from __future__ import annotations

from collections import Counter
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

    Inputs are the caller's and held throughout, outputs to the end. A view holds what it looks at, and an activation
    may overwrite it (see `overwritten`); what a layer needs while it computes (a padded copy, a workspace) is not
    counted.
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


OVERWRITE = {"relu", "relu6", "leaky_relu", "silu", "hard_sigmoid", "hard_swish", "add"}
FORGET = {  # their gradients do not need what they wrote
    "conv", "conv1d", "conv2d", "conv3d", "depthwise", "conv_transpose", "linear", "batch_norm", "layer_norm",
    "group_norm", "add", "concat",
}  # fmt: skip


def overwritten(rows: Sequence[Row]) -> dict[Any, int]:
    """Layers that may write their output over one of their inputs, and over which: nobody else reads it, it has the
    output's shape, and training is none the worse, as torch's `inplace=True` requires."""
    readers = Counter(source for row in rows for source in row.inputs)
    by_name = {row.name: row for row in rows}
    found: dict[Any, int] = {}
    for row in rows:
        for i, source in enumerate(row.inputs if row.op.name in OVERWRITE else ()):
            writer = by_name[source]
            if readers[source] == 1 and writer.op.name in FORGET and writer.output_shape == row.output_shape:
                found[row.name] = i
                break
    return found


def _storages(rows: Sequence[Row]) -> dict[Any, Any]:
    """The layer that first wrote where each layer's output is: itself, or for a view or in place that of its input."""
    over = overwritten(rows)
    storage: dict[Any, Any] = {}
    for row in rows:
        at = over.get(row.name, 0 if row.op.view and row.inputs else None)
        storage[row.name] = row.name if at is None else storage[row.inputs[at]]
    return storage


def _kept(rows: Sequence[Row], storage: dict[Any, Any]) -> set[Any]:
    """What is held to the end: inputs, and the outputs that nobody reads."""
    read = {source for row in rows for source in row.inputs}
    return {storage[row.name] for row in rows if not row.inputs or row.name not in read}
