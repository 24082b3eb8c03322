"""The ways from the inputs of a network to each layer, in the layer graph with repeats written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from costcalc.analysis.memory import Layer
from costcalc.ops.rules import free, no_weights


def has_weights_and_products(op: Any) -> bool:
    """Is it a convolution, a linear layer or a recurrent one: what papers count as layers of a network?"""
    return op.__class__.weights is not no_weights and not isinstance(op.__class__.macs, free)


def paths(layers: Sequence[Layer]) -> Iterator[int]:
    """How many paths lead from an input to each layer: 2^n behind n residual blocks (Veit et al. 2016,
    arXiv:1605.06431)."""
    found: dict[Any, int] = {}
    for layer in layers:
        found[layer.name] = 1 if layer.op.is_input else sum(found[source] for source in layer.inputs)
        yield found[layer.name]


def shortest_paths(layers: Sequence[Layer]) -> Iterator[int | None]:
    """The fewest convolutions and linear layers on a path from an input to each layer, itself included; None where no
    path leads."""
    found: dict[Any, int | None] = {}
    for layer in layers:
        before = [n for n in (found[source] for source in layer.inputs) if n is not None]
        start = min(before, default=0 if layer.op.is_input else None)
        found[layer.name] = None if start is None else start + has_weights_and_products(layer.op)
        yield found[layer.name]


def shortest(values: Iterable[int | None]) -> int | None:
    """Of several layers."""
    return min((value for value in values if value is not None), default=None)
