"""The canonical text of a layer graph, and its hash: equal graphs have equal hashes.

Names, places and the order in which layers were added have no influence. Everything else has: every field of every op,
the order of inputs, shared weights, what is frozen, input sizes and batch. A Repeat is one layer; n copies written out
are another graph. Outer layers whose weights its body uses are numbered in the order of its text, and listed after it.

The text describes the graph completely, so unlike graphs never share a hash. Two layers with the same op, inputs and
users are ordered by name: renaming can change the hash only if such twins are not mirror images.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import groupby
from typing import Any

from costcalc.dims import is_array
from costcalc.errors import GraphError

TEXT_VERSION = 2  # increases when the text changes, for example with the names of ops and fields
FIRST_LINE = f"costcalc layer graph {TEXT_VERSION}"


def graph_hash(graph: Any, *, trained: bool = False) -> str:
    """`2:`, the version of the canonical text, and its sha256; with `trained` also of what is frozen.

    Raises GraphError for arrays and malformed graphs.
    """
    return f"{TEXT_VERSION}:{_sha(canonical_text(graph if trained else _nothing_frozen(graph)))}"


def _nothing_frozen(graph: Any) -> Any:
    """The graph without the marks of what is frozen; the same graph if it has none."""
    from costcalc.graph import LayerList, Repeat, topological_order

    if not _has_frozen(graph):
        return graph
    stripped = LayerList(**graph.graph)
    for name, data in topological_order(graph):
        op = data["op"]
        op = op.with_body(_nothing_frozen(op.body)) if isinstance(op, Repeat) else op
        stripped.nodes[name] = {**data, "op": op, "frozen": False}
    return stripped


def _has_frozen(graph: Any) -> bool:
    from costcalc.graph import Repeat, nodes_of

    nodes = [data for _, data in nodes_of(graph)]
    repeats = (data["op"] for data in nodes if isinstance(data.get("op"), Repeat))
    return any(data.get("frozen") for data in nodes) or any(_has_frozen(op.body) for op in repeats)


def is_current(hash: str) -> bool:
    """Is this a hash of the current version of the text? Others match no graph."""
    return hash.startswith(f"{TEXT_VERSION}:")


def canonical_text(graph: Any) -> str:
    """Every layer on a line, `op <- inputs`, in canonical order; inputs are line numbers, from 0."""
    from costcalc.graph import nodes_of, owners_of, shared_by

    for name, data in nodes_of(graph):
        for owner in owners_of(data):
            shared_by(name, owner, (graph,))
    return _text_and_outer(graph, {})[0]


def _text_and_outer(graph: Any, outer: Mapping[Any, str], fixed: Sequence[Any] = ()) -> tuple[str, list[Any]]:
    """The text of a graph, and the outer layers whose weights it uses, in the order of their numbers. `outer`: outer
    layers and their marks, which identify them without their names; `fixed`: the inputs that all copies have alike."""
    nodes, below = _marks_from_below(graph, outer, {name: f" fixed {number}" for number, name in enumerate(fixed)})
    at = _numbers(nodes, _marks_from_above(nodes, below), outer)
    used = dict.fromkeys(owner for name in at for owner in nodes[name].owners if owner in outer)
    called = {**at, **{owner: f"outer {number}" for number, owner in enumerate(used)}}
    return "\n".join([FIRST_LINE, *(nodes[name].text(called) for name in at)]), [*used]


class _Node:
    """A layer without its name: its op as text, and the names of its inputs and of the owners of its weights."""

    def __init__(self, data: dict[str, Any], marks: dict[Any, str], more: str):
        self.inputs, (op, self.owners) = data["inputs"], _op_and_owners(data, marks)
        self.op = op + more

    def text(self, called: Mapping[Any, Any]) -> str:
        """The layer as text, with these names for its inputs and owners."""
        shares = "".join(f" shares {called[owner]}" for owner in self.owners)
        return f"{self.op} <- {','.join(str(called[source]) for source in self.inputs)}{shares}"


def _marks_from_below(
    graph: Any, outer: Mapping[Any, str], fixed: Mapping[Any, str]
) -> tuple[dict[Any, _Node], dict[Any, str]]:
    """The layers, and for each a mark (a hash) of it and of all layers that it is computed from."""
    from costcalc.graph import topological_order

    nodes, marks = {}, dict(outer)
    for name, data in topological_order(graph):
        nodes[name] = node = _Node(data, marks, fixed.get(name, ""))
        marks[name] = _sha(node.text(marks))
    return nodes, marks


def _marks_from_above(nodes: dict[Any, _Node], below: dict[Any, str]) -> dict[Any, str]:
    """A mark of each layer that also covers all layers computed from it."""
    uses: dict[Any, list[str]] = {name: [] for name in nodes}
    marks: dict[Any, str] = {}
    for name in reversed(nodes):
        marks[name] = _sha("\n".join([below[name], *sorted(uses[name])]))
        for position, source in enumerate(nodes[name].inputs):
            uses[source].append(f"{position} {marks[name]}")
        for owner in nodes[name].owners:
            if owner in uses:
                uses[owner].append(f"shares {marks[name]}")
    return marks


def _numbers(nodes: dict[Any, _Node], marks: dict[Any, str], outer: Mapping[Any, str]) -> dict[Any, int]:
    """The line of each layer: after its inputs, ordered by mark, then by the lines of its inputs, then by name."""
    depth: dict[Any, int] = {}
    for name, node in nodes.items():
        depth[name] = 1 + max((depth.get(source, 0) for source in (*node.inputs, *node.owners)), default=0)
    at: dict[Any, int] = {}
    called: dict[Any, Any] = dict(outer)
    for _, level in groupby(sorted(nodes, key=depth.__getitem__), depth.__getitem__):
        for name in sorted(level, key=lambda name: (marks[name], nodes[name].text(called), str(name))):
            called[name] = at[name] = len(at)
    return at


def _op_and_owners(data: dict[str, Any], marks: Mapping[Any, str]) -> tuple[str, list[Any]]:
    """An op as text, and the layers whose weights it uses, in the order of the text."""
    from costcalc.graph import Repeat, owners_of

    op, owners = data["op"], [*owners_of(data)]
    if isinstance(op, Repeat):
        text, used = _text_and_outer(op.body, {owner: marks[owner.from_outside()] for owner in op.outer}, op.fixed)
        return f"repeat(times={_value_text(op.times)}, body={_sha(text)})", [owner.from_outside() for owner in used]
    fields = (f"{name}={_value_text(value)}" for name, value in vars(op).items())
    return f"{op.name}({', '.join(fields)}){_frozen_text(data)}", owners


def _frozen_text(data: Mapping[str, Any]) -> str:
    """The frozen tensors of a layer as text; empty if none is."""
    from costcalc.graph.freezing import frozen_tensors

    frozen = frozen_tensors(data.get("label", ""), data.get("frozen"))
    if isinstance(frozen, bool):
        return " frozen" if frozen else ""
    return f" frozen {_value_text(sorted(frozen))}" if frozen else ""


def _value_text(value: Any) -> str:
    """A field as text. Equal values have equal texts: ½ is 0.5 as Fraction and as float, 1.0 is 1."""
    if is_array(value):
        raise GraphError("a layer graph with arrays stands for many networks and has no hash; hash one of its points")
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"({' '.join(map(_value_text, value))})"
    if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool):
        return str(int(value)) if value == int(value) else repr(float(value))
    return repr(value) if isinstance(value, str) else str(value)


def _sha(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
