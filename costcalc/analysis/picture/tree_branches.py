"""The branches of a tree: boxes and frames of a sketch, in forks and chains, and what each line says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from costcalc.analysis.cost import Cost
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.block_copies import left_of
from costcalc.analysis.picture.branch import Branch
from costcalc.analysis.picture.op_words import words_of_ops
from costcalc.analysis.picture.parallel_branches import Chain, Fork, Links, chain_of
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.sketch import Box, Path, Sketch
from costcalc.drawing.text_widths import cut_in_the_middle
from costcalc.table import Worded, visible

PARALLEL, CUT = "∥", "…"
MAX_NAMED = 3  # layers that a line says it reads
MAX_FORMULA_LENGTH = 24  # characters of a formula that stands in place of a number


class TreeBranches:
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
        self.layouts = cost.layouts
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
        shape = self.layouts.shown(last.output_shape, last.name)
        if all(row.op.is_input for row in rows):
            return {"name": name, "op": branch.words, "output_shape": shape}
        known = is_rational(total) and is_rational(values[shade]) and total and not METRICS[shade].of
        return {
            "name": name, "op": branch.words, "output_shape": shape,
            **{one: short_value(value) for one, value in values.items()},
            "share": values[shade] / total if known else None,
        }  # fmt: skip

    def ops_of(self, box: Box) -> tuple[str, tuple[str, ...]]:
        """What a box holds, and its ops one by one in few characters; none of these where its line names no ops."""
        rows = [self.rows[at] for at in box.layers[: len(box.layers) // box.copies]]
        if rows[0].op.is_input and not box.is_folded:
            return "input", ()
        what = box.title if box.is_pill else box.lines[0]
        names_ops = what == " + ".join(words_of_ops(rows))
        return what, (*words_of_ops(rows, short=True),) if names_ops else ()

    def leaving(self, layers: Sequence[int]) -> list[Row]:
        """The layers that others read, of some; if there are none, the last."""
        here = {*layers}
        read = [at for at in layers if any(there not in here for there in self.readers.get(at, ()))]
        return [self.rows[at] for at in read or layers[-1:]]


class _Frame:
    """One frame of a tree: its items are the boxes and the frames right in it."""

    def __init__(self, tree: TreeBranches, path: Path):
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
        return left_of(name, self.path, self.tree.sketch.stem_of)

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
        reading = f"← {_listed([*self.reads[item]])}" if says else ""
        if isinstance(there, int):
            box = self.tree.sketch.boxes[there]
            what, short_ops = self.tree.ops_of(box)
            return Branch(self.called(box), what, (there,), (), short_ops, box.details, reading)
        inside = tuple(self.tree.inside[there])
        heading = self.tree.sketch.headings.get(there[-1]) or visible(self.name_of(item))
        return Branch(heading, "", inside, self.tree.below(there), reads=reading)

    def fork(self, fork: Fork, before: set[str], after: int | None) -> Iterator[Branch]:
        """The branches of a fork, each one line or a line with those of its chain below."""
        for number, chain in enumerate(fork.branches, 1):
            lines = [*self.lines(chain, before)]
            boxes = tuple(sorted(box for line in lines for box in line.boxes))
            if len(lines) == 1:
                (line,) = lines
                notes = (*line.notes, *["ends here"] * fork.is_side)
                yield replace(line, name=f"{PARALLEL} {line.name}", notes=notes)
            else:
                name = "side branch" if fork.is_side else f"branch {number}"
                yield Branch(f"{PARALLEL} {name}", "ends here" * fork.is_side, boxes, tuple(lines))
        if fork.has_shortcut:
            inner = {self.name_of(item) for item in _ends(fork)}
            direct = [name for name in self.reads[after] if name not in inner] if after is not None else [*before]
            yield Branch(f"{PARALLEL} shortcut", "", (), reads=f"from {_listed(direct)}" if direct else "")


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
    return visible(", ".join(names[:MAX_NAMED])) + (f" and {more} more" if more > 0 else "")


def short_value(value: Any) -> Any:
    """A number as it is; a formula cut to a few characters."""
    if value is None or is_rational(value):
        return value
    return Worded(cut_in_the_middle(formula_text(value), MAX_FORMULA_LENGTH), value)
