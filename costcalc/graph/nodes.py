"""The layer graph: a networkx.DiGraph whose nodes carry an `op` and ordered `inputs`.

Edges follow the inputs, so that every networkx algorithm works; but costcalc reads the inputs, because `x + x` has two
inputs and one edge. Optional on a node: `shares`, the layer whose weights it uses (an `Outer` if that is outside of the
repeat); `place` in a spec; `label`, its name in messages; `set`, the settings that make its `times` a number; `meant`,
which suppresses its warnings; `is_output`, of layers that an imported network says it returns, though others read them:
nothing writes over these, and they are held to the end; `element_bytes`, of an imported network's layers that make no
floats, such as indices; `parameter_order`, the positions of their tensors among the parameters of the module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from costcalc.dims import Size, check_size
from costcalc.errors import GraphError, Place, Problem, did_you_mean, shorten
from costcalc.graph.layer_list import LayerList
from costcalc.ops import OPS
from costcalc.ops.base import CLASSES

INPUT = OPS["input"]
MAX_REPEAT_DEPTH = 50  # nothing else about a graph has a limit
Graph: TypeAlias = Any  # a networkx.DiGraph, or a LayerList
ScopeT = TypeVar("ScopeT")  # a caller's data on the layers of one graph


@dataclass(frozen=True)
class Outer:
    """A layer outside of a repeat whose weights its body uses, in the graph so many `levels` further out."""

    name: Any
    levels: int = 1

    def from_outside(self) -> Any:
        """The same layer, seen from the graph around the repeat: its name there, or an `Outer` still."""
        return self.name if self.levels == 1 else Outer(self.name, self.levels - 1)


@dataclass(frozen=True, eq=False)
class Repeat:
    """`times` copies of a body in a row, each with weights of its own; `times` may be a symbol, or 0.

    The body is a layer graph with one `Input()` that changes from copy to copy, and one output. Unless `times` is a
    number it must keep its shape. Further `Input()`s, whose names are `fixed`, are the same for all copies; the node
    reads them behind the first, in this order. Inside of another body such a repeat stands at least once. Layers of the
    body may share weights within it, or as an `Outer` with a layer outside: all copies share those. Raises GraphError
    for a fixed input that the body does not have.
    """

    body: Graph
    times: Size
    fixed: tuple[Any, ...] = ()
    depth: int = field(init=False, repr=False)  # of nested repeats, with this one
    outer: tuple[Outer, ...] = field(init=False, repr=False)  # the layers outside with which its body shares weights

    name = "repeat"
    is_input = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", check_size(self.times, "repeat: times", 0))
        object.__setattr__(self, "depth", 1 + max((inner.depth for inner in _repeats(self.body)), default=0))
        if self.depth > MAX_REPEAT_DEPTH:
            raise GraphError(f"repeats are nested more than {MAX_REPEAT_DEPTH} deep")
        object.__setattr__(self, "fixed", tuple(self.fixed))
        for name in self.fixed:
            if name not in self.body or self.body.nodes[name].get("op").__class__ is not INPUT:
                raise GraphError(f"a repeat has the fixed input {name!r}, which is no Input() of its body")
        owners = (owner for _, data in nodes_of(self.body) for owner in owners_of(data))
        object.__setattr__(self, "outer", tuple(dict.fromkeys(owner for owner in owners if owner.__class__ is Outer)))

    def with_body(self, body: Graph, times: Size | None = None) -> Repeat:
        """The same repeat of another body, whose inputs have the same names."""
        return Repeat(body, self.times if times is None else times, self.fixed)

    @property
    def entry(self) -> Any:
        """The input of the body that changes. Raises GraphError if there are several or none."""
        return input_of(self.body, self.fixed)


def _repeats(graph: Graph) -> Iterator[Repeat]:
    return (data["op"] for _, data in nodes_of(graph) if data.get("op").__class__ is Repeat)


def owners_of(data: dict[str, Any]) -> Iterable[Any]:
    """The layers whose weights a node, or the body of its repeat, uses: names, and `Outer`s for those further out."""
    if data.get("op").__class__ is Repeat:
        return [owner.from_outside() for owner in data["op"].outer]
    return (data["shares"],) if "shares" in data else ()


def shared_by(label: Any, owner: Any, scopes: Sequence[ScopeT]) -> tuple[ScopeT, Any]:
    """The scope with the owner of shared weights, and the owner's name there. Scopes come from the inside out.

    Raises GraphError if the owner is outside the last scope.
    """
    name, levels = (owner.name, owner.levels) if owner.__class__ is Outer else (owner, 0)
    if levels >= len(scopes):
        raise GraphError(f"layer {label!r} shares the weights of {name!r}, outside the outermost graph")
    return scopes[levels], name


def nodes_of(graph: Graph) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Every node with its data, as a view. Raises GraphError for an object that is not a layer graph."""
    if graph.__class__ is not LayerList and not hasattr(graph, "pred"):
        hint = "; take what its graph() gives" if callable(getattr(graph, "graph", None)) else ""
        raise GraphError(f"a layer graph is a networkx.DiGraph, got a {type(graph).__name__}{hint}")
    return graph.nodes(data=True)  # type: ignore[no-any-return]


