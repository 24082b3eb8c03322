"""Finds entries of a tree that repeat their neighbours, and writes them once with the number of copies.

Copies are equal in all but names: the ops with all fields, which of their own layers each reads, and what they share.
Each reads the last layer of the copy before it, and from outside besides that what all copies read. Layers that are no
copy read the last of a copy alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from costcalc.exporters.layer_tree import Branched, Entry, Group, Layer, Readers, layers_of

MAX_PERIOD = 8  # entries that are repeated together
MIN_LAYERS = 2  # in a copy
HEADER_LINES = 4  # of a repeat; those of a group are as many
Form = tuple[Any, ...]


def folded(entries: Sequence[Entry], readers: Readers) -> list[Entry]:
    """The entries, repeats folded, largest first. `readers`: the layers that read each layer, by names."""
    found: list[Entry] = []
    at = 0
    while at < len(entries):
        period, times = _best(entries, at, readers)
        copies = [list(entries[at + i * period : at + (i + 1) * period]) for i in range(times)]
        found.append(_repeat(copies, readers) if times > 1 else _inside(entries[at], readers))
        at += period * times
    return found


def _inside(entry: Entry, readers: Readers) -> Entry:
    """The entry, folded inside; a group of nothing but one repeat is that repeat."""
    if not isinstance(entry, Group):
        return entry
    inner = folded(entry.entries, readers)
    only = inner[0]
    if len(inner) == 1 and isinstance(only, Group) and only.times is not None and entry.times is None:
        return replace(only, name=entry.name)
    return replace(entry, entries=inner)


def _repeat(copies: list[list[Entry]], readers: Readers) -> Group:
    """The copies as one group; the name says the first and the last of them."""
    first, last = copies[0][0], copies[-1][-1]
    body = first.entries if len(copies[0]) == 1 and isinstance(first, Group) else copies[0]
    reads, others = (_outside(copy) for copy in copies[:2])
    nodes = [{layer.node for layer in layers_of(copy)} for copy in copies]
    fixed = frozenset(others - nodes[0])
    (source,) = reads - fixed
    end = [*layers_of(copies[-1])][-1].node
    return Group(_range(first, last), folded(body, readers), len(copies), source, fixed, end, frozenset().union(*nodes))


def _range(first: Entry, last: Entry) -> str:
    """`block1_to_11` for the copies from block1 to block11."""
    start, end = (entry.join.name if isinstance(entry, Branched) else entry.name for entry in (first, last))
    number = end[len(end.rstrip("0123456789")) :]
    return f"{start}_to_{number}"[:64] if number else start


def _best(entries: Sequence[Entry], at: int, readers: Readers) -> tuple[int, int]:
    """The period and the number of copies from here that save most layers; (1, 1) if nothing repeats."""
    best, saved = (1, 1), 0
    for period in range(1, min(MAX_PERIOD, (len(entries) - at) // 2) + 1):
        copies = _copies(entries, at, period, readers)
        size = sum(1 for _ in layers_of(entries[at : at + period]))
        lines = size + HEADER_LINES * any(isinstance(entry, Layer) for entry in entries[at : at + period])
        if copies > 1 and size >= MIN_LAYERS and copies * size > lines and (copies - 1) * size > saved:
            best, saved = (period, copies), (copies - 1) * size
    return best


def _copies(entries: Sequence[Entry], at: int, period: int, readers: Readers) -> int:
    """How many copies in a row start here."""
    count, form, end = 0, None, ""
    while at + period <= len(entries):
        copy = entries[at : at + period]
        if (count and _kinds(copy) != _kinds(entries[at - period : at])) or not _is_closed(copy, readers):
            break
        if count == 1:
            form = _first_form(entries[at - period : at], _outside(copy) - {end})
        if count and (form is None or _form(copy, end) != form or not readers[end] <= _nodes(copy)):
            break
        end = [*layers_of(copy)][-1].node
        count, at = count + 1, at + period
    return count


def _first_form(copy: Sequence[Entry], fixed: set[str]) -> Form | None:
    """The form of a first copy, beside others that read `fixed`; None if it does not read one layer more."""
    sources = _outside(copy) - fixed
    return _form(copy, next(iter(sources))) if len(sources) == 1 else None


def _kinds(entries: Iterable[Entry]) -> list[str]:
    return [layer.op.name for layer in layers_of(entries)]


def _nodes(entries: Iterable[Entry]) -> set[str]:
    return {layer.node for layer in layers_of(entries)}


def _outside(entries: Iterable[Entry]) -> set[str]:
    """The layers outside that these read."""
    return {source for layer in layers_of(entries) for source in layer.inputs} - _nodes(entries)


def _is_closed(entries: Sequence[Entry], readers: Readers) -> bool:
    """Do layers outside read the last of these layers at most, and does another read each of the others?"""
    *inner, _ = [layer.node for layer in layers_of(entries)]
    inside = _nodes(entries)
    return all(readers.get(node) and readers[node] <= inside for node in inner)


def _form(entries: Sequence[Entry], source: str) -> Form:
    """What equal copies have in common. `source`: the layer that this one reads and no other."""
    layers = [*layers_of(entries)]
    numbers = {layer.node: number for number, layer in enumerate(layers)}
    return (_shape(entries), *(_line(layer, numbers, source) for layer in layers))


def _line(layer: Layer, numbers: dict[str, int], source: str) -> Form:
    """A layer without its name."""
    inputs = tuple(-1 if read == source else numbers.get(read, read) for read in layer.inputs)
    owner = numbers.get(layer.shares, layer.shares)
    return layer.op.name, tuple(vars(layer.op).items()), inputs, owner, layer.frozen, layer.meant


def _shape(entries: Sequence[Entry]) -> Form:
    """How entries are grouped."""
    return tuple(_shape(entry.entries) if isinstance(entry, Group) else 0 for entry in entries)
