"""Blocks of two networks side by side: which block of the second stands in the place of which of the first."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

from costcalc.analysis.cost import Cost

MAX_LAYERS_SHOWN = 24  # of a network; longer ones are compared by block


class Pair(NamedTuple):
    """A block of the first model and what stands in its place in the second; either may be missing and costs 0."""

    first: str | None
    first_cost: int
    second: str | None
    second_cost: int

    @property
    def saved(self) -> int:
        """What the second saves here; negative if it costs more."""
        return self.first_cost - self.second_cost


def align(first: Cost, second: Cost, by: str) -> Iterator[Pair]:
    """Blocks of two networks in order, paired by name, and by position between pairs of equal names. Blocks that cost
    nothing are left out."""
    a, b = _by_layer(first, by), _by_layer(second, by)
    if max(len(a), len(b)) > MAX_LAYERS_SHOWN:
        a, b = _by_block(first, by), _by_block(second, by)
    matcher = SequenceMatcher(None, [name for name, _ in a], [name for name, _ in b], autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        for left, right in zip_longest(a[i1:i2], b[j1:j2], fillvalue=(None, 0)):
            yield Pair(*left, *right)


def _by_layer(cost: Cost, by: str) -> list[tuple[str, int]]:
    return [(str(row.name), value) for i, row in enumerate(cost.layers) if (value := cost.value(by, i))]


def _by_block(cost: Cost, by: str) -> list[tuple[str, int]]:
    return [(block.name, value) for block in cost.fold(1, [by]) if (value := block.costs[by])]
