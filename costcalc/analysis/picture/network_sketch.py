"""A network as boxes, wires and frames: layers absorbed into those before them, equal blocks drawn once, and folded by
block until they fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import layers_text
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.picture.block_copies import Copies
from costcalc.analysis.picture.box_numbers import BoxNumbers
from costcalc.analysis.picture.box_units import Rowset, Unit
from costcalc.analysis.picture.equal_blocks import without_repeats
from costcalc.analysis.picture.folding import HIDDEN, Folded, Folding
from costcalc.analysis.picture.layer_groups import layer_groups
from costcalc.analysis.picture.op_words import words_of_ops
from costcalc.analysis.picture.sketch_names import SketchNames
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.frames import tidied, without_cycles, without_large
from costcalc.drawing.sketch import Box, Path, Sketch, Wire, with_channel_widths
from costcalc.drawing.text_widths import cut_between_words
from costcalc.errors import UsageError
from costcalc.table import Batchless, Image, cell, shape_text, visible
from costcalc.text import plural

LONGEST_LIST = 40  # characters
MAX_WIRES_IN, FEW_WIRES_IN = 8, 2  # if a box has more than the first, those of sources that others read too are a list
MAX_OUTPUTS = 8  # of a network, that are drawn
MAX_BOXES = 5_000  # of a drawing that is not folded: seconds, and 6 MB
LARGE_FRAME = 20  # boxes: a frame of as many that holds most of a network could not be cut into columns
MIN_BRANCHES = 3  # wires into a box, from which on the boxes of its frame are side by side and as wide as their texts


def network_sketch(
    cost: Cost, *, depth: int | None = None, shade: str = "macs", every_layer: bool = False, copies: bool = False,
    seconds: Mapping[str, float] | None = None,
) -> Sketch:  # fmt: skip
    """The sketch of a network, folded to blocks of a `depth`, by default the deepest that fits on a sheet.

    `shade` is the metric that boxes show; of "seconds" the measured `seconds` of each layer. `every_layer` has a box
    for each layer, folded only if a depth is given, `copies` for each of equal blocks. Raises UnknownName, and
    UsageError for a metric that is no number of layers, for a depth below 1, and for more than 5,000 boxes.
    """
    numbers = BoxNumbers(cost, shade, seconds)
    if depth is not None and (depth.__class__ is not int or depth < 1):
        raise UsageError(f"a depth is a whole number from 1, got {depth!r}")
    rowset = Rowset(cost.layers)
    groups = layer_groups(cost.layers, every_layer=every_layer)
    units = [Unit(group.rows, str(cost.layers[group.rows[0]].name)) for group in groups]
    repeated = Copies()
    if not (every_layer or copies):
        units, repeated = without_repeats(rowset, units)
    folding = Folding(rowset, units, repeated)
    if every_layer and depth is None:
        depth = folding.deepest
    folded = folding.fitting() if depth is None else folding.at_depth(depth)
    if len(folded.units) > MAX_BOXES:
        message = f"a drawing of {cost.target} would have {len(folded.units):,} boxes, more than {MAX_BOXES:,}"
        raise UsageError(message, "without a depth and every layer it is folded until it fits")
    return _Sketcher(numbers, rowset, folded, repeated).sketch()


class _Sketcher:
    def __init__(self, numbers: BoxNumbers, rowset: Rowset, folded: Folded, repeated: Copies):
        self.numbers, self.cost, self.rowset = numbers, numbers.cost, rowset
        self.rows: Sequence[Row] = rowset.rows
        self.folded, self.units, self.repeated = folded, folded.units, repeated
        self.layouts = self.cost.layouts
        self.names = SketchNames(rowset, folded.units, repeated)

    def sketch(self) -> Sketch:
        links, lists = self._wires()
        ends = [(_key(source), _key(target)) for source, target in links]
        given = {_key(number): self.names.frames_of(unit) for number, unit in enumerate(self.units)}
        copied = self.repeated.runs
        paths = tidied(without_large([*without_cycles(given, ends).values()], LARGE_FRAME, copied), copied)
        plain = self._side_by_side(links, paths)
        self.numbers.measure(self.units)
        boxes = with_channel_widths(
            [self._box(number, path, lists.get(number, ""), path not in plain) for number, path in enumerate(paths)]
        )
        shapes = [self._shapes(box.leaving) for box in boxes]
        wires = [Wire(_key(source), _key(target), shapes[source]) for source, target in links]
        title = visible(self.cost.title or self.cost.target)
        headings, notes = self.names.headings(paths), tuple(self._notes(boxes))
        outputs = {_key(number): shapes[number] for number in self._returned()}
        return Sketch(title, boxes, wires, headings, self._description(boxes), notes, self.repeated.stem_of, outputs)

    def _returned(self) -> list[int]:
        """The boxes that outputs of the network leave, if they are not very many."""
        returned = {*self.rowset.returned}
        found = [number for number, unit in enumerate(self.units) if not returned.isdisjoint(unit.rows)]
        return found if len(found) <= MAX_OUTPUTS else []

    def _wires(self) -> tuple[list[tuple[int, int]], dict[int, str]]:
        """The wires by numbers of units. Of a box with many sources that others read too, as in a dense block, the last
        wire alone, and the list of the sources."""
        links = self.rowset.links(self.units)
        into: dict[int, list[int]] = {}
        outs = Counter(source for source, _ in links)
        for source, target in links:
            into.setdefault(target, []).append(source)
        dropped, lists = set[tuple[int, int]](), dict[int, str]()
        is_dense = any(len(sources) > MAX_WIRES_IN for sources in into.values())
        for target, sources in into.items():
            if not is_dense or len(sources) <= FEW_WIRES_IN:
                continue
            for source in sorted(sources)[:-1]:
                if outs[source] > 1:
                    outs[source] -= 1
                    dropped.add((source, target))
            if any((source, target) in dropped for source in sources):
                names = ", ".join(self.units[source].name.rpartition(".")[2] for source in sorted(sources))
                lists[target] = cut_between_words(visible(f"of {len(sources)}: {names}"), LONGEST_LIST, ", ")
        return [link for link in links if link not in dropped], lists

    def _side_by_side(self, links: Sequence[tuple[int, int]], paths: Sequence[Path]) -> set[Path]:
        """The frames in which branches stand side by side."""
        ins = Counter(target for _, target in links)
        return {paths[target] for target, many in ins.items() if many >= MIN_BRANCHES}

    def _box(self, number: int, path: Path, listed: str, shows_channels: bool) -> Box:
        unit = self.units[number]
        rows = [self.rows[at] for at in unit.drawn]
        name, hover = self.names.title(unit, path), self.numbers.exactly(unit)
        more = tuple(filter(None, (self.names.span(unit) if unit.name.startswith(HIDDEN) else "", listed)))
        cost = "" if rows[0].op.is_input and not unit.is_folded else self.numbers.line(unit)
        if not unit.is_folded and (rows[0].op.is_input or rows[0].op.is_join) and not cost:
            words = name if rows[0].op.is_input else " + ".join(words_of_ops(rows))
            return Box(
                _key(number), words, more, path, hover=hover, layers=unit.rows, leaving=self._leaving(unit),
                is_pill=True, name=unit.name, copies=unit.copies, details=more,
            )  # fmt: skip
        what = self._what(unit, rows)
        lines = (what, *more, cost) if cost else (what, *more)
        share, shade = self.numbers.share(unit), self.numbers.shade(unit)
        channels = self._channels(self.rows[unit.rows[-1]]) if shows_channels else 0
        return Box(
            _key(number), name, lines, path, share, shade, hover, unit.rows, self._leaving(unit), channels=channels,
            name=unit.name, cost=cost, is_folded=unit.is_folded, copies=unit.copies, details=more,
        )  # fmt: skip

    def _what(self, unit: Unit, rows: Sequence[Row]) -> str:
        """What a box holds: ops, or how many layers; of tensors such as those of a head that only training runs, that
        they are not used."""
        if self.rowset.are_unused(unit.rows):
            return f"{plural(len(unit.rows), 'tensor')}, not used by the forward pass"
        if unit.is_folded:
            return layers_text(self.rows[at] for at in unit.rows)
        return " + ".join(words_of_ops(rows))

    def _channels(self, row: Row) -> int:
        """The channels or features that leave a layer; 0 where a picture does not say them by a width."""
        shape = row.output_shape
        axis = getattr(row.op, "features_axis", None)
        if axis is None:  # an op such as an addition leaves them where they are
            axis = 1 if str(row.name) in self.layouts.images else -1
        if len(shape) < 2 or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
            return 0
        return int(shape[axis]) if is_rational(shape[axis]) else 0

    def _leaving(self, unit: Unit) -> tuple[int, ...]:
        """The rows whose outputs leave a box, the last one of each shape."""
        rows = self.rowset.leaving(unit) or unit.rows[-1:]
        return tuple({self._shape(at): at for at in rows}.values())

    def _shapes(self, rows: Iterable[int]) -> str:
        return cut_between_words(", ".join(map(self._shape, rows)), LONGEST_LIST, ", ")

    def _shape(self, number: int) -> str:
        row = self.rows[number]
        shown = self.layouts.shown(row.output_shape, row.name)
        kind = next((kind for kind in (Image, Batchless) if isinstance(shown, kind)), tuple)
        return cut_between_words(visible(shape_text(kind(map(_Written, shown)))), LONGEST_LIST)

    def _description(self, boxes: Sequence[Box]) -> str:
        """How many boxes there are, and which have most of the cost."""
        shares = [(box.share, self.names.short_name(unit)) for box, unit in zip(boxes, self.units) if box.share]
        most = sorted(shares, key=lambda pair: -pair[0])[:3]
        named = ", ".join(f"{name} ({cell(share, 'share')})" for share, name in most)
        return plural(len(boxes), "box", "boxes") + (f"; most {self.numbers.title} in {named}" if most else "")

    def _notes(self, boxes: Sequence[Box]) -> Iterable[str]:
        many = f"{layers_text(self.rows)} in {plural(len(boxes), 'box', 'boxes')}"
        depth, count = self.folded.deeper or (0, 0)
        more = f", --depth {depth} shows {count:,}" if 0 < count <= MAX_BOXES else ""
        yield "; ".join(filter(None, (self.numbers.total_text, many + more)))
        if about := self.numbers.about_shade:
            yield about
        widths: dict[Path, set[float]] = {}
        for box in boxes:
            widths.setdefault(box.path, set()).update({box.width} if box.channels else ())
        if any(len(those) > 1 for those in widths.values()):
            yield "in a chain a box is wider, the more channels leave it"


class _Written:
    """A size with its text."""

    def __init__(self, size: object):
        self.text = formula_text(size)

    def __str__(self) -> str:
        return self.text


def _key(number: int) -> str:
    return f"b{number}"
