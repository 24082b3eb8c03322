"""Limits how many layers a spec expands to. It counts them before the layers are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from costcalc.errors import Problems
from costcalc.spec.spec_tree import Item, Spec

MAX_BLOCK_DEPTH = 50  # of blocks and structures; a short text can chain many blocks
VALUES_PER_LAYER = 10  # a field with a long list of values counts as more layers, because it takes as long to read


class Expansion(NamedTuple):
    """A number of layers, and how deep they nest in blocks and structures."""

    layers: int = 0
    depth: int = 0


def check_expansion(spec: Spec, max_layers: int, problems: Problems) -> None:
    """Raises SpecError for blocks that nest too deep, or that expand to too many layers."""
    known: dict[str, Expansion] = {}
    for block in spec.blocks.values():
        known[block.name] = _expansion(block.items, known)
        if known[block.name].depth > MAX_BLOCK_DEPTH:
            problems.stop(block.place, f"block {block.name!r} nests more than {MAX_BLOCK_DEPTH} deep")
    whole = _expansion(spec.items, known)
    if whole.layers > max_layers:
        message = f"the network expands to more than {max_layers:,} layers"
        problems.stop(spec.items[0].place, message, "raise the limit with --max-layers")
    if whole.depth > MAX_BLOCK_DEPTH:
        problems.stop(spec.items[0].place, f"layers nest more than {MAX_BLOCK_DEPTH} deep")


def _expansion(items: Iterable[Item], known: dict[str, Expansion]) -> Expansion:
    layers = depth = 0
    for item in items:
        inside = known.get(item.kind, Expansion())
        layers += max(inside.layers, 1) + item.value_count // VALUES_PER_LAYER
        depth = max(depth, inside.depth)
        for branch in item.branches or ():
            more = _expansion(branch, known)
            layers += more.layers
            depth = max(depth, more.depth)
    return Expansion(layers, depth + 1)
