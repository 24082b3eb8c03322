"""A sketch as text for other programs to lay out: Mermaid and Graphviz, with costs, shades and frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from costcalc.drawing.sketch import Box, Sketch
from costcalc.errors import UsageError, unknown
from costcalc.table import visible

FORMATS = ("mermaid", "dot")
ROUNDED = ', style="rounded,filled"'
MAX_FRAME_DEPTH = 8  # frames within frames
SHADE, MAX_SHADE = (0x1F, 0x5F, 0xA8), 0.6  # over white, of the largest box
PLAIN = " ._×+/%·,"  # characters that mean nothing within a quoted label of Mermaid
MARKDOWN = re.compile(r"(?<=[0-9])\.(?= )|^[+.,/%·]")  # Mermaid reads such a start as that of a list


@dataclass
class Frame:
    """The numbers of its nodes, and the frames in it by name."""

    nodes: list[int] = field(default_factory=list)
    inner: dict[str, Frame] = field(default_factory=dict)


def diagram(sketch: Sketch, format: str) -> Iterator[str]:
    """The sketch in one of `FORMATS`, line by line. Raises UnknownName for another, and UsageError for something
    that is no sketch."""
    if not isinstance(sketch, Sketch):
        raise not_drawn()
    if format not in FORMATS:
        raise unknown("diagram", format, FORMATS)
    return _mermaid(sketch) if format == "mermaid" else _dot(sketch)


def not_drawn() -> UsageError:
    """The error for a result that has no layers of one network."""
    return UsageError("mermaid and dot draw the layers of one network; use them with `costcalc show`")


def _mermaid(sketch: Sketch) -> Iterator[str]:
    """A Mermaid flowchart. Labels have all but letters, digits and plain characters as character numbers."""
    yield "flowchart TD\n"
    yield f"    accTitle: {_entities(_heading(sketch))}\n"
    for number, box in enumerate(sketch.boxes, 1):
        opens, closes = ("([", "])") if box.is_pill else ("[", "]")
        yield f'    n{number}{opens}"{"<br/>".join(map(_entities, _texts(box)))}"{closes}\n'
    frames = _frame_lines(sketch, lambda number, label: f'subgraph b{number}["{_entities(label)}"]', "end")
    yield from (f"    {line}\n" for line in frames)
    for start, end, label in _edges(sketch):
        yield f'    n{start} -->|"{_entities(label)}"| n{end}\n' if label else f"    n{start} --> n{end}\n"
    for number, box in enumerate(sketch.boxes, 1):
        if box.share is not None:
            yield f"    style n{number} fill:{_color(box.shade)},color:#111111\n"


def _dot(sketch: Sketch) -> Iterator[str]:
    """A Graphviz digraph."""
    yield f'digraph network {{\n    label="{_quoted(_heading(sketch))}"; labelloc=t;\n'
    yield '    fontname="Helvetica"; labeljust=l; edge [fontname="Helvetica"];\n'
    yield '    node [shape=box, style=filled, fillcolor="#ffffff", fontname="Helvetica"];\n'
    for number, box in enumerate(sketch.boxes, 1):
        label = r"\n".join(map(_quoted, _texts(box)))
        color = f', fillcolor="{_color(box.shade)}"' if box.share is not None else ""
        yield f'    n{number} [label="{label}"{color}{ROUNDED * box.is_pill}];\n'
    frames = _frame_lines(sketch, lambda number, label: f'subgraph cluster_{number} {{ label="{_quoted(label)}";', "}")
    yield from (f"    {line}\n" for line in frames)
    for start, end, label in _edges(sketch):
        yield f'    n{start} -> n{end} [label="{_quoted(label)}"];\n' if label else f"    n{start} -> n{end};\n"
    yield "}\n"


def _heading(sketch: Sketch) -> str:
    return visible("; ".join([sketch.title, *sketch.notes[:1]]))


def _texts(box: Box) -> list[str]:
    return [visible(text) for text in (box.title, *box.lines)]


def _edges(sketch: Sketch) -> Iterator[tuple[int, int, str]]:
    """The ends of each wire by number, and what goes along it: once for each source."""
    numbers = {box.key: number for number, box in enumerate(sketch.boxes, 1)}
    labelled = set[str]()
    for wire in sketch.wires:
        label = "" if wire.source in labelled else visible(wire.label)
        labelled.add(wire.source)
        yield numbers[wire.source], numbers[wire.target], label


def _frame_lines(sketch: Sketch, opens: Callable[[int, str], str], closes: str) -> Iterator[str]:
    """The lines of all frames. `opens` makes the first line of one from its number and label."""
    whole, ids = Frame(), count(1)
    for number, box in enumerate(sketch.boxes, 1):
        frame = whole
        for name in box.path[:MAX_FRAME_DEPTH]:
            frame = frame.inner.setdefault(name, Frame())
        frame.nodes.append(number)

    def lines(frame: Frame) -> Iterator[str]:
        for name, inner in frame.inner.items():
            yield opens(next(ids), visible(sketch.headings.get(name, name)))
            yield from (f"    n{number}" for number in inner.nodes)
            yield from (f"    {line}" for line in lines(inner))
            yield closes

    return lines(whole)


def _color(shade: float) -> str:
    """The colour of a box: white, or a blue that grows with its part of the largest."""
    part = MAX_SHADE * max(0.0, min(1.0, shade))
    return "#" + "".join(f"{round(255 + (one - 255) * part):02x}" for one in SHADE)


def _entities(text: str) -> str:
    text = MARKDOWN.sub(lambda found: f"\0{found[0]}", text)
    parts = ((before == "\0", sign) for before, sign in zip(f" {text}", text) if sign != "\0")
    return "".join(
        sign if (sign.isalnum() or sign in PLAIN) and not is_marked else f"#{ord(sign)};" for is_marked, sign in parts
    )


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
