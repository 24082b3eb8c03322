"""The layer graph: a networkx.DiGraph whose nodes carry an `op` and ordered `inputs`.

Edges follow the inputs, so every networkx algorithm works on it; but the inputs are what counts, since
`x + x` has two inputs and one edge. Optional on a node: `shares`, the layer whose weights it uses (an `Outer` if that
stands outside of a repeated body), `place`, where in a spec it stands, `set`, what makes a number of its `times`, and
`meant`: it gives no warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from costcalc.dims import Size, checked, is_number
from costcalc.errors import GraphError, Place, Problem, did_you_mean, nearest, shorten
from costcalc.ops import OPS
from costcalc.ops.base import CLASSES, snake_case
from costcalc.ops.synonyms import SYNONYMS, WITHOUT_A_RULE

INPUT = OPS["input"]
MAX_NESTING = 50  # of repeats; everything else about a graph may be as large as memory allows
MAX_UNROLLED = 1_000_000  # layers

Graph: TypeAlias = Any  # a networkx.DiGraph; networkx is imported where a graph is made
Scope = TypeVar("Scope")  # what is known of the layers of one graph


@dataclass(frozen=True)
class Outer:
    """A layer outside of a repeated body whose weights are used in it; of the graph around, or so many `levels` out."""

    name: Any
    levels: int = 1

    def from_outside(self) -> Any:
        """The same layer, seen from the graph around the repeat: its name there, or an `Outer` still."""
        return self.name if self.levels == 1 else Outer(self.name, self.levels - 1)


@dataclass(frozen=True, eq=False)
class Repeat:
    """`times` copies of a body in a row, each with weights of its own; `times` may be a letter, or 0.

    The body is a layer graph with one `Input()` and one output. Unless `times` is a number it must keep its shape. A
    layer in it `shares` the weights of another in it, or as an `Outer` of one outside, which then are no copy's own.
    """

    body: Graph
    times: Size
    depth: int = field(init=False, repr=False)  # of repeats in each other, this one included
    outer: tuple[Outer, ...] = field(init=False, repr=False)  # what its body shares of layers outside

    name = "repeat"

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", checked(self.times, "repeat: times", 0))
        object.__setattr__(self, "depth", 1 + max((inner.depth for inner in _repeats(self.body)), default=0))
        if self.depth > MAX_NESTING:
            raise GraphError(f"repeats stand more than {MAX_NESTING} deep in each other")
        owners = (owner for _, data in nodes_of(self.body) for owner in owners_of(data))
        object.__setattr__(self, "outer", tuple(dict.fromkeys(owner for owner in owners if owner.__class__ is Outer)))


def _repeats(graph: Graph) -> Iterator[Repeat]:
    return (data["op"] for _, data in nodes_of(graph) if data.get("op").__class__ is Repeat)


def owners_of(data: dict[str, Any]) -> Iterable[Any]:
    """The layers whose weights a node uses, or in a repeat its body: names, and an `Outer` for each further out."""
    if data.get("op").__class__ is Repeat:
        return [owner.from_outside() for owner in data["op"].outer]
    return (data["shares"],) if "shares" in data else ()


def shared_by(label: Any, owner: Any, scopes: Sequence[Scope]) -> tuple[Scope, Any]:
    """Of the scopes of graphs, each in a repeat of the next, that with the owner of shared weights, and its name there.

    Raises GraphError if the owner stands further out than there are graphs.
    """
    name, levels = (owner.name, owner.levels) if owner.__class__ is Outer else (owner, 0)
    if levels >= len(scopes):
        raise GraphError(f"layer {label!r} shares the weights of {name!r}, further out than the graph goes")
    return scopes[levels], name


def nodes_of(graph: Graph) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Every node with its data: a view, since a list of a million pairs would keep the garbage collector busy."""
    if not hasattr(graph, "pred"):
        hint = "; take what its graph() gives" if callable(getattr(graph, "graph", None)) else ""
        raise GraphError(f"a layer graph is a networkx.DiGraph, got a {type(graph).__name__}{hint}")
    return graph.nodes(data=True)  # type: ignore[no-any-return]


def new_graph(**about: Any) -> Graph:
    """An empty layer graph; `about` (name, source, …) is kept in `graph.graph`."""
    from networkx import DiGraph

    return DiGraph(**about)


def add(graph: Graph, name: str, op: Any, *inputs: str, **extra: Any) -> str:
    """Puts a layer after its inputs and returns its name, to be the input of the next.

    Raises GraphError for a name that is taken, and for an input that the graph does not have.
    """
    if name in graph:
        raise GraphError(f"the graph has a layer {name!r} already; names must differ")
    for source in inputs:
        if source not in graph:  # networkx would make a node of it
            raise GraphError(str(_no_such_input(graph, None, name, source)))
    graph.add_node(name, op=op, inputs=inputs, **extra)
    graph.add_edges_from((source, name) for source in inputs)
    return name


