"""A network as a tree of lines: its blocks, the branches in them, and what each of these costs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import layers_text
from costcalc.analysis.formula_text import formula_text
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.picture.branch import Branch
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.picture.tree_branches import PARALLEL, TreeBranches, short_value
from costcalc.drawing.sketch import Sketch
from costcalc.errors import Problem
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import plural

COPIES = re.compile(r" ×\d+$")
LEAST_NAME, LEAST_WORDS = 11, 13  # characters, on a narrow terminal


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
        return self._tree.below(())

    @cached_property
    def _tree(self) -> TreeBranches:
        return TreeBranches(self.cost, self.sketch)

    def table(self) -> Table:
        """A row for each line. Numbers are exact, and shown to four digits unless units are asked for."""
        lines = [*_lines(self.branches)]
        metrics = [*dict.fromkeys(("params", "macs", self.shade))]
        rows = [{"guide": guide, **self._tree.cells(branch, metrics, self.shade)} for guide, branch in lines]
        most = max((len(guide) + min(len(row["name"]), LEAST_NAME) for (guide, _), row in zip(lines, rows)), default=1)
        words = max((min(len(one.shorter_words(LEAST_WORDS)), LEAST_WORDS) for _, one in lines), default=1)
        shorten = partial(_shortened, {branch.words: branch for _, branch in lines})
        columns = [
            Column("name", "layer", "text", cut=max(most, len("layer"))),
            Column("op", "op", "text", 1, cut=max(words, len("op")), shorten=shorten),
            Column("output_shape", "out", "shape", 2),
            *(_short_column(name, 3 * (name != self.shade)) for name in metrics),
            Column("share", f"of {METRICS[self.shade].title}", "share", bar=True),
        ]
        totals = {"name": "total", **{name: short_value(self.cost.total(name)) for name in metrics}}
        return Table(self.sketch.title, columns, rows, totals, [*self._notes(lines, metrics)], formula_text)

    def _notes(self, lines: Sequence[tuple[str, Branch]], metrics: Sequence[str]) -> Iterator[str]:
        shown = [branch for _, branch in lines]
        if any(branch.name.startswith(PARALLEL) for branch in shown):
            yield f"{PARALLEL} branches side by side, from the line above them to the line below them"
        if any(COPIES.search(branch.name) for branch in shown):
            yield "×n: n copies, whose costs are added up"
        names = {str(row.name) for row in self.cost.layers}
        if folded := sum(box.name not in names for box in self.sketch.boxes):
            yield f"{layers_text(self.cost.layers)}; {plural(folded, 'block')} folded, --depth N folds more or less"
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


def _lines(branches: Sequence[Branch], before: str = "") -> Iterator[tuple[str, Branch]]:
    """Each branch with the characters in front of its name, and those below it."""
    for number, branch in enumerate(branches):
        is_last = number == len(branches) - 1
        yield before + ("└─ " if is_last else "├─ "), branch
        yield from _lines(branch.below, before + ("   " if is_last else "│  "))


def _shortened(branches: Mapping[str, Branch], words: str, size: int) -> str:
    return branches[words].shorter_words(size)


def _short_column(metric: str, rank: int) -> Column:
    column = metric_column(metric, rank)
    kinds: Mapping[str, str] = {"count": "short", "bytes": "bytes"}
    return Column(column.key, column.title, kinds.get(column.measure, column.kind), rank, column.measure)
