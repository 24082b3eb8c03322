"""The MACs of the backward pass."""

from __future__ import annotations

from typing import Any

from costcalc.analysis.training.step_layers import step_layers
from costcalc.analysis.training.step_metrics import backward_macs
from costcalc.analysis.unrolled import unrolled_layers
from costcalc.dims import Size
from costcalc.graph import Graph, unroll


def backward_macs_by_layer(graph: Graph) -> dict[Any, Size]:
    """MACs of the gradients that a training step makes, by the name of each layer as text, repeats written out."""
    ((_, layers),) = unrolled_layers(unroll(graph))
    return {each.name: backward_macs(each) for each in step_layers(layers)}
