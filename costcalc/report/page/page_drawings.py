"""The drawings of a network on its page: the few depths of folding, one shown at a time, and what moves in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from costcalc.analysis.cost import Cost
from costcalc.analysis.images import image_names
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.picture.op_words import op_words
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational, is_symbolic
from costcalc.drawing.drawing import DrawingData
from costcalc.drawing.nested_layout import laid_out
from costcalc.drawing.sketch import Box, Sketch
from costcalc.drawing.svg import STYLE, svg
from costcalc.errors import CostcalcError
from costcalc.report.page.moving_texts import Sizes, moves, shape_of, words_of
from costcalc.report.page.network_parts import NetworkParts
from costcalc.table import bytes_text, cell, short_text
from costcalc.text import plural

MAX_ROWS_TO_UNFOLD = 2_000  # of a network that is drawn at several depths
MAX_BOXES = 150  # of a drawing that was not asked for
MAX_ROWS_TO_SEE = 3_000  # of a network whose receptive fields are found
DARK = STYLE[STYLE.index("{") + 1 : -1].strip()  # the rules for a dark page


def sketches(cost: Cost, by: str, depth: int | None, every_layer: bool) -> tuple[list[Sketch], int]:
    """The drawings of a network, coarse ones first, and the number of the one that is shown at first."""
    shown = network_sketch(cost, depth=depth, shade=by, every_layer=every_layer)
    if depth is not None or len(cost.layers) > MAX_ROWS_TO_UNFOLD:
        return [shown], 0
    others = [network_sketch(cost, depth=depth, shade=by, every_layer=every_layer) for depth in (1, _deepest(cost))]
    found = {len(one.boxes): one for one in others if len(one.boxes) <= MAX_BOXES} | {len(shown.boxes): shown}
    ordered = [found[size] for size in sorted(found)]
    return ordered, ordered.index(shown)


def _deepest(cost: Cost) -> int:
    return max(str(row.name).count(".") for row in cost.layers) + 1


@dataclass(frozen=True)
class PageDrawing:
    """A drawing as inline SVG; `nodes`, `labels` and `headings` are what moves in it, in the order of the SVG."""

    name: str
    id: str
    is_shown: bool
    svg: str
    nodes: tuple[dict[str, Any], ...] = ()
    labels: tuple[Any, ...] = ()
    headings: tuple[Any, ...] = ()
    rest: tuple[int, ...] = ()  # groups of layers that no box has

    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {"nodes": self.nodes, "labels": self.labels, "headings": self.headings, "rest": self.rest}


def drawn(sketch: Sketch, cost: Cost, *, columns: bool) -> DrawingData:
    """The sketch laid out, its boxes with their receptive fields."""
    boxes = [replace(box, hover=f"{box.hover}{seen}") for box, seen in zip(sketch.boxes, _fields(sketch, cost))]
    desc = f"{sketch.description}, as it is set" if sketch.description else ""
    return laid_out(replace(sketch, boxes=boxes, notes=(), description=desc), columns=columns)


def _fields(sketch: Sketch, cost: Cost) -> Iterator[str]:
    """`; as it is set: receptive field 5×5`, where it is known."""
    for box in sketch.boxes:
        text = ""
        with suppress(CostcalcError):
            if len(cost.layers) <= MAX_ROWS_TO_SEE and box.layers:
                rows = [cost.layers[at] for at in box.layers]
                field = cell(cost.together("receptive_field", rows, rows[-1:]), "shape")
                text = f"; as it is set: receptive field {field}" if field else ""
        yield text


def inline_svg(drawing: DrawingData, name: str) -> str:
    """The drawing as a part of a page: its boxes can be reached by key, and the page has its dark colours."""
    text = re.sub(r"<style>.*?</style>\n?|( xmlns=\"[^\"]*\")", "", "".join(svg(drawing, name=name)))
    text = text.replace(' role="img"', ' role="group"', 1)
    return text.replace('<g class="node"', '<g class="node" role="img" tabindex="-1"').replace(
        'tabindex="-1"', 'tabindex="0"', 1
    )


class Movable:
    """Finds what moves in the drawings of a network."""

    def __init__(self, cost: Cost, by: str, parts: NetworkParts, sizes: Sizes):
        self.cost, self.by, self.parts, self.sizes = cost, by, parts, sizes
        self.with_symbols = {str(row.name): row for row in parts.rows}
        self.images = image_names(cost.layers)

    def of(self, drawing: DrawingData, name: str, id: str, is_shown: bool) -> PageDrawing:
        """The drawing with what moves in it."""
        sketch = drawing.sketch
        groups = self.parts.boxes(sketch)
        nodes = [self._node(placed.box, mine) for placed, mine in zip(drawing.boxes, groups)]
        by_key = {box.key: box for box in sketch.boxes}
        sources = [by_key[placed.wire.source] for placed in drawing.wires if placed.label_at is not None]
        labels = [self._shape(box) for box in sources]
        names = self._frames(sketch)
        headings = [self._heading(frame) for frame in names] if len(names) == len(drawing.frames) else []
        drawn_ones = {at for mine in groups for at in mine}
        rest = [at for at in range(len(self.parts.groups)) if at not in drawn_ones]
        svg = inline_svg(drawing, id)
        return PageDrawing(name, id, is_shown, svg, tuple(nodes), tuple(labels), tuple(headings), tuple(rest))

    def _node(self, box: Box, groups: list[int]) -> dict[str, Any]:
        rows = [self.cost.layers[at] for at in box.layers]
        value = self.cost.together(self.by, rows, rows[-1:])
        found: dict[str, Any] = {"groups": groups, "texts": []}
        lines = [box.title, *box.lines]
        amount = amount_text(self.by, value)
        numbers = ", ".join(f"{cell(self.cost.together(n, rows, rows[-1:]), 'int')} {METRICS[n].title}" for n in
                            numbers_of(self.by))  # fmt: skip
        head, found_numbers, tail = box.hover.partition(numbers)
        if found_numbers:
            found["hover"] = [head, tail]
        for at, line in enumerate(lines[1:], 1):
            if value and line.partition(" · ")[0] == amount:
                found["cost"] = at
        words = words_of(self._pairs(rows), self.sizes)
        plain = " + ".join(op_words(row.op, row.output_shape) for row in rows)
        if moves(words) and plain in lines:
            found["texts"].append([lines.index(plain), words])
        return found

    def _pairs(self, rows: Iterable[Row]) -> list[tuple[Row, Row]]:
        return [(row, self.with_symbols[str(row.name)]) for row in rows]

    def _shape(self, box: Box) -> Any:
        """The shape that a box puts out, if it moves."""
        last = self.with_symbols[str(self.cost.layers[box.layers[-1]].name)] if box.layers else None
        pieces = shape_of(last, self.images, self.sizes) if last is not None else []
        return pieces if moves(pieces) else None

    def _frames(self, sketch: Sketch) -> list[str]:
        """The names of the frames in the order of their drawing."""
        depths: dict[str, int] = {}
        for box in sketch.boxes:
            for depth, frame in enumerate(box.path):
                depths.setdefault(frame, depth)
        return sorted(depths, key=depths.__getitem__)

    def _heading(self, frame: str) -> Any:
        """The copies of a frame, if they move: the numbers of the sizes of which they are the greatest divisor; of the
        frame around it as well."""
        outer = frame.rpartition(".")[0]
        times = [self._times(frame), self._times(outer) if outer else []]
        return times if any(times) else None

    def _times(self, frame: str) -> list[int]:
        found = {row.times for name, row in self.with_symbols.items() if name.startswith(f"{frame}.")}
        moving = any(map(is_symbolic, found))
        return [self.sizes.number(times) for times in sorted(found, key=str)] if moving else []


def numbers_of(by: str) -> tuple[str, ...]:
    """The metrics of which each box has the exact number."""
    return tuple(dict.fromkeys(("params", "macs", by)))


def amount_text(metric: str, value: Any) -> str:
    """`2.408 M MACs`, as boxes have it."""
    if not is_rational(value):
        return ""
    if METRICS[metric].unit == "bytes":
        return bytes_text(value)
    return f"{short_text(int(value))} {METRICS[metric].title}"


def drawing_name(sketch: Sketch) -> str:
    """What the choice of depths calls a drawing."""
    return plural(len(sketch.boxes), "box", "boxes")


def static(drawing: DrawingData, name: str, id: str, is_shown: bool) -> PageDrawing:
    """A drawing in which nothing moves."""
    return PageDrawing(name, id, is_shown, inline_svg(drawing, id))


def choices(found: Sequence[PageDrawing]) -> Sequence[PageDrawing]:
    """The drawings among which a reader can choose: none if there is one alone."""
    return found if len(found) > 1 else ()
