"""A network as a tree of lines: its blocks, the branches in them, and what each of these costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.cost import Cost
from costcalc.analysis.images import as_shown, image_names
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.picture.parallel_branches import Chain, Fork, Links, chain_of
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.sketch import Box, Path, Sketch
from costcalc.drawing.text_widths import cut_in_the_middle
from costcalc.errors import Problem
from costcalc.result import Result
from costcalc.table import Column, Table, Worded, visible
from costcalc.text import plural

PARALLEL, CUT = "∥", "…"
COPIES = re.compile(r" ×\d+$")
MAX_NAMED = 3  # layers that a line says it reads
FORMULA_SIGNS = 24  # of a formula that stands in place of a number
LEAST_NAME, LEAST_WORDS = 11, 10  # signs, on a narrow terminal


@dataclass(frozen=True)
class Branch:
    """A line of a tree and what is below it: a box, a frame, or a branch of either. `boxes` are the numbers of the
    boxes that it stands for, none for a shortcut."""

    name: str
    words: str
    boxes: tuple[int, ...]
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class NetworkTree(Result):
    """A network as a tree: blocks with the layers in them, branches side by side marked ∥, a bar of cost in each
    line. JSON is that of its cost."""

    cost: Cost
    sketch: Sketch
    shade: str = "macs"

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The lines of the tree, each with those below it."""
        return _Tree(self.cost, self.sketch).below(())

    def table(self) -> Table:
        """A row for each line. Numbers are exact, and shown to four digits unless units are asked for."""
        tree = _Tree(self.cost, self.sketch)
        lines = [*_lines(tree.below(()))]
        metrics = [*dict.fromkeys(("params", "macs", self.shade))]
        rows = [{"guide": guide, **tree.cells(branch, metrics, self.shade)} for guide, branch in lines]
        most = max((len(guide) + min(len(row["name"]), LEAST_NAME) for (guide, _), row in zip(lines, rows)), default=1)
        words = max((min(len(row["op"]), LEAST_WORDS) for row in rows), default=1)
        columns = [
            Column("name", "layer", "text", cut=max(most, len("layer"))),
            Column("op", "op", "text", 3, cut=max(words, len("op"))),
            Column("output_shape", "out", "shape", 2),
            *(_short_column(name, int(name != self.shade)) for name in metrics),
            Column("share", f"of {METRICS[self.shade].title}", "share", bar=True),
        ]
        totals = {"name": "total", **{name: _short(self.cost.total(name)) for name in metrics}}
        return Table(self.sketch.title, columns, rows, totals, [*self._notes(lines, metrics)])

    def _notes(self, lines: Sequence[tuple[str, Branch]], metrics: Sequence[str]) -> Iterator[str]:
        shown = [branch for _, branch in lines]
        if any(branch.name.startswith(PARALLEL) for branch in shown):
            yield f"{PARALLEL} branches side by side, from the line above them to the line below them"
        if any(COPIES.search(branch.name) for branch in shown):
            yield "×n: n copies, whose costs are added up"
        names = {str(row.name) for row in self.cost.layers}
        if folded := sum(box.name not in names for box in self.sketch.boxes):
            layers = plural(sum(not row.op.is_input for row in self.cost.layers), "layer")
            yield f"{layers}, folded to {plural(folded, 'block')} among others; --depth N folds more or less"
        yield from self.cost.notes(metrics)

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return self.cost._warned()

    def _fields(self) -> dict[str, Any]:
        return self.cost._fields()

    def _summary(self) -> str:
        return self.cost._summary()


def network_tree(
    cost: Cost, *, depth: int | None = None, shade: str = "macs", every_layer: bool = False, copies: bool = False
) -> NetworkTree:  # fmt: skip
    """The tree of a network, folded as its drawing is. Raises as `network_sketch` does."""
    sketch = network_sketch(cost, depth=depth, shade=shade, every_layer=every_layer, copies=copies)
    return NetworkTree(cost, sketch, shade)


