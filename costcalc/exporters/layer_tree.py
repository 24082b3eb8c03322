"""A layer graph as a tree: layers whose names share their first parts stand in a group of that name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from costcalc.expressions import NAME
from costcalc.graph import Graph, Repeat, topological_order
from costcalc.text import FreeNames

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True)
class Layer:
    """A layer, the layers that it reads by their names in the graph, and what else its node says."""

    node: str
    name: str
    op: Any
    inputs: tuple[str, ...]
    shares: Any = None
    frozen: bool = False
    meant: bool = False


@dataclass(frozen=True)
class Group:
    """Entries under one name; with `times` copies of them in a row."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    times: Any = None
    source: str = ""  # of copies: the layer that the first of them reads
    fixed: frozenset[str] = frozenset()  # of copies: the other layers outside, which all of them read
    end: str = ""  # of copies: the last layer of the last of them
    nodes: frozenset[str] = frozenset()  # of copies: the layers of all of them


@dataclass(frozen=True)
class Branched:
    """A join and its branches, which all start at one layer."""

    join: Layer
    branches: list[list[Entry]]
    source: str


Entry = Layer | Group | Branched
Readers = dict[str, set[str]]  # the layers that read each layer


def end_of(entry: Entry) -> str:
    """The layer that an entry's output is."""
    if isinstance(entry, Layer):
        return entry.node
    if isinstance(entry, Branched):
        return entry.join.node
    return entry.end if entry.times is not None else end_of(entry.entries[-1])


def nodes_of_entry(entry: Entry) -> set[str]:
    """The layers of an entry; of copies those of all."""
    return {layer.node for layer in layers_of([entry])}.union(*_copies_in([entry]))


def _copies_in(entries: Iterable[Entry]) -> Iterator[frozenset[str]]:
    for entry in entries:
        if isinstance(entry, Group):
            yield entry.nodes
            yield from _copies_in(entry.entries)
        elif isinstance(entry, Branched):
            yield from _copies_in(inner for branch in entry.branches for inner in branch)


def reads_of(entry: Entry) -> set[str]:
    """The layers outside that an entry reads."""
    if isinstance(entry, Group) and entry.times is not None:
        return {entry.source, *entry.fixed}
    return {source for layer in layers_of([entry]) for source in layer.inputs} - nodes_of_entry(entry)


def layers_of(entries: Iterable[Entry]) -> Iterator[Layer]:
    """All layers of entries in order."""
    for entry in entries:
        if isinstance(entry, Group):
            yield from layers_of(entry.entries)
        elif isinstance(entry, Branched):
            yield from layers_of(inner for branch in entry.branches for inner in branch)
            yield entry.join
        else:
            yield entry


def tree_of(graph: Graph, frozen: Collection[str] = ()) -> list[Entry]:
    """The entries of a graph without repeats, inputs left out. `frozen`: the layers that learn nothing."""
    read = [(str(name), data) for name, data in topological_order(graph) if not data["op"].is_input]
    layers = [
        Layer(
            name, name, data["op"], tuple(map(str, data["inputs"])), data.get("shares"),
            name in frozen, bool(data.get("meant")),
        )
        for name, data in read
    ]  # fmt: skip
    assert not any(isinstance(layer.op, Repeat) for layer in layers), "repeats are written out before"
    return _grouped(_beside_readers(layers))


Named = list[tuple[list[str], Layer]]  # layers with the parts of their names that are left


def _beside_readers(layers: list[Layer]) -> Named:
    """The layers with the parts of their names; one without inputs or a place of its own stands with its readers."""
    parts = {layer.node: layer.name.split(".") for layer in layers}
    read_by: dict[str, list[list[str]]] = {}
    for layer in layers:
        for source in layer.inputs:
            read_by.setdefault(source, []).append(parts[layer.node][:-1])
    for layer in layers:
        if not layer.inputs and len(parts[layer.node]) == 1 and layer.node in read_by:
            parts[layer.node] = [*common_start(read_by[layer.node]), layer.name]
    return [(parts[layer.node], layer) for layer in layers]


def common_start(lists: Sequence[Sequence[str]]) -> list[str]:
    """What all lists begin with."""
    return [parts[0] for parts in takewhile(lambda parts: len({*parts}) == 1, zip(*lists))]


Run = tuple[str, Named]  # neighbours whose names start with the same part, without it; of a layer of the list ""


def _runs(layers: Named) -> list[Run]:
    """Neighbours whose first part agrees. Layers that read nothing stand before the run that they would cut in two."""
    cut: list[Run] = []
    for parts, layer in layers:
        key = parts[0] if len(parts) > 1 else ""
        _put(cut, (key, [(parts[1:] if key else parts, layer)]))
    runs: list[Run] = []
    for number, run in enumerate(cut):
        after = next((key for key, inside in cut[number:] if _reads(inside)), "")
        if runs and after and runs[-1][0] == after and not _reads(run[1]):
            last = runs.pop()
            _put(runs, run)
            runs.append(last)
        else:
            _put(runs, run)
    return runs


def _put(runs: list[Run], run: Run) -> None:
    """Adds layers to the last run if they belong to it, else as a run of their own."""
    if run[0] and runs and runs[-1][0] == run[0]:
        runs[-1][1].extend(run[1])
    else:
        runs.append(run)


def _reads(layers: Named) -> bool:
    return any(layer.inputs for _, layer in layers)


def _grouped(layers: Named) -> list[Entry]:
    """Neighbours whose first part agrees, in a group of that name; names are made valid and differ."""
    found: list[Entry] = []
    runs, names = _runs(layers), FreeNames()
    own = {inside[0][0][0] for key, inside in runs if not key}
    for key, inside in runs:
        if key in own and all(len(parts) == 1 for parts, _ in inside):  # the views beside a layer of that name
            found += [replace(layer, name=names.take(layer.op.name)) for _, layer in inside]
        elif len(inside) > 1:
            found.append(Group(names.take(valid_name(key, "block")), _grouped(inside)))
        else:  # a group of one layer is that layer
            parts, layer = inside[0]
            name = valid_name(key or parts[0], layer.op.name)
            if name in names.taken and re.fullmatch(rf"{layer.op.name}(_\d+)?", name):
                name = layer.op.name  # which takes the next number
            found.append(replace(layer, name=names.take(name)))
    return found


def valid_name(part: str, number_of: str) -> str:
    """A name that a spec takes: `block3` for the third of a list, and letters, digits and _ alone."""
    name = NOT_IN_NAMES.sub("_", part)[:60]
    if not NAME.fullmatch(name):
        name = f"{number_of}{'_' * number_of[-1].isdigit()}{name}"[:64]
    return name
