"""The bars of a network on its page: how much each block of depth 1 costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.cost import Cost
from costcalc.dims import is_rational, is_symbolic
from costcalc.report.page.exact_texts import exact_text
from costcalc.report.page.knob_plots import number
from costcalc.report.page.network_parts import NetworkParts
from costcalc.table import cell

MAX_BARS = 24  # blocks; the smallest of more are one
MAX_SUMMANDS = 4  # of a total that is written as a sum


class BlockBar(NamedTuple):
    """A block: its name, its value, and the groups of layers in it."""

    name: str
    value: Any
    groups: list[int]


@dataclass(frozen=True)
class BlockBars:
    """The blocks that cost something, and the total of the network; None where symbols have none."""

    bars: Sequence[BlockBar]
    total: Any

    @classmethod
    def of(cls, cost: Cost, by: str, total: Any, parts: NetworkParts | None) -> BlockBars:
        """The bars of a network by a metric. With `parts`, also the blocks that only other settings have."""
        values = {block.name: block.costs[by] for block in cost.fold(1, [by])}
        groups: Mapping[str, list[int]] = parts.blocks() if parts else {}
        every = dict.fromkeys((*values, *groups))
        found = [BlockBar(name, values.get(name, 0), groups.get(name, [])) for name in every]
        found = [bar for bar in found if bar.name not in values or is_symbolic(bar.value) or bar.value]
        return cls(found if len(found) <= MAX_BARS else _largest(found), total)

    @property
    def summands(self) -> tuple[str, str] | None:
        """`2,408,448 + 10,035,200` and `reduce + conv`, where the total has few terms."""
        if not 2 <= len(self.bars) <= MAX_SUMMANDS or not is_rational(self.total):
            return None
        return " + ".join(exact_text(bar.value) for bar in self.bars), " + ".join(bar.name for bar in self.bars)

    @property
    def largest(self) -> Any:
        """The most that a block costs; 0 if none has a number."""
        return max((bar.value for bar in self.bars if is_rational(bar.value)), default=0)

    def rows(self, largest: Any) -> list[tuple[str, str, str, str]]:
        """Each bar: its name, its value, its share, and how long it is in per cent of the largest of the page; that is
        empty for a formula."""
        return [
            (
                name,
                exact_text(value),
                cell(_part(value, self.total), "share"),
                number(100 * float(_part(value, largest) or 0)) if is_rational(value) else "",
            )
            for name, value, _ in self.bars
        ]


def _part(value: Any, total: Any) -> Any:
    """The part that a value is of a total; None where one of them is no number."""
    if not (is_rational(value) and is_rational(total)):
        return None
    return value / total if total else 0.0


def _largest(bars: Sequence[BlockBar]) -> list[BlockBar]:
    """The largest blocks in their order, and all others as one."""
    order = sorted(range(len(bars)), key=lambda at: -bars[at].value if is_rational(bars[at].value) else 0)
    kept = sorted(order[: MAX_BARS - 1])
    others = [bar for at, bar in enumerate(bars) if at not in {*kept}]
    groups = sorted({group for bar in others for group in bar.groups})
    return [*(bars[at] for at in kept), BlockBar(f"{len(others)} others", sum(bar.value for bar in others), groups)]
