"""The layer graph of one network as a picture: Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import gcd
from typing import Any

from costcalc.analysis.images import as_image, image_layers
from costcalc.errors import UsageError
from costcalc.ops import OPS
from costcalc.table import Lazily, plain_number, shape_text, visible

DEEPEST = 8  # blocks within blocks that are drawn


@dataclass
class Block:
    """What stands in one frame: its nodes by number, the blocks in it, and how many times all of it is there."""

    nodes: list[int] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    times: int = 0


@dataclass
class Picture:
    """The lines of text on each node, n1, n2, …, the edges between them, and their frames."""

    nodes: Sequence[list[str]]
    edges: list[tuple[int, int]]
    frames: Block


def picture(document: Any) -> Picture:
    """What there is to draw. Raises UsageError if the document is not of one network."""
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
    return Picture(Lazily(partial(_texts, found), layers), edges, _frames(layers))


def _texts(found: set[str], layer: dict[str, Any]) -> list[str]:
    shape = as_image(layer["output_shape"], layer["name"], found)
    return [visible(layer["name"]), visible(f"{layer['op']} {shape_text(shape)}")]


def _layout(op: str) -> str:
    """The layout of an op, also of one that this process has not heard of."""
    return OPS[op].layout if op in OPS else "plain"


def _frames(layers: Sequence[dict[str, Any]]) -> Block:
    """The blocks that names like `conv2_x.more.conv1` tell of. What all layers of one are repeated, it is."""
    whole = Block(times=1)
    for number, layer in enumerate(layers, 1):
        block, times = whole, plain_number(layer.get("times", 1))
        for part in layer["name"].split(".")[:-1][:DEEPEST]:
            block = block.blocks.setdefault(part, Block())
            block.times = gcd(block.times, times if isinstance(times, int) else 1)
        block.nodes.append(number)
    return whole


def _framed(block: Block, opens: Callable[[int, str], str], closes: str, ids: Iterator[int]) -> Iterator[str]:
    """Lines for the blocks within a block: how each opens, by its number and label, its nodes, its blocks, its end."""
    for name, inner in block.blocks.items():
        copies = inner.times // (block.times or 1)
        yield opens(next(ids), visible(name) + (f" ×{copies}" if copies > 1 else ""))
        yield from (f"    n{number}" for number in inner.nodes)
        yield from (f"    {line}" for line in _framed(inner, opens, closes, ids))
        yield closes


def not_drawn() -> UsageError:
    """The error for a document that is not about one network."""
    return UsageError("mermaid and dot draw the layers of one network; use them with `costcalc show`")


def mermaid(document: Any) -> Iterator[str]:
    """A Mermaid flowchart, line by line. Names are labels only, all but letters and digits written as character
    numbers."""
    drawn = picture(document)
    yield "flowchart TD\n"
    for number, texts in enumerate(drawn.nodes, 1):
        label = "<br/>".join(_entities(text) for text in texts)
        yield f'    n{number}["{label}"]\n'
    frames = _framed(drawn.frames, lambda number, label: f'subgraph b{number}["{_entities(label)}"]', "end", count(1))
    yield from (f"    {line}\n" for line in frames)
    yield from (f"    n{start} --> n{end}\n" for start, end in drawn.edges)


def dot(document: Any) -> Iterator[str]:
    """A Graphviz digraph, line by line."""
    drawn = picture(document)
    yield "digraph network {\n    node [shape=box];\n"
    for number, texts in enumerate(drawn.nodes, 1):
        label = r"\n".join(_quoted(text) for text in texts)
        yield f'    n{number} [label="{label}"];\n'
    frames = _framed(
        drawn.frames, lambda number, label: f'subgraph cluster_{number} {{ label="{_quoted(label)}";', "}", count(1)
    )
    yield from (f"    {line}\n" for line in frames)
    yield from (f"    n{start} -> n{end};\n" for start, end in drawn.edges)
    yield "}\n"


def _entities(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in " ._×" else f"#{ord(sign)};" for sign in text)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