def in_order(graph: Graph) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Every node with its data, inputs before users and owners before those that share their weights.

    Raises GraphError with all that is wrong.
    """
    nodes = nodes_of(graph)
    with suppress(TypeError):  # an input that is no name: it will be reported
        if _is_in_order(graph, nodes):
            return nodes
    found = problems(graph)
    if found:
        raise GraphError("\n".join(map(str, found)))
    from networkx import topological_sort

    return [(name, graph.nodes[name]) for name in topological_sort(_by_inputs(graph))]


def _is_in_order(graph: Graph, nodes: Iterable[tuple[Any, dict[str, Any]]]) -> bool:
    """Is the graph without fault, and its nodes in an order to walk in? The common case, and quick to see."""
    seen: set[Any] = set()
    pred = graph._pred
    for name, data in nodes:
        kind, inputs, edges = data.get("op").__class__, data.get("inputs"), pred[name]
        if inputs.__class__ is not tuple or not seen.issuperset(inputs):
            return False
        if kind not in CLASSES and (kind is not Repeat or len(inputs) != 1):
            return False
        if not ((len(edges) == len(inputs) == 1 and inputs[0] in edges) or edges.keys() <= set(inputs)):
            return False
        if ("shares" in data or kind is Repeat) and not all(
            owner.__class__ is Outer or (owner in seen and not _is_repeat(graph, owner)) for owner in owners_of(data)
        ):
            return False
        seen.add(name)
    return True


def _is_repeat(graph: Graph, name: Any) -> bool:
    return graph.nodes[name].get("op").__class__ is Repeat


def has_rule(op: Any) -> bool:
    """Does costcalc know how to count this op?"""
    kind = op.__class__
    return kind is Repeat or kind in CLASSES


def _by_inputs(graph: Graph, *, shares: bool = True) -> Graph:
    """The same nodes with an edge for every input, whatever edges the graph was given, and for what they share."""
    plain = new_graph()
    plain.add_nodes_from(graph)
    plain.add_edges_from((source, name) for name, data in graph.nodes(data=True) for source in data["inputs"])
    if shares:
        owners = ((owner, name) for name, data in graph.nodes(data=True) for owner in owners_of(data))
        plain.add_edges_from((owner, name) for owner, name in owners if owner.__class__ is not Outer)
    return plain


def problems(graph: Graph) -> list[Problem]:
    """Everything that makes a graph no layer graph: missing ops, inputs that do not exist, cycles."""
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
    if data.get("op").__class__ is Repeat and len(inputs) != 1:
        yield Problem(place, f"layer {label!r} is a repeat and reads one layer, got {len(inputs)}")
    for source in inputs:
        if source not in graph:
            yield _no_such_input(graph, place, label, source)
    for source in sorted(str(source) for source in graph.pred[name] if source not in inputs):
        yield Problem(place, f"an edge leads from {source!r} to {label!r}, but its inputs do not name it")
    for owner in owners_of(data):
        if owner.__class__ is not Outer:
            yield from _problems_of_sharing(graph, label, owner, place)


def _no_such_input(graph: Graph, place: Place | None, label: Any, source: Any) -> Problem:
    hint = did_you_mean(str(source), [*map(str, graph.nodes)])
    return Problem(place, f"layer {label!r} reads {source!r}, which does not exist", hint)


def _problems_of_sharing(graph: Graph, label: Any, owner: Any, place: Place | None) -> Iterator[Problem]:
    if owner not in graph:
        hint = did_you_mean(str(owner), [*map(str, graph.nodes)])
        yield Problem(place, f"layer {label!r} shares the weights of {owner!r}, which does not exist", hint)
    elif _is_repeat(graph, owner):
        yield Problem(place, f"layer {label!r} shares the weights of {owner!r}, a repeat: each copy has its own")


def _no_rule(data: dict[str, Any]) -> str:
    if "op" not in data:
        return "has no op"
    op = data["op"]
    if isinstance(op, type) and op in OPS.values():
        return f"has the class {op.__name__} as its op; write {op.__name__}(…)"
    if isinstance(op, str) and op in {cls.__name__ for cls in OPS.values()}:
        return f"has the word {op!r} as its op; write costcalc.ops.{op}(…)"
    if isinstance(op, str) and op in OPS:
        return f"has the word {op!r} as its op; write costcalc.ops.{OPS[op].__name__}(…)"
    kind = op if isinstance(op, str) else getattr(op, "__name__", op.__class__.__name__)
    if kind in {cls.__name__ for cls in OPS.values()}:
        there = getattr(op, "__module__", op.__class__.__module__)
        return f"has an op of {there}, which has no rule; write costcalc.ops.{kind}(…)"
    return f"has the op {kind!r}, which has no rule; {_hint(str(kind))}"


def _hint(kind: str) -> str:
    """The class that another name stands for, or is a slip away from; or how to make one."""
    word = kind if kind in SYNONYMS else snake_case(kind)
    if word in SYNONYMS or kind.lower() in SYNONYMS:
        return f"did you mean {OPS[SYNONYMS.get(word) or SYNONYMS[kind.lower()]].__name__!r}?"
    near = "" if word in WITHOUT_A_RULE else nearest(kind, [cls.__name__ for cls in OPS.values()])
    return f"did you mean {near!r}?" if near else "see docs/add_an_op.md"


def _cycles(graph: Graph) -> list[Problem]:
    for shares, message in ((False, "the layers form a cycle"), (True, "a layer shares the weights of one after it")):
        cycle = _cycle(_by_inputs(graph, shares=shares))
        if cycle:
            start = cycle.index(min(cycle, key=str))
            path = " -> ".join(map(str, [*cycle[start:], *cycle[:start], cycle[start]]))
            hint = "let the later one share the weights of the first" if shares else ""
            return [Problem(graph.nodes[cycle[start]].get("place"), f"{message}: {shorten(path, 1000)}", hint)]
    return []


def _cycle(plain: Graph) -> list[Any]:
    """The nodes of one cycle, or none. networkx's `find_cycle` takes the square of the time on a long chain."""
    from networkx import NetworkXUnfeasible, topological_sort

    left = dict.fromkeys(plain)
    with suppress(NetworkXUnfeasible):
        for name in topological_sort(plain):
            del left[name]
    if not left:
        return []
    node = next(iter(left))  # what is left follows a cycle: going back leads into one
    seen: dict[Any, int] = {}
    while node not in seen:
        seen[node] = len(seen)
        node = next(source for source in plain.pred[node] if source in left)
    return [*seen][seen[node] :][::-1]


