"""Networks side by side: which block of one stands in the place of which of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple

from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import block_of
from costcalc.analysis.images import image_names
from costcalc.analysis.walk import Row
from costcalc.dims import Shape
from costcalc.ops.axis_roles import FEATURES, POSITION, AxisRoles, unknown_roles

MAX_LAYERS_SHOWN = 24  # of a network; longer ones are compared by block
FLAT = "flat"  # in place of the size of maps


class Pair(NamedTuple):
    """A block of the first model and what stands in its place in the second; either may be missing and costs 0.

    With a `size` these are all layers that make maps of it, and the names are those of their blocks.
    """

    first: str | None
    first_cost: int
    second: str | None
    second_cost: int
    size: str = ""

    @property
    def saved(self) -> int:
        """What the second saves here; negative if it costs more."""
        return self.first_cost - self.second_cost

    @property
    def is_alike(self) -> bool:
        """Do blocks of one name cost the same?"""
        return self.first == self.second and not self.saved


class Part(NamedTuple):
    """Layers taken together: a block, or those that make maps of one size."""

    name: str  # by which it is paired
    cost: int
    shown: str  # what it is called


NOTHING = Part("", 0, "")


def align(first: Cost, second: Cost, by: str, depth: int | None = None) -> tuple[Pair, ...]:
    """Two networks in order, without what costs nothing.

    Blocks of this depth are paired by name, and by position between pairs of equal names; without a depth layers, or
    blocks of networks that are long. Where common names have less than half of the cost, or make maps of other sizes,
    as of two architectures, layers are paired by the size of the maps that they make, and called as their blocks,
    unless blocks cost the same one by one.
    """
    a, b = (layers(cost, by) if depth is None else blocks(cost, by, depth) for cost in (first, second))
    if depth is None and max(len(a), len(b)) > MAX_LAYERS_SHOWN:
        a, b = blocks(first, by, 1), blocks(second, by, 1)
    if not (_share_names(a, b) and _mean_the_same(a, b, first, second)) and [x.cost for x in a] != [x.cost for x in b]:
        sizes = by_size(first, by, depth or 1), by_size(second, by, depth or 1)
        if len(_names(sizes[0]) & _names(sizes[1]) - {FLAT}) > 1:
            sides = _side_by_side(*sizes)
            return tuple([Pair(x.shown or None, x.cost, y.shown or None, y.cost, x.name or y.name) for x, y in sides])
    return tuple([Pair(x.shown or None, x.cost, y.shown or None, y.cost) for x, y in _side_by_side(a, b)])


def layers(cost: Cost, by: str) -> list[Part]:
    """The layers that cost something."""
    found = ((str(row.name), cost.value(by, i)) for i, row in enumerate(cost.layers))
    return [Part(name, value, name) for name, value in found if value]


def blocks(cost: Cost, by: str, depth: int) -> list[Part]:
    """The blocks of a depth that cost something."""
    return [Part(block.name, block.costs[by], block.name) for block in cost.fold(depth, [by]) if block.costs[by]]


def by_size(cost: Cost, by: str, depth: int = 1) -> list[Part]:
    """The layers that make maps of one size, taken together: `56×56`, called as the blocks they are in. The size that
    comes first is the first, and flat is the last."""
    costs: dict[str, int] = {}
    names: dict[str, dict[str, None]] = {}
    for i, (row, sides) in enumerate(zip(cost.layers, _sides(cost.layers))):
        size = FLAT if all(side == 1 for side in sides) else "×".join(map(str, sides))
        if value := cost.value(by, i):
            costs[size] = costs.get(size, 0) + value
            names.setdefault(size, {})[block_of(row.name, depth)] = None
    last = sorted(costs, key=lambda size: size == FLAT)  # squeezes stand between maps of many sizes
    return [Part(size, costs[size], _first_to_last([*names[size]])) for size in last]


def _sides(rows: Sequence[Row]) -> Iterator[Shape]:
    """The sides of the map that each layer makes, channels first or last; empty for one that makes none."""
    images, known = image_names(rows), dict[Any, AxisRoles]()
    for row in rows:
        out = row.output_shape
        ins = tuple([known.get(source, unknown_roles(x)) for source, x in zip(row.inputs, row.input_shapes)])
        roles = known[row.name] = row.op.axis_roles(ins, row.input_shapes, out)
        if str(row.name) in images:
            yield out[2:]
        else:
            yield out[1:-1] if len(out) > 3 and {*roles[1:-1]} == {POSITION} and roles[-1] == FEATURES else ()


def _first_to_last(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}" if len(names) > 2 else ", ".join(names)


def _names(parts: Sequence[Part]) -> set[str]:
    return {part.name for part in parts}


def _share_names(a: Sequence[Part], b: Sequence[Part]) -> bool:
    """Have parts of common names half of the cost of either?"""
    common = _names(a) & _names(b)
    return any(2 * sum(x.cost for x in some if x.name in common) >= sum(x.cost for x in some) for some in (a, b))


def _mean_the_same(a: Sequence[Part], b: Sequence[Part], first: Cost, second: Cost) -> bool:
    """Do common names stand for the same place? They do if one network has all names of the other, as at another depth
    or resolution, or if blocks with half of the cost of the common names make maps of the same size."""
    common = _names(a) & _names(b)
    if common in (_names(a), _names(b)):
        return True
    ours, theirs = (_last_sizes(cost, common) for cost in (first, second))
    same = sum(part.cost for part in a if part.name in common and ours.get(part.name) == theirs.get(part.name))
    return 2 * same >= sum(part.cost for part in a if part.name in common)


def _last_sizes(cost: Cost, names: set[str]) -> dict[str, Shape]:
    """The sides of the last map of each of the blocks or layers that have one."""
    sizes: dict[str, Shape] = {}
    for row, sides in zip(cost.layers, _sides(cost.layers)):
        path = str(row.name).split(".")
        for depth in range(1, len(path) + 1):
            if sides and (name := ".".join(path[:depth])) in names:
                sizes[name] = sides
    return sizes


def _side_by_side(a: Sequence[Part], b: Sequence[Part]) -> Iterator[tuple[Part, Part]]:
    """By name, and by position between equal names."""
    matcher = SequenceMatcher(None, [part.name for part in a], [part.name for part in b], autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        yield from zip_longest(a[i1:i2], b[j1:j2], fillvalue=NOTHING)
