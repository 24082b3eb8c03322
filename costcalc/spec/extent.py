"""How much a spec becomes once its blocks are written out: found by arithmetic, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from costcalc.errors import Problems
from costcalc.spec.model import Item, Spec

MAX_NESTING = 50  # of blocks and structures in each other; a chain of blocks makes them deep in little text
VALUES_PER_LAYER = 10  # a longer list of values counts as more layers: it takes as long to read
ENDLESS = 10**18


class Extent(NamedTuple):
    """Layers, and how deep they stand in blocks and structures."""

    layers: int = 0
    depth: int = 0


def check_extent(spec: Spec, max_layers: int, problems: Problems) -> None:
    """Notes blocks that nest too deep or expand too far."""
    known: dict[str, Extent] = {}
    for block in spec.blocks.values():
        known[block.name] = _extent(block.items, known)
        if known[block.name].depth > MAX_NESTING:
            problems.stop(block.place, f"block {block.name!r} nests more than {MAX_NESTING} deep")
    whole = _extent(spec.items, known)
    if whole.layers > max_layers:
        message = f"the network expands to more than {max_layers:,} layers"
        problems.stop(spec.items[0].place, message, "raise the limit with --max-layers")
    if whole.depth > MAX_NESTING:
        problems.stop(spec.items[0].place, f"layers nest more than {MAX_NESTING} deep")


def _extent(items: Iterable[Item], known: dict[str, Extent]) -> Extent:
    layers = depth = 0
    for item in items:
        inside = known.get(item.kind, Extent())
        layers += max(inside.layers, 1) + item.values // VALUES_PER_LAYER
        depth = max(depth, inside.depth)
        for branch in item.branches or ():
            more = _extent(branch, known)
            layers += more.layers
            depth = max(depth, more.depth)
    return Extent(min(layers, ENDLESS), depth + 1)
