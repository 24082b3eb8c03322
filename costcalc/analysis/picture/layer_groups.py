"""Layers that are drawn as one box: a convolution with the normalisation and the activation behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from costcalc.analysis.walk import Row

ABSORBED = frozenset({"flatten", "dropout", "softmax", "log_softmax", "local_response_norm", "identity"})
REARRANGED = frozenset({"view", "reshape", "transpose", "permute", "move", "squeeze", "unsqueeze"})
NORM = "costcalc.ops.norm"
ROOMS = (NORM, "costcalc.ops.pointwise")  # normalisation and activations


class LayerGroup(NamedTuple):
    """Rows that are one box, in order, by their numbers; the last one's output is the group's."""

    rows: tuple[int, ...]


def layer_groups(rows: Sequence[Row], *, every_layer: bool = False) -> list[LayerGroup]:
    """Groups of rows in order. Normalisation, activations, dropout, flatten and softmax belong to the layer before them
    if nothing else reads it, and so does what only rearranges elements."""
    readers = _readers(rows)
    number = {str(row.name): at for at, row in enumerate(rows)}
    group_of: dict[int, int] = {}
    groups: list[list[int]] = []
    for at, row in enumerate(rows):
        before = number.get(str(row.inputs[0])) if len(row.inputs) == 1 else None
        if (
            not every_layer and before is not None and is_absorbed(row) and readers[before] == 1
            and not rows[before].op.is_input and _belongs(rows[before], row) and group_of[before] < len(groups)
            and groups[group_of[before]][-1] == before
        ):  # fmt: skip
            group_of[at] = group_of[before]
            groups[group_of[before]].append(at)
        else:
            group_of[at] = len(groups)
            groups.append([at])
    return [LayerGroup(tuple(group)) for group in groups]


def is_absorbed(row: Row) -> bool:
    """Is it a layer that belongs to the one before it?"""
    op = row.op
    return len(row.inputs) == 1 and (op.name in ABSORBED | REARRANGED or type(op).__module__ in ROOMS)


def named(rows: Sequence[Row]) -> list[Row]:
    """The rows of a box that its words name: not those that only rearrange elements, unless there are no others."""
    return [row for row in rows if row.op.name not in REARRANGED] or [*rows]


def _belongs(before: Row, row: Row) -> bool:
    """Do the copies of a repeat that one of them is in stand for the other too? A normalisation behind an add or a
    concat belongs to what follows, and so does what begins another block, but for a flatten or a dropout."""
    if before.op.is_join and type(row.op).__module__ == NORM:
        return False
    if row.op.name not in ABSORBED and not _share_block(str(before.name), str(row.name)):
        return False
    return before.times is row.times or str(before.times) == str(row.times)


def _share_block(one: str, other: str) -> bool:
    """Is one of two layers in the block of the other, or in a block within it?"""
    blocks = [name[: name.rfind(".") + 1] for name in (one, other)]
    return one.startswith(blocks[1]) or other.startswith(blocks[0])


def _readers(rows: Sequence[Row]) -> list[int]:
    number = {str(row.name): at for at, row in enumerate(rows)}
    readers = [0] * len(rows)
    for row in rows:
        for source in row.inputs:
            if str(source) in number:
                readers[number[str(source)]] += 1
    return readers
