"""The layer graph: a networkx.DiGraph whose nodes carry an `op` and ordered `inputs`.

Edges follow the inputs, so every networkx algorithm works on it; but the inputs are what counts, since
`x + x` has two inputs and one edge. Optional on a node: `shares`, the layer whose weights it uses, and
`place`, where in a spec it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from costcalc.dims import Size, checked
from costcalc.errors import GraphError, Place, Problem, did_you_mean
from costcalc.ops import OPS

Graph: TypeAlias = Any  # a networkx.DiGraph; networkx is imported where a graph is made


@dataclass(frozen=True, eq=False)
class Repeat:
    """`times` copies of a body in a row, each with weights of its own; `times` may be a letter, or 0.

    The body is a layer graph with one `Input()` and one output. Unless `times` is a number it must keep its shape.
    """

    body: Graph
    times: Size

    name = "repeat"

    def __post_init__(self) -> None:
        checked(self.times, "repeat: times", 0)


def new_graph(**about: Any) -> Graph:
    """An empty layer graph; `about` (name, source, …) is kept in `graph.graph`."""
    from networkx import DiGraph

    return DiGraph(**about)


def add(graph: Graph, name: str, op: Any, *inputs: str, **extra: Any) -> str:
    """Puts a layer after its inputs and returns its name, to be the input of the next."""
    if name in graph:
        raise GraphError(f"the graph has a layer {name!r} already; names must differ")
    graph.add_node(name, op=op, inputs=inputs, **extra)
    graph.add_edges_from((source, name) for source in inputs)
    return name


def in_order(graph: Graph) -> list[tuple[Any, dict[str, Any]]]:
    """Every node with its data, inputs before users. Raises GraphError with all that is wrong."""
    nodes = list(graph.nodes(data=True))
    seen: set[Any] = set()
    sorted_already = True
    for name, data in nodes:
        op, inputs = data.get("op"), data.get("inputs")
        if inputs.__class__ is not tuple or not has_rule(op):
            break
        if sorted_already and not seen.issuperset(inputs):
            sorted_already = False
        seen.add(name)
    else:
        if sorted_already:
            return nodes
    found = problems(graph)
    if found:
        raise GraphError("\n".join(map(str, found)))
    from networkx import topological_sort

    return [(name, graph.nodes[name]) for name in topological_sort(by_inputs(graph))]


def has_rule(op: Any) -> bool:
    """Does costcalc know how to count this op?"""
    kind = op.__class__
    return kind is Repeat or OPS.get(getattr(kind, "name", "")) is kind


def by_inputs(graph: Graph) -> Graph:
    """The same nodes with an edge for every input, whatever edges the graph was given."""
    plain = new_graph()
    plain.add_nodes_from(graph)
    plain.add_edges_from((source, name) for name, data in graph.nodes(data=True) for source in data["inputs"])
    return plain


def problems(graph: Graph) -> list[Problem]:
    """Everything that makes a graph no layer graph: missing ops, inputs that do not exist, cycles."""
    found = []
    for name, data in graph.nodes(data=True):
        place: Place | None = data.get("place")
        label = data.get("label", name)
        if not has_rule(data.get("op")):
            found.append(Problem(place, f"layer {label!r} {_no_rule(data)}"))
        inputs = data.get("inputs")
        if not isinstance(inputs, tuple):
            found.append(Problem(place, f"layer {label!r} has no inputs", "give it inputs=(…), a tuple of layer names"))
            continue
        missing = [source for source in inputs if source not in graph]
        for source in missing:
            hint = did_you_mean(str(source), map(str, graph.nodes))
            found.append(Problem(place, f"layer {label!r} reads {source!r}, which does not exist", hint))
        edgeless = set(graph.predecessors(name)) - set(inputs)
        for source in sorted(map(str, edgeless)):
            found.append(Problem(place, f"an edge leads from {source!r} to {label!r}, but its inputs do not name it"))
    return found or _cycles(graph)


def _no_rule(data: dict[str, Any]) -> str:
    if "op" not in data:
        return "has no op"
    op = data["op"]
    kind = op if isinstance(op, str) else op.__class__.__name__ if not isinstance(op, type) else op.__name__
    hint = did_you_mean(str(kind), [cls.__name__ for cls in OPS.values()])
    return f"has the op {kind!r}, which has no rule; {hint or 'see docs/add_an_op.md'}"


def _cycles(graph: Graph) -> list[Problem]:
    from networkx import NetworkXNoCycle, find_cycle

    try:
        cycle = [source for source, _ in find_cycle(by_inputs(graph))]
    except NetworkXNoCycle:
        return []
    start = cycle.index(min(cycle, key=str))
    path = " -> ".join(map(str, [*cycle[start:], *cycle[:start], cycle[start]]))
    return [Problem(graph.nodes[cycle[start]].get("place"), f"the layers form a cycle: {path}")]


def output_of(graph: Graph) -> Any:
    """The one layer nobody reads. Raises GraphError if there are several or none."""
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    ends = [name for name in graph if name not in read]
    if len(ends) != 1:
        raise GraphError(f"a repeated body has one output, this one has {len(ends)}: {', '.join(map(str, ends))}")
    return ends[0]


def unroll(graph: Graph) -> Graph:
    """The same network with every Repeat written out; copy i of layer `x` in `stage` is `stage.i.x`, from 0."""
    flat = new_graph(**graph.graph)
    _copy_into(flat, graph, "", {})
    return flat


def _copy_into(flat: Graph, graph: Graph, prefix: str, renamed: dict[Any, Any]) -> None:
    """Appends the layers of `graph` under `prefix`; `renamed` knows where the inputs are and learns the rest."""
    for name, data in in_order(graph):
        op, inputs = data["op"], tuple(renamed[source] for source in data["inputs"])
        if op.__class__ is Repeat:
            renamed[name] = _copies(flat, op, f"{prefix}{name}", inputs[0])
        elif name not in renamed:
            extra = {key: value for key, value in data.items() if key not in ("op", "inputs")}
            if "shares" in extra:
                extra["shares"] = renamed[extra["shares"]]
            renamed[name] = add(flat, f"{prefix}{name}", op, *inputs, **extra)


def _copies(flat: Graph, op: Repeat, name: str, source: Any) -> Any:
    if not isinstance(op.times, int):
        raise GraphError(f"cannot unroll {name!r}: its times is {op.times}, not a number")
    (entry,) = (node for node, data in op.body.nodes(data=True) if not data["inputs"])
    end = output_of(op.body)
    for i in range(op.times):
        renamed = {entry: source}
        _copy_into(flat, op.body, f"{name}.{i}.", renamed)
        source = renamed[end]
    return source


def count_layers(graph: Graph) -> Iterator[int]:
    """How many layers each node stands for, repeats multiplied, without writing them out."""
    for _, data in graph.nodes(data=True):
        op = data.get("op")
        yield sum(count_layers(op.body)) * op.times if op.__class__ is Repeat else 1
