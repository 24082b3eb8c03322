"""The layers of a network in the smallest groups that a page shows on their own, and what is made of these groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Add, sympify

from costcalc.analysis.cost import Cost
from costcalc.analysis.fold import block_of
from costcalc.analysis.picture.box_units import prefixes
from costcalc.analysis.picture.layer_groups import REARRANGED
from costcalc.analysis.walk import Row
from costcalc.drawing.sketch import Sketch
from costcalc.errors import CostcalcError
from costcalc.report.page.closed_forms import ClosedForms


@dataclass(frozen=True, eq=False)
class NetworkParts:
    """Groups of layers: those of a box of the finest drawing that are in one block; and each layer that only other
    settings have, as a repeat of 0 copies."""

    cost: Cost
    rows: Sequence[Row]  # with symbols, those of the cost among them
    groups: tuple[tuple[int, ...], ...]  # the numbers of rows

    @classmethod
    def of(cls, cost: Cost, rows: Sequence[Row], finest: Sketch) -> NetworkParts:
        """The groups of a drawing. Raises CostcalcError if the rows lack a layer of the network."""
        rows = with_names_of(cost.layers, rows)
        number = {str(row.name): at for at, row in enumerate(rows)}
        if missing := next((row.name for row in cost.layers if str(row.name) not in number), None):
            raise CostcalcError(f"at other settings there may be no layer {missing}")
        groups: dict[Any, list[int]] = {}
        drawn = set[int]()
        for box in finest.boxes:
            for at in box.layers:
                name = str(cost.layers[at].name)
                groups.setdefault((box.key, block_of(name, 1)), []).append(number[name])
                drawn.add(number[name])
        others = [(at,) for at in range(len(rows)) if at not in drawn]
        return cls(cost, rows, (*map(tuple, groups.values()), *others))

    def holding(self, rows: Iterable[int]) -> list[int]:
        """The numbers of the groups that rows of these numbers are in."""
        wanted = {*rows}
        return [at for at, group in enumerate(self.groups) if not wanted.isdisjoint(group)]

    def boxes(self, sketch: Sketch) -> list[list[int]]:
        """The groups of each box of a drawing. A box that holds all layers of a block has those too that only other
        settings have."""
        number = {str(row.name): at for at, row in enumerate(self.rows)}
        names = [[str(self.cost.layers[at].name) for at in box.layers] for box in sketch.boxes]
        blocks = _blocks_of_their_own(names)
        extra = {*number} - {str(row.name) for row in self.cost.layers}
        found = []
        for mine, block in zip(names, blocks):
            more = [name for name in extra if block and name.startswith(f"{block}.")]
            found.append(self.holding([number[name] for name in (*mine, *more)]))
        return found

    def blocks(self) -> dict[str, list[int]]:
        """The groups of each block of depth 1, in order of the rows."""
        found: dict[str, list[int]] = {}
        for at, row in enumerate(self.rows):
            if row.op.is_input:
                continue
            found.setdefault(block_of(row.name, 1), []).append(at)
        return {name: self.holding(rows) for name, rows in found.items()}

    def values(self, closed: ClosedForms, metric: str) -> list[Any]:
        """The closed form of a metric of each group."""
        of_rows = closed.of_rows(metric)
        return [Add(*(sympify(of_rows[at]) for at in group)) for group in self.groups]


def with_names_of(layers: Sequence[Row], rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with the names of these layers. Elements that a network moves are viewed at one batch and copied at
    another, under another name: if all else is at the same place, such a row takes the name of the layer there."""
    pairs = [*zip(layers, rows)]
    others = {str(row.name): layer.name for layer, row in pairs if str(layer.name) != str(row.name)}
    are_moves = all({layer.op.name, row.op.name} <= REARRANGED for layer, row in pairs if str(row.name) in others)
    if not others or not are_moves or len(layers) != len(rows):
        return rows
    return [
        row._replace(
            name=others.get(str(row.name), row.name),
            inputs=tuple([others.get(str(source), source) for source in row.inputs]),
        )
        for row in rows
    ]


def _blocks_of_their_own(names: Sequence[Sequence[str]]) -> list[str]:
    """For each box the longest block that all its layers are in, if no other box has layers of it; else ""."""
    boxes: dict[str, set[int]] = {}
    for at, mine in enumerate(names):
        for name in mine:
            for block in prefixes(name):
                boxes.setdefault(block, set()).add(at)
    found = []
    for at, mine in enumerate(names):
        own = [block for block in prefixes(mine[0]) if boxes[block] == {at}] if mine else []
        found.append(next((block for block in own if all(name.startswith(f"{block}.") for name in mine)), ""))
    return found