class _Tree:
    """Makes branches of boxes and frames."""

    def __init__(self, cost: Cost, sketch: Sketch):
        self.cost, self.sketch = cost, sketch
        self.rows: Sequence[Row] = cost.layers
        self.number = {box.key: at for at, box in enumerate(sketch.boxes)}
        self.inside: dict[Path, list[int]] = {}
        for at, box in enumerate(sketch.boxes):
            for depth in range(len(box.path) + 1):
                self.inside.setdefault(box.path[:depth], []).append(at)
        self.sources: dict[int, list[int]] = {at: [] for at in range(len(sketch.boxes))}
        for wire in sketch.wires:
            self.sources[self.number[wire.target]].append(self.number[wire.source])
        self.images = image_names(self.rows)
        numbers = {str(row.name): at for at, row in enumerate(self.rows)}
        self.readers: dict[int, list[int]] = {}
        for at, row in enumerate(self.rows):
            for source in row.inputs:
                if (there := numbers.get(str(source))) is not None:
                    self.readers.setdefault(there, []).append(at)

    def below(self, path: Path) -> tuple[Branch, ...]:
        """The branches of a frame, or of the whole network."""
        return _Frame(self, path).branches()

    def cells(self, branch: Branch, metrics: Sequence[str], shade: str) -> dict[str, Any]:
        """The cells of a line by column; a shortcut has no numbers."""
        name = branch.name
        layers = [at for box in branch.boxes for at in self.sketch.boxes[box].layers]
        rows = [self.rows[at] for at in layers]
        if not rows:
            return {"name": name, "op": branch.words}
        leaving = self.leaving(layers)
        values = {one: self.cost.together(one, rows, leaving) for one in metrics}
        total, last = self.cost.total(shade), leaving[-1]
        shape = as_shown(last.op.name, last.output_shape, last.name, self.images)
        if all(row.op.is_input for row in rows):
            return {"name": name, "op": branch.words, "output_shape": shape}
        known = is_rational(total) and is_rational(values[shade]) and total and not METRICS[shade].of
        return {
            "name": name, "op": branch.words, "output_shape": shape,
            **{one: _short(value) for one, value in values.items()},
            "share": values[shade] / total if known else None,
        }  # fmt: skip

    def leaving(self, layers: Sequence[int]) -> list[Row]:
        """The layers that others read, of some; if there are none, the last."""
        here = {*layers}
        read = [at for at in layers if any(there not in here for there in self.readers.get(at, ()))]
        return [self.rows[at] for at in read or layers[-1:]]


