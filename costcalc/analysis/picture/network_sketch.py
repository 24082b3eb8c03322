"""A network as boxes, wires and frames: layers absorbed into those before them, then folded by block until they fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

from costcalc.analysis.cost import Cost
from costcalc.analysis.images import as_shown, image_names
from costcalc.analysis.metrics import METRICS, metric_of, why_not_counted
from costcalc.analysis.picture.layer_groups import layer_groups
from costcalc.analysis.picture.op_words import op_words
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.frames import opened, tidied
from costcalc.drawing.sketch import Box, Path, Sketch, Wire
from costcalc.drawing.text_widths import cut_in_the_middle
from costcalc.errors import UsageError
from costcalc.table import bytes_text, cell, shape_text, short_text, visible
from costcalc.text import plural

FITS, FEW, MOST = 60, 20, 100  # boxes on a sheet; fewer than FEW may become up to MOST
LONGEST_NAME = 28  # signs
USUAL = "macs"


@dataclass(frozen=True)
class _Unit:
    """What is one box: the numbers of its rows, and the name that it has."""

    rows: tuple[int, ...]
    name: str
    is_folded: bool = False


def network_sketch(cost: Cost, *, depth: int | None = None, shade: str = USUAL, every_layer: bool = False) -> Sketch:
    """The sketch of a network, folded to blocks of a `depth`, by default the deepest that fits on a sheet.

    `shade` is the metric that boxes show. `every_layer` has a box for each layer. Raises UnknownName, and UsageError
    for a metric that is no number of layers.
    """
    metric_of(shade, unless=why_not_counted)
    return _Sketcher(cost, shade, every_layer).sketch(depth)


class _Sketcher:
    def __init__(self, cost: Cost, shade: str, every_layer: bool):
        self.cost, self.shade = cost, shade
        self.rows: Sequence[Row] = cost.layers
        self.number = {str(row.name): at for at, row in enumerate(self.rows)}
        self.units = [self._unit(group.rows) for group in layer_groups(self.rows, every_layer=every_layer)]
        self.images = image_names(self.rows)
        self.heads = Counter(prefix for unit in self.units for prefix in _prefixes(unit.name))
        self.total = cost.total(shade)

    def _unit(self, rows: tuple[int, ...]) -> _Unit:
        return _Unit(rows, str(self.rows[rows[0]].name))

    @cached_property
    def deepest(self) -> int:
        """The greatest number of blocks that a layer is in."""
        return max((unit.name.count(".") for unit in self.units), default=0) + 1

    def sketch(self, depth: int | None) -> Sketch:
        if depth is not None and depth < 1:
            raise UsageError(f"a depth is a whole number from 1, got {depth!r}")
        units = self._folded(depth) if depth is not None else self._fitting()
        keys = {at: f"b{number}" for number, unit in enumerate(units) for at in unit.rows}
        ends = self._ends(units, keys)
        given = [tuple(_prefixes(unit.name)) for unit in units]
        paths = tidied([*opened(dict(zip(map(_key, range(len(units))), given)), ends).values()])
        largest = max((value for unit in units if is_rational(value := self._value(unit))), default=0)
        boxes = [self._box(_key(number), unit, path, largest) for number, (unit, path) in enumerate(zip(units, paths))]
        wires = [Wire(source, target, self._shape(units[int(source[1:])])) for source, target in ends]
        return Sketch(
            visible(self.cost.title or self.cost.target),
            boxes,
            wires,
            self._headings(paths),
            self._description(boxes),
            tuple(self._notes(units)),
        )

    def _fitting(self) -> list[_Unit]:
        """The deepest blocks of which at most 60 boxes are made; or a level more, if that has few and the next fits."""
        best = self._folded(1)
        for depth in range(2, self.deepest + 1):
            units = self._folded(depth)
            if len(units) <= FITS or (len(best) < FEW and len(units) <= MOST):
                best = units
        return best

    def _folded(self, depth: int) -> list[_Unit]:
        """Boxes of a depth; blocks with a way out and back in stay open."""
        blocks = {unit.name: tuple(_prefixes(unit.name))[:depth] for unit in self.units}
        open_blocks = set[str]()
        while True:
            inside: dict[str, list[_Unit]] = {}
            for unit in self.units:
                path = blocks[unit.name]
                at = path[-1] if len(path) == depth and path[-1] not in open_blocks else unit.name
                inside.setdefault(at, []).append(unit)
            found = [
                group[0] if len(group) == 1 else _Unit(tuple(at for unit in group for at in unit.rows), name, True)
                for name, group in inside.items()
            ]
            circling = self._circling(found)
            if not circling:
                return found
            open_blocks |= circling

    def _circling(self, units: Sequence[_Unit]) -> set[str]:
        """The names of folded boxes that a path leaves and comes back to."""
        keys = {at: unit.name for unit in units for at in unit.rows}
        ends = {(a, b) for a, b in self._ends(units, keys) if a != b}
        folded = {unit.name for unit in units if unit.is_folded}
        left = {name for pair in ends for name in pair}
        while True:
            there = [(a, b) for a, b in ends if a in left and b in left]
            kept = left & {a for a, _ in there} & {b for _, b in there}
            if kept == left:
                return kept & folded
            left = kept

    def _ends(self, units: Sequence[_Unit], keys: Mapping[int, str]) -> list[tuple[str, str]]:
        found: dict[tuple[str, str], None] = {}
        for unit in units:
            for at in unit.rows:
                for source in self.rows[at].inputs:
                    there = self.number.get(str(source))
                    if there is not None and keys[there] != keys[at]:
                        found[keys[there], keys[at]] = None
        return [*found]

    def _box(self, key: str, unit: _Unit, path: Path, largest: Any) -> Box:
        rows = [self.rows[at] for at in unit.rows]
        value = self._value(unit)
        name = self._title(unit, path)
        hover = self._exactly(unit, rows)
        if rows[0].op.is_input or (rows[0].op.is_join and not unit.is_folded):
            words = " + ".join(self._words(rows)) if not rows[0].op.is_input else name
            return Box(key, words, (), path, None, 0.0, hover, unit.rows, True, unit.name)
        what = plural(len(rows), "layer") if unit.is_folded else " + ".join(self._words(rows))
        has_none = is_rational(value) and not value
        share = None
        if is_rational(value) and is_rational(self.total) and self.total and not has_none:
            share = float(value / self.total) if value.__class__ is not int else value / self.total
        shade = value / largest if share is not None and largest else 0.0
        cost = "" if has_none else self._amount(value) + (f" · {cell(share, 'share')}" if share is not None else "")
        lines = (what, cost) if cost else (what,)
        return Box(key, name, lines, path, share, float(shade), hover, unit.rows, False, unit.name)

    def _words(self, rows: Sequence[Row]) -> list[str]:
        return [op_words(row.op, row.output_shape) for row in rows]

    def _title(self, unit: _Unit, path: Path) -> str:
        """What is left of its name in its frame; without the op's name at its end, which the words below have."""
        name = unit.name[len(path[-1]) + 1 :] if path else unit.name
        head, _, last = name.rpartition(".")
        alone = self.heads[unit.name.rpartition(".")[0]] == 1
        if head and alone and not unit.is_folded and last == self.rows[unit.rows[0]].op.name:
            name = head
        return cut_in_the_middle(visible(name), LONGEST_NAME)

    def _value(self, unit: _Unit) -> Any:
        rows = [self.rows[at] for at in unit.rows]
        return self.cost.together(self.shade, rows, rows[-1:])

    def _amount(self, value: Any) -> str:
        if not is_rational(value):
            return cut_in_the_middle(str(value), 40)
        metric = METRICS[self.shade]
        if metric.unit == "bytes":
            return bytes_text(value)
        return f"{short_text(int(value))} {metric.title}"

    def _exactly(self, unit: _Unit, rows: Sequence[Row]) -> str:
        """The exact numbers, for a reader who points at the box."""
        names = dict.fromkeys(("params", "macs", self.shade))
        numbers = [f"{cell(self.cost.together(name, rows, rows[-1:]), 'int')} {METRICS[name].title}" for name in names]
        return visible(f"{unit.name}: {', '.join(numbers)}")

    def _shape(self, unit: _Unit) -> str:
        row = self.rows[unit.rows[-1]]
        return visible(shape_text(as_shown(row.op.name, row.output_shape, row.name, self.images)))

    def _headings(self, paths: Iterable[Path]) -> dict[str, str]:
        """The heading of each frame: its name in the frame around it, and how many copies there are."""
        found: dict[str, str] = {}
        for path in paths:
            for outer, frame in zip(("", *path), path):
                if frame not in found:
                    name = frame[len(outer) + 1 :] if outer else frame
                    copies = self._copies(frame) // (self._copies(outer) if outer else 1)
                    found[frame] = visible(name) + (f" ×{copies}" if copies > 1 else "")
        return found

    def _copies(self, frame: str) -> int:
        """How many copies of a block there are: what divides those of all its layers."""
        times = [row.times for row in self.rows if str(row.name).startswith(f"{frame}.")]
        return gcd(*(n if isinstance(n, int) else 1 for n in times)) or 1

    def _description(self, boxes: Sequence[Box]) -> str:
        most = sorted((box for box in boxes if box.share), key=lambda box: -(box.share or 0))[:3]
        shares = ", ".join(f"{box.title} ({cell(box.share, 'share')})" for box in most)
        return f"{plural(len(boxes), 'box', 'boxes')}; most {METRICS[self.shade].title} in {shares}" if most else ""

    def _notes(self, units: Sequence[_Unit]) -> Iterable[str]:
        metric = METRICS[self.shade]
        if is_rational(self.total) and self.total:
            amount = bytes_text(self.total) if metric.unit == "bytes" else cell(self.total, "int")
            yield f"{metric.title}: {amount}"
        if any(unit.is_folded for unit in units):
            yield f"{plural(len(self.rows), 'layer')} in {plural(len(units), 'box', 'boxes')}"


def _key(number: int) -> str:
    return f"b{number}"


def _prefixes(name: str) -> list[str]:
    """The blocks that a layer is in, the outermost first: `a` and `a.b` for `a.b.conv`."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]
