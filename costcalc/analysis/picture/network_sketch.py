"""A network as boxes, wires and frames: layers absorbed into those before them, equal blocks drawn once, and folded by
block until they fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import gcd

from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import layer_count
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.picture.block_copies import Copies, left_of
from costcalc.analysis.picture.box_numbers import BoxNumbers
from costcalc.analysis.picture.box_units import Rowset, Unit, prefixes
from costcalc.analysis.picture.equal_blocks import drawn_once
from costcalc.analysis.picture.folding import HIDDEN, Folded, Folding
from costcalc.analysis.picture.layer_groups import layer_groups, named
from costcalc.analysis.picture.op_words import op_words
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.frames import tidied, without_cycles, without_large
from costcalc.drawing.sketch import Box, Path, Sketch, Wire, with_channel_widths
from costcalc.drawing.text_widths import cut_between_words, cut_in_the_middle
from costcalc.errors import UsageError
from costcalc.table import Batchless, Image, cell, shape_text, visible
from costcalc.text import plural

LONGEST_NAME, LONGEST_LIST = 28, 40  # signs
MAX_WIRES_IN, FEW_WIRES_IN = 8, 2  # if a box has more than the first, those of sources that others read too are a list
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
        units, repeated = drawn_once(rowset, units)
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
        self.heads = Counter(prefix for unit in self.units for prefix in prefixes(unit.name))

    def sketch(self) -> Sketch:
        links, lists = self._wires()
        ends = [(_key(source), _key(target)) for source, target in links]
        given = {_key(number): self._frames_of(unit) for number, unit in enumerate(self.units)}
        copied = self.repeated.found
        paths = tidied(without_large([*without_cycles(given, ends).values()], LARGE_FRAME, copied), copied)
        plain = self._side_by_side(links, paths)
        self.numbers.measure(self.units)
        boxes = with_channel_widths(
            [self._box(number, path, lists.get(number, ""), path not in plain) for number, path in enumerate(paths)]
        )
        wires = [Wire(_key(source), _key(target), self._shape(self.units[source])) for source, target in links]
        title = visible(self.cost.title or self.cost.target)
        headings = self._headings(paths)
        return Sketch(title, boxes, wires, headings, self._description(boxes), tuple(self._notes(boxes)))

    def _frames_of(self, unit: Unit) -> Path:
        return self.repeated.frames(unit.name, is_block=unit.is_folded)

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
                lists[target] = cut_between_words(visible(f"of {len(sources)}: {names}"), LONGEST_LIST - 1).replace(
                    "… ", "…, "
                )
        return [link for link in links if link not in dropped], lists

    def _side_by_side(self, links: Sequence[tuple[int, int]], paths: Sequence[Path]) -> set[Path]:
        """The frames in which branches stand side by side."""
        ins = Counter(target for _, target in links)
        return {paths[target] for target, many in ins.items() if many >= MIN_BRANCHES}

    def _box(self, number: int, path: Path, listed: str, shows_channels: bool) -> Box:
        unit = self.units[number]
        rows = [self.rows[at] for at in unit.drawn]
        name, hover = self._title(unit, path), self.numbers.exactly(unit)
        more = tuple(filter(None, (self._span(unit) if unit.name.startswith(HIDDEN) else "", listed)))
        cost = "" if rows[0].op.is_input and not unit.is_folded else self.numbers.line(unit)
        if not unit.is_folded and (rows[0].op.is_input or rows[0].op.is_join) and not cost:
            words = name if rows[0].op.is_input else self._words(rows)
            return Box(
                _key(number), words, more, path, hover=hover, layers=unit.rows, is_pill=True, name=unit.name,
                details=more,
            )  # fmt: skip
        what = self._what(unit, rows)
        cost = self.numbers.line(unit)
        lines = (what, *more, cost) if cost else (what, *more)
        share, shade = self.numbers.share(unit), self.numbers.shade(unit)
        channels = self._channels(self.rows[unit.rows[-1]]) if shows_channels else 0
        return Box(
            _key(number), name, lines, path, share, shade, hover, unit.rows, channels=channels, name=unit.name,
            cost=cost, is_folded=unit.is_folded, copies=unit.copies, details=more,
        )  # fmt: skip

    def _what(self, unit: Unit, rows: Sequence[Row]) -> str:
        """What a box holds: ops, or how many layers; of tensors such as those of a head that only training runs, that
        they are not used."""
        if self.rowset.are_unused(unit.rows):
            return f"{plural(len(unit.rows), 'tensor')}, not used by the forward pass"
        return self._layers(self.rows[at] for at in unit.rows) if unit.is_folded else self._words(rows)

    def _layers(self, rows: Iterable[Row]) -> str:
        """`32 layers`: as many as run."""
        count = layer_count(rows)
        return plural(count if is_rational(count) else formula_text(count), "layer")

    def _span(self, unit: Unit) -> str:
        """The first and the last layer of boxes that are one."""
        names = (str(self.rows[at].name) for at in (min(unit.rows), max(unit.rows)))
        return " – ".join(cut_in_the_middle(visible(name), LONGEST_NAME) for name in names)

    def _words(self, rows: Sequence[Row]) -> str:
        return visible(" + ".join(op_words(row.op, row.output_shape) for row in named(rows)))

    def _title(self, unit: Unit, path: Path) -> str:
        """What is left of its name in its frame, without the op's name at its end, which the words below have; and how
        many copies there are, if no frame says so."""
        name = left_of(unit.name, path)
        head, _, last = name.rpartition(".")
        alone = self.heads[unit.name.rpartition(".")[0]] == 1
        if head and alone and not unit.is_folded and last == self.rows[unit.rows[0]].op.name:
            name = head
        copies = self._copies([self.rows[at].times for at in unit.drawn], unit.copies) // self._copies_of(path)
        return cut_in_the_middle(visible(self.repeated.titled(unit.name, name)), LONGEST_NAME) + (
            f" ×{copies}" if copies > 1 else ""
        )

    def _channels(self, row: Row) -> int:
        """The channels or features that leave a layer; 0 where a picture does not say them by a width."""
        shape = row.output_shape
        axis = getattr(row.op, "features_axis", None)
        if axis is None:  # an op such as an addition leaves them where they are
            axis = 1 if str(row.name) in self.layouts.images else -1
        if len(shape) < 2 or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
            return 0
        return int(shape[axis]) if is_rational(shape[axis]) else 0

    def _shape(self, unit: Unit) -> str:
        row = self.rows[unit.rows[-1]]
        shown = self.layouts.shown(row.output_shape, row.name)
        kind = next((kind for kind in (Image, Batchless) if isinstance(shown, kind)), tuple)
        return cut_between_words(visible(shape_text(kind(map(_Written, shown)))), LONGEST_LIST)

    def _headings(self, paths: Iterable[Path]) -> dict[str, str]:
        """The heading of each frame: its name in the frame around it, and how many copies there are."""
        found: dict[str, str] = {}
        for path in paths:
            for depth, frame in enumerate(path):
                if frame not in found:
                    name = self.repeated.titled(frame, left_of(frame, path[:depth]))
                    copies = self._copies_of(path[: depth + 1]) // self._copies_of(path[:depth])
                    found[frame] = visible(name) + (f" ×{copies}" if copies > 1 else "")
        return found

    def _copies_of(self, path: Path) -> int:
        """How many copies there are of the innermost frame of a path, in all."""
        return self._frame_copies[path[-1]] if path else 1

    @cached_property
    def _frame_copies(self) -> Mapping[str, int]:
        """The copies of each frame: the greatest divisor of those of its boxes."""
        found: dict[str, int] = {}
        for unit in self.units:
            copies = self._copies([self.rows[at].times for at in unit.drawn], unit.copies)
            for frame in self._frames_of(unit):
                found[frame] = gcd(found.get(frame, 0), copies)
        return found

    def _copies(self, times: Sequence[object], copies: int) -> int:
        """How many copies there are of layers: what divides the times of all, and those that are drawn once."""
        return copies * (gcd(*(n if isinstance(n, int) else 1 for n in times)) or 1)

    def _description(self, boxes: Sequence[Box]) -> str:
        """How many boxes there are, and which have most of the cost."""
        shares = [(box.share, self._short_name(unit)) for box, unit in zip(boxes, self.units) if box.share]
        most = sorted(shares, key=lambda pair: -pair[0])[:3]
        named = ", ".join(f"{name} ({cell(share, 'share')})" for share, name in most)
        return plural(len(boxes), "box", "boxes") + (f"; most {self.numbers.title} in {named}" if most else "")

    def _short_name(self, unit: Unit) -> str:
        """Its name without that of its op at the end."""
        op = self.rows[unit.rows[0]].op.name
        return visible(unit.name if unit.is_folded else unit.name.removesuffix(f".{op}"))

    def _notes(self, boxes: Sequence[Box]) -> Iterable[str]:
        many = f"{self._layers(self.rows)} in {plural(len(boxes), 'box', 'boxes')}"
        more = f", --depth {self.folded.deeper[0]} shows {self.folded.deeper[1]:,}" if self.folded.deeper else ""
        yield "; ".join(filter(None, (self.numbers.total_text, many + more)))
        if about := self.numbers.about_shade:
            yield about
        if len({box.channels for box in boxes} - {0}) > 1:
            yield "in a chain a box is wider, the more channels leave it"


class _Written:
    """A size with its text."""

    def __init__(self, size: object):
        self.text = formula_text(size)

    def __str__(self) -> str:
        return self.text


def _key(number: int) -> str:
    return f"b{number}"
