"""The layer graph of one network as a picture: Mermaid and Graphviz."""

from __future__ import annotations

from typing import Any, NamedTuple

from costcalc.errors import UsageError
from costcalc.table import plain_number, shape_text, visible


class Picture(NamedTuple):
    """The lines of text on each node, n1, n2, …, and the edges between them."""

    nodes: list[list[str]]
    edges: list[tuple[int, int]]


def picture(document: Any) -> Picture:
    """What there is to draw. Raises UsageError if the document is not of one network."""
    layers = document.get("layers") if isinstance(document, dict) else None
    if not layers or "inputs" not in layers[0]:
        raise UsageError("mermaid and dot draw the layers of one network; use them with `costcalc show`")
    nodes: list[list[str]] = []
    edges: list[tuple[int, int]] = []
    named: dict[str, int] = {}
    within: dict[str, int] = {}  # a stage of repeated layers is read under its name; its last layer is its output
    for number, layer in enumerate(layers, 1):
        name, times = layer["name"], plain_number(layer.get("times", 1))
        again = "" if times == 1 else f" (each of {layer['times']} copies)"
        nodes.append([visible(name), visible(f"{layer['op']} {shape_text(layer['output_shape'])}{again}")])
        for source in layer["inputs"]:
            start = named.get(source, within.get(source))
            if start is not None:
                edges.append((start, number))
        named[name] = number
        parts = name.split(".")
        for depth in range(1, len(parts)):
            within[".".join(parts[:depth])] = number
    return Picture(nodes, edges)


def mermaid(document: Any) -> str:
    """A Mermaid flowchart. Names are labels only, all but letters and digits written as character numbers."""
    drawn = picture(document)
    lines = ["flowchart TD"]
    for number, texts in enumerate(drawn.nodes, 1):
        label = "<br/>".join(_entities(text) for text in texts)
        lines.append(f'    n{number}["{label}"]')
    lines += [f"    n{start} --> n{end}" for start, end in drawn.edges]
    return "\n".join(lines) + "\n"


def dot(document: Any) -> str:
    """A Graphviz digraph."""
    drawn = picture(document)
    lines = ["digraph network {", "    node [shape=box];"]
    for number, texts in enumerate(drawn.nodes, 1):
        label = r"\n".join(_quoted(text) for text in texts)
        lines.append(f'    n{number} [label="{label}"];')
    lines += [f"    n{start} -> n{end};" for start, end in drawn.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _entities(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in " ._×" else f"#{ord(sign)};" for sign in text)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
