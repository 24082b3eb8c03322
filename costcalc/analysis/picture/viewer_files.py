"""Files for viewers of networks: an overlay of costs for Netron and Model Explorer, and a graph for Model Explorer.

Netron reads `signature`, `metadata` and `metrics` as an attachment; Model Explorer reads `name`, `results` and
`gradient` as node data, and passes over the rest. So one file does for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.analysis.cost import Cost
from costcalc.analysis.metric_names import metric_of, why_not_counted
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.picture.op_words import op_words
from costcalc.analysis.walk import Row, symbolic_sizes_error
from costcalc.dims import is_rational
from costcalc.files import write
from costcalc.table import cell, shape_text, visible
from costcalc.table.json_csv import json_pieces
from costcalc.text import as_float, plural

SHOWN = ("macs", "params", "elementwise", "activations")  # what Netron lists of each node, besides what is asked for
MAX_EXACT = 2**53  # larger whole numbers change in JavaScript
CHEAP_COLOR, DEAR_COLOR = "#ffffff", "#1f5fa8"  # colours of the cheapest node and of the one that costs most
SLASH = "|"  # stands in a name for the / that would open a namespace


@dataclass(frozen=True)
class ViewerFile:
    """A JSON document for viewers, and what a reader should know of it."""

    document: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The text of the file."""
        return "".join(json_pieces(dict(self.document)))

    def save(self, path: Path | str) -> None:
        """Writes the file, all of it or none. Raises OSError."""
        write(Path(path), json_pieces(dict(self.document)))


class _Node(NamedTuple):
    """A node of a viewer: how Netron and Model Explorer call it, and the layers whose costs it has."""

    kind: str  # node or value
    name: str
    layers: tuple[Row, ...]
    about: str  # the layers that it belongs to


def overlay(cost: Cost, shade: str = "macs") -> ViewerFile:
    """The costs of the nodes of an ONNX file, or of the layers of another network: `costs.overlay.json`.

    `shade` is the metric that Model Explorer colours. Each cost stands at one node: that of a layer of several nodes at
    the first of them, and the others have 0. Raises UnknownName, and UsageError for a metric that is no number of
    layers and for symbols.
    """
    metric_of(shade, unless=why_not_counted)
    names = [*dict.fromkeys((shade, *SHOWN))]
    if not all(is_rational(cost.total(name) or 0) for name in names):
        raise symbolic_sizes_error("an overlay", cost.layers)
    nodes, notes = _nodes_of(cost)
    values = {name: _values(cost, name, nodes) for name in names}
    notes += _left_over(cost, shade, values[shade])
    metadata, metrics = list[dict[str, Any]](), list[dict[str, Any]]()
    for at, node in enumerate(nodes):
        target = {"kind": node.kind, "target": node.name.split("\n")[0]}
        if node.about:
            metadata.append({**target, "name": "costcalc layer", "value": node.about})
        metrics += [{**target, "name": METRICS[name].title, "value": _for_netron(values[name][at])} for name in names]
    document = {
        "signature": "netron:attachment",
        "metadata": metadata,
        "metrics": metrics,
        "name": METRICS[shade].title,
        "results": {node.name: {"value": _for_explorer(value)} for node, value in zip(nodes, values[shade])},
        "gradient": [{"stop": 0, "bgColor": CHEAP_COLOR}, {"stop": 1, "bgColor": DEAR_COLOR}],
    }
    return ViewerFile(document, tuple(notes))


def explorer_graph(cost: Cost) -> ViewerFile:
    """The layers of a network as a graph that Model Explorer draws: `net.graph.json`. Ids are the names of layers, as
    an overlay has them; blocks are namespaces. It draws few characters but letters: x stands for ×."""
    layouts, copies = cost.layouts, _copies_of_blocks(cost.layers)
    nodes = [_explorer_node(cost, at, layouts, copies) for at in range(len(cost.layers))]
    title = visible(cost.target or cost.title or "network")
    return ViewerFile({"label": title, "graphs": [{"id": title, "nodes": nodes}]})


