"""Writes out the repeats of layer graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from costcalc.dims import is_rational
from costcalc.errors import GraphError
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import Graph, Repeat, add, count_layers, new_graph, nodes_of, output_of, shared_by
from costcalc.graph.order import topological_order

MAX_UNROLLED = 1_000_000  # layers
Renamed: TypeAlias = dict[Any, Any]  # the name of each layer in the unrolled graph


def unroll(graph: Graph, *, max_layers: int = MAX_UNROLLED) -> Graph:
    """The same network with every Repeat written out; copy i of layer `x` in `stage` is `stage.i.x`, from 0.

    Raises GraphError if a `times` is not a number, or for more than `max_layers` layers.
    """
    for around, name, full_name in all_repeats(graph):
        times = around.nodes[name]["op"].times
        if not is_rational(times):
            raise GraphError(f"cannot unroll {full_name!r}: its times is {times}, not a number")
    if sum(count_layers(graph)) > max_layers:
        raise GraphError(f"unrolled it has more than {max_layers:,} layers")
    flat = (LayerList if graph.__class__ is LayerList else new_graph)(**graph.graph)
    _copy_into(flat, graph, "", ({},))
    return flat


def all_repeats(graph: Graph, prefix: str = "") -> Iterator[tuple[Graph, Any, str]]:
    """All repeats, nested ones too: the graph that holds it, its name there, and its full name."""
    for name, data in nodes_of(graph):
        if data.get("op").__class__ is Repeat:
            yield graph, name, f"{prefix}{name}"
            yield from all_repeats(data["op"].body, f"{prefix}{name}.")


def _copy_into(flat: Graph, graph: Graph, prefix: str, scopes: tuple[Renamed, ...]) -> None:
    """Appends the layers of `graph` under `prefix`. `scopes`: this graph's, with its input and more as layers are
    appended, then those of the graphs around it."""
    renamed = scopes[0]
    for name, data in topological_order(graph):
        op, inputs = data["op"], tuple(renamed[source] for source in data["inputs"])
        if op.__class__ is Repeat:
            renamed[name] = _copies(flat, op, f"{prefix}{name}", inputs, scopes)
        elif name not in renamed:
            extra = {key: value for key, value in data.items() if key not in ("op", "inputs")}
            if "shares" in extra:
                scope, owner = shared_by(f"{prefix}{name}", extra["shares"], scopes)
                extra["shares"] = scope[owner]
            renamed[name] = add(flat, f"{prefix}{name}", op, *inputs, **extra)


def _copies(flat: Graph, op: Repeat, name: str, inputs: tuple[Any, ...], scopes: tuple[Renamed, ...]) -> Any:
    entry, end = op.entry, output_of(op.body)
    source, *others = inputs
    for i in range(op.times):
        renamed = {entry: source, **dict(zip(op.fixed, others, strict=True))}
        _copy_into(flat, op.body, f"{name}.{i}.", (renamed, *scopes))
        source = renamed[end]
    return source
