"""The layer graph of one network as a diagram: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import gcd
from typing import Any

from costcalc.analysis.images import as_shown, image_layers
from costcalc.errors import UsageError
from costcalc.ops import OPS
from costcalc.table import LazySequence, plain_number, shape_text, visible

MAX_FRAME_DEPTH = 8  # frames within frames


@dataclass
class Frame:
    """The numbers of its nodes, the frames in it by name, and how many copies of all of it there are."""

    nodes: list[int] = field(default_factory=list)
    inner: dict[str, Frame] = field(default_factory=dict)
    times: int = 0


@dataclass
class Diagram:
    """The lines of text on each node, n1, n2, …, the edges between nodes, and their frames."""

    nodes: Sequence[list[str]]
    edges: list[tuple[int, int]]
    frames: Frame


def diagram_of(document: Any) -> Diagram:
    """The diagram of a JSON document of `show`. Raises UsageError for any other document."""
    layers = document.get("layers") if isinstance(document, dict) else None
    if not layers or "inputs" not in layers[0]:
        raise not_drawn()
    edges: list[tuple[int, int]] = []
    named: dict[str, int] = {}
    found = image_layers([(layer["name"], _layout(layer["op"]), layer["inputs"]) for layer in layers])
    for number, layer in enumerate(layers, 1):
        name = layer["name"]
        edges += [(named[source], number) for source in layer["inputs"]]
        named[name] = number
    return Diagram(LazySequence(partial(_texts, found), layers), edges, _frames(layers))


def _texts(found: set[str], layer: dict[str, Any]) -> list[str]:
    shape = as_shown(layer["op"], layer["output_shape"], layer["name"], found)
    return [visible(layer["name"]), visible(f"{layer['op']} {shape_text(shape)}")]


def _layout(op: str) -> str:
    """The layout of an op; that of an unknown op is plain."""
    return OPS[op].layout if op in OPS else "plain"


def _frames(layers: Sequence[dict[str, Any]]) -> Frame:
    """The frames of names like `conv2_x.more.conv1`. A frame has as many copies as divide those of all its layers."""
    whole = Frame(times=1)
    for number, layer in enumerate(layers, 1):
        frame, times = whole, plain_number(layer.get("times", 1))
        for part in layer["name"].split(".")[:-1][:MAX_FRAME_DEPTH]:
            frame = frame.inner.setdefault(part, Frame())
            frame.times = gcd(frame.times, times if isinstance(times, int) else 1)
        frame.nodes.append(number)
    return whole


def _frame_lines(frame: Frame, opens: Callable[[int, str], str], closes: str, ids: Iterator[int]) -> Iterator[str]:
    """The lines of the frames in a frame. `opens` makes the first line of one from its number and label."""
    for name, inner in frame.inner.items():
        copies = inner.times // (frame.times or 1)
        yield opens(next(ids), visible(name) + (f" ×{copies}" if copies > 1 else ""))
        yield from (f"    n{number}" for number in inner.nodes)
        yield from (f"    {line}" for line in _frame_lines(inner, opens, closes, ids))
        yield closes


def not_drawn() -> UsageError:
    """The error for a document that has no layers of one network."""
    return UsageError("mermaid and dot draw the layers of one network; use them with `costcalc show`")


def mermaid(document: Any) -> Iterator[str]:
    """A Mermaid flowchart, line by line. Labels have all but letters and digits as character numbers."""
    drawn = diagram_of(document)
    yield "flowchart TD\n"
    for number, texts in enumerate(drawn.nodes, 1):
        label = "<br/>".join(_entities(text) for text in texts)
        yield f'    n{number}["{label}"]\n'
    frames = _frame_lines(
        drawn.frames, lambda number, label: f'subgraph b{number}["{_entities(label)}"]', "end", count(1)
    )
    yield from (f"    {line}\n" for line in frames)
    yield from (f"    n{start} --> n{end}\n" for start, end in drawn.edges)


def dot(document: Any) -> Iterator[str]:
    """A Graphviz digraph, line by line."""
    drawn = diagram_of(document)
    yield "digraph network {\n    node [shape=box];\n"
    for number, texts in enumerate(drawn.nodes, 1):
        label = r"\n".join(_quoted(text) for text in texts)
        yield f'    n{number} [label="{label}"];\n'
    frames = _frame_lines(
        drawn.frames, lambda number, label: f'subgraph cluster_{number} {{ label="{_quoted(label)}";', "}", count(1)
    )
    yield from (f"    {line}\n" for line in frames)
    yield from (f"    n{start} -> n{end};\n" for start, end in drawn.edges)
    yield "}\n"


def _entities(text: str) -> str:
    return "".join(char if char.isalnum() or char in " ._×" else f"#{ord(char)};" for char in text)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
