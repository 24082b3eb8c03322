"""Finds all problems of a layer graph at once; each names the layer and a fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from costcalc.errors import Place, Problem, did_you_mean, nearest, shorten
from costcalc.graph.nodes import Graph, Outer, Repeat, has_rule, is_repeat, new_graph, no_such_input, owners_of
from costcalc.ops import OPS
from costcalc.ops.base import snake_case
from costcalc.ops.synonyms import INSTEAD, SYNONYMS, WITHOUT_A_RULE


def find_problems(graph: Graph) -> list[Problem]:
    """All problems of a layer graph: missing ops, inputs that do not exist, cycles."""
    found = [problem for name, data in graph.nodes(data=True) for problem in _problems_of(graph, name, data)]
    return found or _cycles(graph)


def _problems_of(graph: Graph, name: Any, data: dict[str, Any]) -> Iterator[Problem]:
    place: Place | None = data.get("place")
    label, inputs = data.get("label", name), data.get("inputs")
    if not has_rule(data.get("op")):
        yield Problem(place, f"layer {label!r} {_no_rule(data)}")
    if not isinstance(inputs, tuple):
        lacking = f"has no tuple of inputs but a {type(inputs).__name__}" if "inputs" in data else "has no inputs"
        yield Problem(place, f"layer {label!r} {lacking}", "give it inputs=(…), a tuple of layer names")
        return
    if data.get("op").__class__ is Repeat and len(inputs) != 1 + len(data["op"].fixed):
        reads = "one layer" if not data["op"].fixed else f"{1 + len(data['op'].fixed)} layers"
        yield Problem(place, f"layer {label!r} is a repeat and reads {reads}, got {len(inputs)}")
    for source in inputs:
        if source not in graph:
            yield no_such_input(graph, place, label, source)
    for source in sorted(str(source) for source in graph.pred[name] if source not in inputs):
        yield Problem(place, f"an edge leads from {source!r} to {label!r}, but its inputs do not name it")
    for owner in owners_of(data):
        if owner.__class__ is not Outer:
            yield from _problems_of_sharing(graph, label, owner, place)


def _problems_of_sharing(graph: Graph, label: Any, owner: Any, place: Place | None) -> Iterator[Problem]:
    if owner not in graph:
        hint = did_you_mean(str(owner), [*map(str, graph.nodes)])
        yield Problem(place, f"layer {label!r} shares the weights of {owner!r}, which does not exist", hint)
    elif is_repeat(graph, owner):
        yield Problem(place, f"layer {label!r} shares the weights of {owner!r}, a repeat: each copy has its own")


def _no_rule(data: dict[str, Any]) -> str:
    if "op" not in data:
        return "has no op"
    op, classes = data["op"], {cls.__name__ for cls in OPS.values()}
    if isinstance(op, type) and op in OPS.values():
        return f"has the class {op.__name__} as its op; write {op.__name__}(…)"
    if isinstance(op, str) and (op in classes or op in OPS):
        return f"has the word {op!r} as its op; write costcalc.ops.{op if op in classes else OPS[op].__name__}(…)"
    kind = op if isinstance(op, str) else getattr(op, "__name__", op.__class__.__name__)
    if kind in classes:
        there = getattr(op, "__module__", op.__class__.__module__)
        return f"has an op of {there}, which has no rule; write costcalc.ops.{kind}(…)"
    return f"has the op {kind!r}, which has no rule; {_hint(str(kind))}"


def _hint(kind: str) -> str:
    """Suggests the class of a synonym or misspelt name, or how to write one."""
    word = kind if kind in SYNONYMS else snake_case(kind)
    if word in SYNONYMS or kind.lower() in SYNONYMS:
        return f"did you mean {OPS[SYNONYMS.get(word) or SYNONYMS[kind.lower()]].__name__!r}?"
    if word in INSTEAD:
        return INSTEAD[word]
    near = "" if word in WITHOUT_A_RULE else nearest(kind, [cls.__name__ for cls in OPS.values()])
    return f"did you mean {near!r}?" if near else "see `costcalc help add-an-op`"


def _cycles(graph: Graph) -> list[Problem]:
    for shares, message in ((False, "the layers form a cycle"), (True, "a layer shares the weights of one after it")):
        cycle = _cycle(input_graph(graph, shares=shares))
        if cycle:
            start = cycle.index(min(cycle, key=str))
            path = " -> ".join(map(str, [*cycle[start:], *cycle[:start], cycle[start]]))
            hint = "let the later one share the weights of the first" if shares else ""
            return [Problem(graph.nodes[cycle[start]].get("place"), f"{message}: {shorten(path, 1000)}", hint)]
    return []


def _cycle(plain: Graph) -> list[Any]:
    """The nodes of one cycle, or none. networkx's `find_cycle` takes quadratic time on a long chain."""
    from networkx import NetworkXUnfeasible, topological_sort

    left = dict.fromkeys(plain)
    with suppress(NetworkXUnfeasible):
        for name in topological_sort(plain):
            del left[name]
    if not left:
        return []
    node = next(iter(left))  # it is on a cycle or after one: going back leads into one
    seen: dict[Any, int] = {}
    while node not in seen:
        seen[node] = len(seen)
        node = next(source for source in plain.pred[node] if source in left)
    return [*seen][seen[node] :][::-1]


def input_graph(graph: Graph, *, shares: bool = True) -> Graph:
    """The same nodes, with an edge for every input; with `shares` also from every owner of shared weights."""
    plain = new_graph()
    plain.add_nodes_from(graph)
    plain.add_edges_from((source, name) for name, data in graph.nodes(data=True) for source in data["inputs"])
    if shares:
        owners = ((owner, name) for name, data in graph.nodes(data=True) for owner in owners_of(data))
        plain.add_edges_from((owner, name) for owner, name in owners if owner.__class__ is not Outer)
    return plain