def first_row(name: Any) -> str:
    """The row of depth 1 that a layer or row belongs to: `conv2_x` for `conv2_x.first.conv1`."""
    return str(name).partition(".")[0]


def new_graph(**about: Any) -> Graph:
    """An empty layer graph; its `graph` attribute holds `about` (name, source, …)."""
    from networkx import DiGraph

    return DiGraph(**about)


def digraph(layers: Graph) -> Graph:
    """The layers of a LayerList, and of the bodies of its repeats, as a networkx.DiGraph; a DiGraph unchanged."""
    if layers.__class__ is not LayerList:
        return layers
    graph = new_graph(**layers.graph)
    for name, data in layers.nodes.items():
        op = data["op"]
        graph.add_node(name, **{**data, "op": op.with_body(digraph(op.body)) if op.__class__ is Repeat else op})
        graph.add_edges_from((source, name) for source in data["inputs"])
    return graph


def add(graph: Graph, name: str, op: Any, *inputs: str, **extra: Any) -> str:
    """Adds a layer and returns its name, which is an input of the next. `inputs` are in order.

    Raises GraphError for a name that is taken, and for an input that does not exist.
    """
    if name in graph:
        raise GraphError(f"the graph has a layer {name!r} already; names must differ")
    for source in inputs:
        if source not in graph:  # networkx would make a node of it
            raise GraphError(str(no_such_input(graph, None, name, source)))
    if graph.__class__ is LayerList:
        graph.nodes[name] = {"op": op, "inputs": inputs, **extra}
    else:
        graph.add_node(name, op=op, inputs=inputs, **extra)
        graph.add_edges_from((source, name) for source in inputs)
    return name


def is_repeat(graph: Graph, name: Any) -> bool:
    """Is this node a Repeat?"""
    return graph.nodes[name].get("op").__class__ is Repeat


def has_rule(op: Any) -> bool:
    """Does costcalc know how to count this op?"""
    kind = op.__class__
    return kind is Repeat or kind in CLASSES


def input_of(graph: Graph, fixed: Collection[Any] = ()) -> Any:
    """The one `Input()` that is not fixed. Raises GraphError if there are several or none."""
    nodes = graph.nodes(data=True)
    starts = {name: data["op"] for name, data in nodes if not data["inputs"] and name not in fixed}
    inputs = [name for name, op in starts.items() if op.is_input]
    if starts and not inputs:
        raise GraphError(f"a repeated body starts with an Input(), this one with {next(iter(starts))!r}")
    return _the_one(inputs, "input")


def output_of(graph: Graph) -> Any:
    """The one layer that no other reads. Raises GraphError if there are several or none."""
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    return _the_one([name for name in graph if name not in read], "output")


def _the_one(names: list[Any], what: str) -> Any:
    if len(names) != 1:
        listed = f": {shorten(', '.join(map(str, names)))}" if names else ""
        raise GraphError(f"a repeated body has one {what}, this one has {len(names)}{listed}")
    return names[0]


def count_layers(graph: Graph) -> Iterator[int]:
    """The number of layers of each node: of a repeat times those of its body, of an Input 0."""
    for _, data in graph.nodes(data=True):
        op = data.get("op")
        yield sum(count_layers(op.body)) * op.times if op.__class__ is Repeat else int(op.__class__ is not INPUT)


def no_such_input(graph: Graph, place: Place | None, label: Any, source: Any) -> Problem:
    """The problem of a layer that reads a layer that does not exist."""
    hint = did_you_mean(str(source), [*map(str, graph.nodes)])
    return Problem(place, f"layer {label!r} reads {source!r}, which does not exist", hint)