def input_of(graph: Graph) -> Any:
    """The one layer that reads nothing, an `Input()`. Raises GraphError if there are several or none."""
    name = _the_one([name for name, data in graph.nodes(data=True) if not data["inputs"]], "input")
    if graph.nodes[name]["op"].name != "input":
        raise GraphError(f"a repeated body starts with an Input(), this one with {name!r}")
    return name


def output_of(graph: Graph) -> Any:
    """The one layer nobody reads. Raises GraphError if there are several or none."""
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    return _the_one([name for name in graph if name not in read], "output")


def _the_one(names: list[Any], what: str) -> Any:
    if len(names) != 1:
        listed = f": {shorten(', '.join(map(str, names)))}" if names else ""
        raise GraphError(f"a repeated body has one {what}, this one has {len(names)}{listed}")
    return names[0]


def unroll(graph: Graph, *, max_layers: int = MAX_UNROLLED) -> Graph:
    """The same network with every Repeat written out; copy i of layer `x` in `stage` is `stage.i.x`, from 0.

    Raises GraphError if a `times` is no number, or if that makes more than `max_layers` layers.
    """
    for repeat, name in _all_repeats(graph, ""):
        if not is_number(repeat.times):
            raise GraphError(f"cannot unroll {name!r}: its times is {repeat.times}, not a number")
    if sum(count_layers(graph)) > max_layers:
        raise GraphError(f"unrolled it has more than {max_layers:,} layers")
    flat = new_graph(**graph.graph)
    _copy_into(flat, graph, "", ({},))
    return flat


def _all_repeats(graph: Graph, prefix: str) -> Iterator[tuple[Repeat, str]]:
    for name, data in nodes_of(graph):
        if data.get("op").__class__ is Repeat:
            yield data["op"], f"{prefix}{name}"
            yield from _all_repeats(data["op"].body, f"{prefix}{name}.")


Renamed: TypeAlias = dict[Any, Any]  # layers by the names that they have in the unrolled graph


def _copy_into(flat: Graph, graph: Graph, prefix: str, scopes: tuple[Renamed, ...]) -> None:
    """Appends the layers of `graph` under `prefix`. The first scope knows where its inputs are and learns the rest;
    then come those of the graphs around it."""
    renamed = scopes[0]
    for name, data in in_order(graph):
        op, inputs = data["op"], tuple(renamed[source] for source in data["inputs"])
        if op.__class__ is Repeat:
            renamed[name] = _copies(flat, op, f"{prefix}{name}", inputs[0], scopes)
        elif name not in renamed:
            extra = {key: value for key, value in data.items() if key not in ("op", "inputs")}
            if "shares" in extra:
                scope, owner = shared_by(f"{prefix}{name}", extra["shares"], scopes)
                extra["shares"] = scope[owner]
            renamed[name] = add(flat, f"{prefix}{name}", op, *inputs, **extra)


def _copies(flat: Graph, op: Repeat, name: str, source: Any, scopes: tuple[Renamed, ...]) -> Any:
    entry, end = input_of(op.body), output_of(op.body)
    for i in range(op.times):
        renamed = {entry: source}
        _copy_into(flat, op.body, f"{name}.{i}.", (renamed, *scopes))
        source = renamed[end]
    return source


def count_layers(graph: Graph) -> Iterator[int]:
    """How many layers each node stands for, repeats multiplied, without writing them out. An Input is none."""
    for _, data in graph.nodes(data=True):
        op = data.get("op")
        yield sum(count_layers(op.body)) * op.times if op.__class__ is Repeat else int(op.__class__ is not INPUT)