def _explorer_node(cost: Cost, at: int, layouts: OutputLayouts, copies: Mapping[str, int]) -> dict[str, Any]:
    """The layer of this number as Model Explorer reads a node."""
    row = cost.layers[at]
    name, shape = str(row.name), layouts.shown(row.output_shape, row.name)
    *blocks, last = name.split(".")
    words = op_words(row.op, row.output_shape)
    known = {"layer": name, "op": row.op.name, "output": shape_text(shape)}
    if str(row.times) != "1":
        known["copies"] = str(row.times)
    known |= {METRICS[one].title: cell(cost.value(one, at), "int") for one in SHOWN}
    return {
        "id": name,
        "label": visible(last if last == words else f"{last}: {words}").replace("×", "x"),
        "namespace": "/".join(
            visible(_part(block, copies[".".join(blocks[: depth + 1])], copies[".".join(blocks[:depth])]))
            for depth, block in enumerate(blocks)
        ),
        "incomingEdges": [
            {"sourceNodeId": str(source), "sourceNodeOutputId": "0", "targetNodeInputId": str(number)}
            for number, source in enumerate(row.inputs)
        ],
        "outputsMetadata": [{"id": "0", "attrs": [{"key": "tensor_shape", "value": visible(shape_text(shape))}]}],
        "attrs": [{"key": key, "value": visible(value)} for key, value in known.items()],
    }


def _nodes_of(cost: Cost) -> tuple[list[_Node], list[str]]:
    """The nodes that a viewer shows, each once, and notes on those that it cannot find by name."""
    about: Mapping[str, Any] = getattr(cost.graph, "graph", {})
    if "file_nodes" not in about:
        return [_Node("node", str(row.name), (row,), _about([row])) for row in cost.layers], []
    having, others = _layers_of_nodes(cost, about["nodes_of"])
    found: dict[str, _Node] = {}
    nameless, twice = 0, 0
    for number, node in enumerate(about["file_nodes"]):
        rows = having.get(number, [])
        words = _about(rows)
        if not words and number in others:
            words = f"{_about(others[number])}; its cost is at its first node"
        name = node.name or next(filter(None, node.outputs), "")
        nameless += not node.name
        if name in found:
            twice += 1
            words, rows = "; ".join(filter(None, [found[name].about, words])), [*found[name].layers, *rows]
        found[name] = _Node("node" if node.name else "value", name, tuple(rows), words)
    notes = []
    if nameless:
        notes.append(f"{plural(nameless, 'node')} of the file without a name: costs are at the tensors that they write")
    if twice:
        notes.append(f"{plural(twice, 'node')} of the file with the name of another: their costs are added up")
    return [*found.values()], notes


def _layers_of_nodes(
    cost: Cost, nodes_of: Mapping[str, Sequence[int]]
) -> tuple[dict[int, list[Row]], dict[int, list[Row]]]:
    """The layers of each node by its number: those whose first node it is, and those that it also belongs to."""
    first: dict[int, list[Row]] = {}
    others: dict[int, list[Row]] = {}
    for row in cost.layers:
        for at, number in enumerate(nodes_of.get(str(row.name), ())):
            (others if at else first).setdefault(number, []).append(row)
    return first, others


def _about(rows: Sequence[Row]) -> str:
    return ", ".join(
        visible(f"{row.name} ({row.op.name})" + (f" ×{row.times}" if str(row.times) != "1" else "")) for row in rows
    )


def _values(cost: Cost, metric: str, nodes: Sequence[_Node]) -> list[Any]:
    return [cost.together(metric, node.layers, node.layers) or 0 if node.layers else 0 for node in nodes]


def _left_over(cost: Cost, metric: str, values: Sequence[Any]) -> Iterator[str]:
    """A note on what no node of the file has, as a tensor that none reads."""
    rest = (cost.total(metric) or 0) - sum(values) if METRICS[metric].is_sum else 0
    if rest:
        yield f"{cell(rest, 'int')} of {METRICS[metric].title} belong to no node of the file"


def _for_netron(value: Any) -> Any:
    return str(value) if isinstance(value, int) and abs(value) > MAX_EXACT else _plain(value)


def _for_explorer(value: Any) -> Any:
    return as_float(value) if isinstance(value, int) and abs(value) > MAX_EXACT else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else as_float(value)
    return value


def _copies_of_blocks(rows: Sequence[Row]) -> dict[str, int]:
    """How many copies of each block there are, by its full name: what divides those of all its layers."""
    found = {"": 1}
    for row in rows:
        parts, times = str(row.name).split(".")[:-1], row.times if isinstance(row.times, int) else 1
        for depth in range(1, len(parts) + 1):
            name = ".".join(parts[:depth])
            found[name] = gcd(found.get(name, 0), times)
    return found


def _part(block: str, copies: int, around: int) -> str:
    times = copies // (around or 1)
    return block.replace("/", SLASH) + (f" x{times}" if times > 1 else "")
