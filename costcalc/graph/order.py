"""The order in which a layer graph is walked."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from costcalc.errors import GraphError
from costcalc.graph.graph_problems import find_problems, input_graph
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import Graph, Outer, Repeat, is_repeat, nodes_of, owners_of
from costcalc.ops.base import CLASSES


def topological_order(graph: Graph) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Every node with its data: inputs before users, owners before layers that share their weights.

    Raises GraphError with all problems.
    """
    nodes = nodes_of(graph)
    if graph.__class__ is LayerList:
        return nodes
    with suppress(TypeError):  # an unhashable input: find_problems reports it
        if _is_in_order(graph, nodes):
            return nodes
    found = find_problems(graph)
    if found:
        raise GraphError("\n".join(map(str, found)))
    from networkx import topological_sort

    return [(name, graph.nodes[name]) for name in topological_sort(input_graph(graph))]


def _is_in_order(graph: Graph, nodes: Iterable[tuple[Any, dict[str, Any]]]) -> bool:
    """Is the graph valid, with its nodes in order? This is the common case, and fast to check."""
    seen: set[Any] = set()
    pred = graph._pred
    for name, data in nodes:
        kind, inputs, edges = data.get("op").__class__, data.get("inputs"), pred[name]
        if inputs.__class__ is not tuple or not seen.issuperset(inputs):
            return False
        if kind not in CLASSES and (kind is not Repeat or len(inputs) != 1 + len(data["op"].fixed)):
            return False
        if not ((len(edges) == len(inputs) == 1 and inputs[0] in edges) or edges.keys() <= set(inputs)):
            return False
        if ("shares" in data or kind is Repeat) and not all(
            owner.__class__ is Outer or (owner in seen and not is_repeat(graph, owner)) for owner in owners_of(data)
        ):
            return False
        seen.add(name)
    return True
