"""The drawings of a network on its page: the few depths of folding, one shown at a time, and what moves in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

from costcalc.analysis.batch_axes import batch_of_inputs
from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import layer_count
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.walk import Row
from costcalc.dims import is_symbolic
from costcalc.dims.substitute import substitute
from costcalc.drawing import Drawing
from costcalc.drawing.sheet_layout import laid_out
from costcalc.drawing.sketch import Box, Sketch
from costcalc.drawing.svg import STYLE
from costcalc.errors import CostcalcError
from costcalc.report.page.moving_texts import Pieces, Sizes, moves, shape_of, words_of
from costcalc.report.page.network_parts import NetworkParts
from costcalc.table import cell
from costcalc.text import plural

MAX_ROWS_TO_UNFOLD = 2_000  # of a network that is drawn at several depths
MAX_BOXES = 150  # of a drawing that was not asked for
MAX_ROWS_TO_SEE = 3_000  # of a network whose receptive fields are found
ROOM_ON_PAPER = (690, 530)  # px below the numbers on the first sheet
MIN_SCALE_ON_PAPER = 0.7  # of a drawing whose texts can be read
DARK = STYLE[STYLE.index("{") + 1 : -1].strip()  # the rules for a dark page
Times = Mapping[str, set[Any]]  # how often the layers of each frame stand there
COPIES = re.compile(r" ×(\d+)$")  # behind the name of a box or a frame


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
    is_large: bool = False  # would its texts be too small on the first sheet of paper?
    nodes: tuple[dict[str, Any], ...] = ()
    labels: tuple[Any, ...] = ()
    headings: tuple[Any, ...] = ()
    rest: tuple[int, ...] = ()  # groups of layers that no box has

    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {"nodes": self.nodes, "labels": self.labels, "headings": self.headings, "rest": self.rest}


def drawn(sketch: Sketch, cost: Cost, *, columns: bool) -> Drawing:
    """The sketch laid out, its boxes with their receptive fields."""
    boxes = [replace(box, hover=f"{box.hover}{seen}") for box, seen in zip(sketch.boxes, _fields(sketch, cost))]
    desc = f"{sketch.description}, as it is set" if sketch.description else ""
    plain = replace(sketch, title="", boxes=boxes, notes=(), description=desc)  # the page has its title in a heading
    drawing = Drawing.of(laid_out(plain, columns=columns))
    return replace(drawing, picture=replace(drawing.picture, title=sketch.title))


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


def inline_svg(drawing: Drawing, name: str) -> str:
    """The drawing as a part of a page: its boxes can be reached by key, and the page has its dark colours."""
    text = drawing.svg(name).replace(f"<style>{STYLE}</style>\n", "").replace(' xmlns="http://www.w3.org/2000/svg"', "")
    text = text.replace(' role="img"', ' role="group"', 1)
    return text.replace('<g class="node"', '<g class="node" role="img" tabindex="-1"').replace(
        'tabindex="-1"', 'tabindex="0"', 1
    )


class Movable:
    """Finds what moves in the drawings of a network."""

    def __init__(self, cost: Cost, by: str, parts: NetworkParts, sizes: Sizes):
        self.cost, self.by, self.parts, self.sizes = cost, by, parts, sizes
        self.with_symbols = {str(row.name): row for row in parts.rows}
        self.layouts = replace(cost.layouts, batch=batch_of_inputs(parts.rows))

    def of(self, drawing: Drawing, name: str, id: str, is_shown: bool) -> PageDrawing:
        """The drawing with what moves in it."""
        assert drawing.data is not None
        sketch, wires = drawing.data.sketch, drawing.data.wires
        times = {frame: self._times(sketch, frame) for frame in _frames(sketch)}
        groups = self.parts.boxes(sketch)
        boxes = [placed.box for placed in drawing.data.boxes]  # pills of outputs, without layers, are the last
        nodes = [self._node(box, mine, times) for box, mine in zip(boxes, groups) if box.layers]
        by_key = {box.key: box for box in sketch.boxes}
        sources = [by_key[placed.wire.source] for placed in wires if placed.label_at is not None]
        labels = [self._shape(box) for box in sources]
        headings = [self._frame(sketch, frame, times) for frame in times]
        drawn_ones = {at for mine in groups for at in mine}
        rest = [at for at in range(len(self.parts.groups)) if at not in drawn_ones]
        svg = inline_svg(drawing, id)
        moving = tuple(nodes), tuple(labels), tuple(headings), tuple(rest)
        return PageDrawing(name, id, is_shown, svg, is_large(drawing), *moving)

    def _node(self, box: Box, groups: list[int], times: Times) -> dict[str, Any]:
        rows = [self.cost.layers[at] for at in box.layers]
        value = self.cost.together(self.by, rows, rows[-1:])
        found: dict[str, Any] = {"groups": groups, "texts": []}
        numbers = ", ".join(f"{cell(self.cost.together(n, rows, rows[-1:]), 'int')} {METRICS[n].title}" for n in
                            numbers_of(self.by))  # fmt: skip
        head, found_numbers, tail = box.hover.partition(numbers)
        if found_numbers:
            found["hover"] = [head, tail]
        if value and box.cost:
            found["cost"] = len(box.lines)  # the title is line 0
        if words := self._words(box, rows, groups):
            found["texts"].append(words)
        if copies := self._copies(box.title, {self._symbolic(row).times for row in rows}, _around(box.path, times)):
            found["copies"] = copies
        return found

    def _words(self, box: Box, rows: list[Row], groups: list[int]) -> list[Any] | None:
        """The line with the ops, or how many layers there are, and what moves in it; of equal blocks that are drawn
        once the first has the ops."""
        if box.is_pill:
            return None
        if box.is_folded:
            count = layer_count(self.parts.rows[at] for group in groups for at in self.parts.groups[group])
            return [1, [(self.sizes.number(count), "layer")]] if is_symbolic(count) else None
        words = words_of(self._pairs(rows[: len(rows) // box.copies]), self.sizes)
        return [1, words] if moves(words) else None

    def _symbolic(self, row: Row) -> Row:
        return self.with_symbols[str(row.name)]

    def _pairs(self, rows: Iterable[Row]) -> list[tuple[Row, Row]]:
        return [(row, self._symbolic(row)) for row in rows]

    def _shape(self, box: Box) -> Any:
        """The shapes that a box puts out, if they move."""
        pieces: Pieces = []
        for at in box.leaving:
            pieces += [
                *([", "] if pieces else []),
                *shape_of(self._symbolic(self.cost.layers[at]), self.layouts, self.sizes),
            ]
        return pieces if moves(pieces) else None

    def _frame(self, sketch: Sketch, frame: str, times: Times) -> Any:
        """The copies of a frame, if they move."""
        path = next(box.path for box in sketch.boxes if frame in box.path)
        return self._copies(sketch.headings.get(frame, ""), times[frame], _around(path[: path.index(frame)], times))

    def _times(self, sketch: Sketch, frame: str) -> set[Any]:
        """How often the layers in a frame stand there: those of a block, or of several that repeat together."""
        of_block = {row.times for name, row in self.with_symbols.items() if name.startswith(f"{frame}.")}
        rows = (self.cost.layers[at] for box in sketch.boxes if frame in box.path for at in box.layers)
        return of_block or {self._symbolic(row).times for row in rows}

    def _copies(self, title: str, times: set[Any], around: set[Any]) -> list[Any] | None:
        """The sizes whose greatest divisor is the number of copies, those of the frame around them, by whose divisor it
        is divided, and how many more there are than these say; None if that does not move."""
        if not any(map(is_symbolic, times | around)):
            return None
        now = [gcd(*(int(substitute(n, self.cost.knobs)) for n in some)) or 1 for some in (times, around)]
        shown = COPIES.search(title)
        factor = int(shown[1] if shown else 1) * now[1] // now[0]
        numbers = [[self.sizes.number(size) for size in sorted(some, key=str)] for some in (times, around)]
        return [*numbers, factor]


def _frames(sketch: Sketch) -> list[str]:
    """The names of the frames in the order of their drawing."""
    depths: dict[str, int] = {}
    for box in sketch.boxes:
        for depth, frame in enumerate(box.path):
            depths.setdefault(frame, depth)
    return sorted(depths, key=depths.__getitem__)


def _around(path: Sequence[str], times: Times) -> set[Any]:
    """How often the layers of the innermost frame of a path stand there."""
    return times[path[-1]] if path else set()


def numbers_of(by: str) -> tuple[str, ...]:
    """The metrics of which each box has the exact number."""
    return tuple(dict.fromkeys(("params", "macs", by)))


def drawing_name(sketch: Sketch) -> str:
    """What the choice of depths calls a drawing."""
    return plural(len(sketch.boxes), "box", "boxes")


def static(drawing: Drawing, name: str, id: str, is_shown: bool) -> PageDrawing:
    """A drawing in which nothing moves."""
    return PageDrawing(name, id, is_shown, inline_svg(drawing, id), is_large(drawing))


def is_large(drawing: Drawing) -> bool:
    """Would its texts be too small below the numbers on a sheet of paper?"""
    return (
        MIN_SCALE_ON_PAPER * drawing.width > ROOM_ON_PAPER[0] or MIN_SCALE_ON_PAPER * drawing.height > ROOM_ON_PAPER[1]
    )