class _Frame:
    """One frame of a tree: its items are the boxes and the frames right in it."""

    def __init__(self, tree: _Tree, path: Path):
        self.tree, self.path = tree, path
        boxes = tree.inside[path]
        self.items: list[Path | int] = []
        self.item_of: dict[int, int] = {}
        known: dict[Path, int] = {}
        for box in boxes:
            inner = tree.sketch.boxes[box].path[: len(path) + 1]
            if len(inner) == len(path):
                self.item_of[box] = len(self.items)
                self.items.append(box)
                continue
            if inner not in known:
                known[inner] = len(self.items)
                self.items.append(inner)
            self.item_of[box] = known[inner]
        self.reads: dict[int, dict[str, None]] = {item: {} for item in range(len(self.items))}
        self.links = self._links(boxes)

    def _links(self, boxes: Sequence[int]) -> Links:
        ends, reading = list[tuple[int, int]](), list[int]()
        for box in boxes:
            item = self.item_of[box]
            for source in self.tree.sources[box]:
                if source not in self.item_of:
                    reading.append(item)
                elif self.item_of[source] == item:
                    continue
                else:
                    ends.append((self.item_of[source], item))
                self.reads[item][self.named(source)] = None
        here = {*boxes}
        read = [
            self.item_of[source]
            for box, sources in self.tree.sources.items() if box not in here
            for source in sources if source in here
        ]  # fmt: skip
        return Links.of(ends, len(self.items), reading, read)

    def named(self, box: int) -> str:
        """The name of the item that a box is in; in full outside of this frame."""
        there = self.tree.sketch.boxes[box]
        if box not in self.item_of:
            return there.name
        item = self.items[self.item_of[box]]
        return self.short(there.name if isinstance(item, int) else item[-1])

    def short(self, name: str) -> str:
        """What is left of a name in this frame."""
        return name[len(self.path[-1]) + 1 :] if self.path else name

    def branches(self) -> tuple[Branch, ...]:
        """The lines of this frame."""
        chain = chain_of(self.links)
        outside = {name for item in self.links.open_in for name in self.reads[item] if name not in self.own_names}
        return tuple(self.lines(chain, outside if len(outside) == 1 else set()))

    @property
    def own_names(self) -> set[str]:
        return {self.named(box) for box in self.item_of}

    def lines(self, chain: Chain, before: set[str]) -> Iterator[Branch]:
        """The lines of a chain; `before` are the names of what its first item reads if it says nothing."""
        around = set[str]()
        for at, one in enumerate(chain):
            if isinstance(one, int):
                yield self.line(one, before, around)
                around, before = set(), {self.name_of(one)}
                continue
            after = chain[at + 1] if at + 1 < len(chain) else None
            yield from self.fork(one, before, after if isinstance(after, int) else None)
            if not one.is_side:
                around = {self.name_of(item) for item in _ends(one)} | before

    def name_of(self, item: int) -> str:
        there = self.items[item]
        return self.short(self.tree.sketch.boxes[there].name if isinstance(there, int) else there[-1])

    def called(self, box: Box) -> str:
        """The name of a box in this frame, as its drawing has it: often without the op's at its end."""
        title, _, copies = box.title.partition(" ×")
        if box.is_pill or (CUT in title and not box.name.startswith(CUT)):
            return visible(self.short(box.name)) + (f" ×{copies}" if copies and not box.is_pill else "")
        return box.title

    def line(self, item: int, before: set[str], around: set[str]) -> Branch:
        """The line of an item, with what it reads where the lines above do not say so."""
        reads, there = {*self.reads[item]}, self.items[item]
        says = not (reads <= around) if around else bool(reads) and reads != before
        if not before and not around:
            says = len(reads) > 1 or (bool(reads) and item not in self.links.open_in)
        reading = f" ← {_listed([*self.reads[item]])}" if says else ""
        if isinstance(there, int):
            box = self.tree.sketch.boxes[there]
            words = "input" if self.is_input(box) else box.title if box.is_pill else box.lines[0]
            return Branch(self.called(box), ", ".join([words, *box.details]) + reading, (there,))
        inside = tuple(self.tree.inside[there])
        heading = self.tree.sketch.headings.get(there[-1]) or visible(self.name_of(item))
        return Branch(heading, reading.strip(), inside, self.tree.below(there))

    def is_input(self, box: Box) -> bool:
        return bool(self.tree.rows[box.layers[0]].op.is_input)

    def fork(self, fork: Fork, before: set[str], after: int | None) -> Iterator[Branch]:
        """The branches of a fork, each one line or a line with those of its chain below."""
        for number, chain in enumerate(fork.branches, 1):
            lines = [*self.lines(chain, before)]
            boxes = tuple(sorted(box for line in lines for box in line.boxes))
            if len(lines) == 1:
                (line,) = lines
                words = ", ".join(filter(None, [line.words, "ends here" * fork.is_side]))
                yield Branch(f"{PARALLEL} {line.name}", words, line.boxes, line.below)
            else:
                name = "side branch" if fork.is_side else f"branch {number}"
                yield Branch(f"{PARALLEL} {name}", "ends here" * fork.is_side, boxes, tuple(lines))
        if fork.has_shortcut:
            inner = {self.name_of(item) for item in _ends(fork)}
            direct = [name for name in self.reads[after] if name not in inner] if after is not None else [*before]
            yield Branch(f"{PARALLEL} shortcut", f"from {_listed(direct)}" if direct else "", ())


def _ends(fork: Fork) -> Iterator[int]:
    """The items at the ends of the branches."""
    for chain in fork.branches:
        last = chain[-1] if chain else None
        if isinstance(last, int):
            yield last
        elif last is not None:
            yield from _ends(last)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _lines(branches: Sequence[Branch], before: str = "") -> Iterator[tuple[str, Branch]]:
    """Each branch with the signs in front of its name, and those below it."""
    for number, branch in enumerate(branches):
        is_last = number == len(branches) - 1
        yield before + ("└─ " if is_last else "├─ "), branch
        yield from _lines(branch.below, before + ("   " if is_last else "│  "))


def _short_column(metric: str, rank: int) -> Column:
    column = metric_column(metric, rank)
    kinds: Mapping[str, str] = {"count": "short", "bytes": "bytes"}
    return Column(column.key, column.title, kinds.get(column.measure, column.kind), rank, column.measure)


def _short(value: Any) -> Any:
    """A number as it is; a formula cut to a few signs."""
    if value is None or is_rational(value):
        return value
    return Worded(cut_in_the_middle(str(value), FORMULA_SIGNS), value)
