"""The head of a network, its last layers, and the layers before it, as graphs of their own for transfer learning.

The head starts at a layer and has all that follow it in execution order. Its inputs are the outputs of the layers
before it that it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from costcalc.dims import Shape
from costcalc.errors import UnknownName, UsageError, did_you_mean, shorten
from costcalc.graph.freezing import layer_names
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import INPUT, Graph, add, is_repeat, owners_of
from costcalc.graph.order import topological_order
from costcalc.ops import OPS

LINEAR, IDENTITY = OPS["linear"], OPS["identity"]
FEATURE = "features{}"  # the name of the head's i-th input, where the network ends before the head


def last_linear(graph: Graph) -> Any:
    """The name of the last linear layer that stands in no repeat; None without one."""
    found = [name for name, data in topological_order(graph) if data["op"].__class__ is LINEAR]
    return found[-1] if found else None


def first_layer_of(graph: Graph, given: str) -> Any:
    """The first layer that a name means, which is that of a layer or of a block.

    Raises UnknownName for one that does not exist, UsageError for one in the body of a repeat.
    """
    for name, data in topological_order(graph):
        if data["inputs"] and f"{name}.".startswith(f"{given}."):
            return name
    rows = [*layer_names(graph)]
    for row in rows:
        if f"{row}.".startswith(f"{given}."):
            repeat = next(name for name in graph if is_repeat(graph, name) and row.startswith(f"{name}."))
            raise UsageError(
                f"{given!r} stands in {repeat!r}, which is repeated; a head starts at {repeat!r}, or after"
            )
    raise unknown_row("layer", given, rows)


def unknown_row(kind: str, given: str, rows: Sequence[str]) -> UnknownName:
    """The error that no row or block has this name, with the nearest one, else all blocks."""
    parts = [row.split(".") for row in rows]
    known = dict.fromkeys(".".join(row[:depth]) for row in parts for depth in range(1, len(row) + 1))
    hint = did_you_mean(given, known, listed=False) or did_you_mean(given, dict.fromkeys(row[0] for row in parts))
    return UnknownName(f"unknown {kind} {shorten(given)!r}", hint)


def rows_before(graph: Graph, head: Any) -> list[str]:
    """The names of the rows before a head, in execution order."""
    before: list[str] = []
    for name, data in topological_order(graph):
        if name == head:
            break
        one = LayerList()
        one.nodes[name] = data
        before += layer_names(one)
    return before


def inputs_of_head(graph: Graph, head: Any) -> tuple[Any, ...]:
    """The layers before a head that it reads, without the network's own inputs."""
    inside = {name for name, _ in _head(graph, head)}
    read = (source for _, data in _head(graph, head) for source in data["inputs"])
    return tuple(dict.fromkeys(name for name in read if name not in inside and graph.nodes[name]["inputs"]))


def with_classes(graph: Graph, layer: Any, classes: Any) -> Graph:
    """The graph with `classes` features for this linear layer, which then has tensors of its own."""
    changed = LayerList(**graph.graph)
    for name, data in topological_order(graph):
        if name == layer:
            data = {key: value for key, value in data.items() if key != "shares"}
            data["op"] = replace(data["op"], features=classes)
        changed.nodes[name] = data
    return changed


def before_head(graph: Graph, head: Any) -> Graph:
    """The layers that the inputs of a head are computed from; each of these is an output."""
    wanted = {*(sources := inputs_of_head(graph, head))}
    kept: list[tuple[Any, dict[str, Any]]] = []
    for name, data in reversed([*topological_order(graph)]):
        if name in wanted:
            kept.append((name, data))
            wanted |= {*data["inputs"], *owners_of(data)}
    changed = LayerList(**graph.graph)
    changed.nodes.update(reversed(kept))
    for i, source in enumerate(sources):
        add(changed, FEATURE.format(i), IDENTITY(), source)
    return changed


def head_alone(graph: Graph, head: Any, shapes: Mapping[Any, Shape]) -> Graph:
    """The head as a network of its own; `shapes` are those of its inputs. Weights that it shares
    with layers before it are copied.

    Raises UsageError for a repeat in it whose copies share weights of a layer before it.
    """
    changed = LayerList(**graph.graph)
    for source, shape in shapes.items():
        add(changed, source, INPUT(shape))
    inside = {name for name, _ in _head(graph, head)}
    for name, data in _head(graph, head):
        if is_repeat(graph, name) and (outside := {*owners_of(data)} - inside):
            raise UsageError(f"{name!r} in the head shares weights of {min(map(str, outside))!r} before it")
        for source in data["inputs"]:
            if source not in changed and not graph.nodes[source]["inputs"]:
                add(changed, source, graph.nodes[source]["op"])
        shared = data.get("shares") in inside
        changed.nodes[name] = data if shared else {key: value for key, value in data.items() if key != "shares"}
    return changed


def _head(graph: Graph, head: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The layers of a head in order."""
    started = False
    for name, data in topological_order(graph):
        started = started or name == head
        if started and data["inputs"]:
            yield name, data
