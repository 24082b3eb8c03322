"""Networks side by side: totals, ratios, which block made the difference, and the ratio as algebra."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import zip_longest
from typing import Any, NamedTuple

from costcalc.analysis.columns import metric_column, metrics_in, read_columns
from costcalc.analysis.cost import TOTALS, Cost, numeric_cost
from costcalc.analysis.metrics import METRICS, metric_notes, metric_of, why_not_counted
from costcalc.analysis.sweep.measured import Lookup, measured_seconds
from costcalc.errors import CostcalcError, Problem, UsageError
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table

SHOWN = ("params", "macs", "elementwise", "activations")
LONGEST = 24  # rows of a breakdown by layer; longer ones are folded by block
BY_POSITION = "blocks of other names stand beside each other by position alone"
SMALL = 8  # layers with MACs of a model whose algebra is tried unasked


class Pair(NamedTuple):
    """A block of the first model and what stands in its place in the second; either may be missing."""

    first: str | None
    first_cost: int
    second: str | None
    second_cost: int

    @property
    def saved(self) -> int:
        """What the second saves here; negative if it costs more."""
        return self.first_cost - self.second_cost


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Costs of several networks, by one metric; for two of them aligned blocks and, where it fits, the algebra."""

    costs: tuple[Cost, ...]
    by: str
    pairs: tuple[Pair, ...] = ()
    algebra: Any = None  # analysis.closed_form.ratio.Ratio
    columns: tuple[Column, ...] = ()  # of the totals
    seconds: tuple[float | None, ...] = ()  # measured, of each network

    def ratio(self, cost: Cost) -> Fraction | None:
        """How many times this network costs the first one, exactly; None if the first costs nothing."""
        base = self.costs[0].total(self.by)
        return Fraction(cost.total(self.by) or 0) / base if base else None

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(cost.target, cost.warnings) for cost in self.costs]

    def tables(self) -> list[Table]:
        """Totals; for two networks also where the difference is made, and the algebra."""
        tables = [self._totals()]
        if self.pairs:
            tables.append(self._breakdown())
        if self.algebra is not None:
            tables[-1].notes = [*self.algebra.lines(), *tables[-1].notes]
        counts = [name for name in self.metrics if name not in SHOWN or name == "macs"]
        first, *others = {cost.dtype for cost in self.costs}
        tables[-1].notes += metric_notes(counts, None if others else first)
        if others:
            tables[-1].notes.append("bytes: " + "; ".join(f"{cost.target} {cost.dtype.words}" for cost in self.costs))
        return tables

    @property
    def _small(self) -> bool:
        """Are both so small that anyone sees what stands beside what?"""
        return all(map(_is_short, self.costs))

    def _totals(self) -> Table:
        rows = self.to_records()
        rows[0]["ratio"] = None
        return Table("", self._columns, rows)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is compared: the metric asked for, and those that the columns show."""
        return tuple(dict.fromkeys((*metrics_in(self._columns), self.by)))

    @property
    def _columns(self) -> tuple[Column, ...]:
        return self.columns or _columns(self.by, None)

    def _breakdown(self) -> Table:
        first, second = self.costs
        label = METRICS[self.by].title
        columns = (
            Column("first", first.target, "text"),
            Column("first_cost", label, rank=1),
            Column("second", second.target, "text"),
            Column("second_cost", label, rank=1),
            Column("saved", "saved" if first.total(self.by) >= second.total(self.by) else "added"),
            Column("share", "of the difference", "share", 2),
        )
        total = sum(pair.saved for pair in self.pairs)
        sign = -1 if total < 0 else 1
        rows = [
            {
                **pair._asdict(),
                "first_cost": pair.first_cost if pair.first else None,
                "second_cost": pair.second_cost if pair.second else None,
                "saved": sign * pair.saved,
                "share": Fraction(pair.saved, total) if total else None,
            }
            for pair in self.pairs
        ]
        totals = {
            "first": "total",
            "first_cost": first.total(self.by),
            "second": "",
            "second_cost": second.total(self.by),
            "saved": sign * total,
        }
        notes = [BY_POSITION] if any(p.first and p.second and p.first != p.second for p in self.pairs) else []
        return Table(
            f"where the {label} {'work is' if self.by == 'elementwise' else 'are'}",
            columns,
            rows,
            totals,
            [] if self._small else notes,
        )

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each network: its totals, and the exact ratio to the first."""
        return [
            {"target": cost.target, **self._values(cost, seconds), "ratio": self.ratio(cost)}
            for cost, seconds in self._with_seconds()
        ]

    def _with_seconds(self) -> Iterator[tuple[Cost, float | None]]:
        return zip(self.costs, self.seconds or (None,) * len(self.costs))

    def _values(self, cost: Cost, seconds: float | None) -> dict[str, Any]:
        names = dict.fromkeys((*TOTALS, *self.metrics))
        return {name: seconds if METRICS[name].measured else cost.total(name) for name in names}

    def _fields(self) -> dict[str, Any]:
        total = sum(pair.saved for pair in self.pairs)
        pairs = [
            {**pair._asdict(), "saved": pair.saved, "share": Fraction(pair.saved, total) if total else None}
            for pair in self.pairs
        ]
        targets = [
            {"target": c.target, "knobs": dict(c.knobs), "totals": self._values(c, s), "ratio": self.ratio(c)}
            for c, s in self._with_seconds()
        ]
        algebra = self.algebra._fields() if self.algebra is not None else None
        return {"by": self.by, "targets": targets, "pairs": pairs, "algebra": algebra}

    def _summary(self) -> str:
        return ", ".join(f"{cost.target} {self.by}={cost.total(self.by)}" for cost in self.costs)


def compare_models(
    models: Sequence[Model], *, by: str = "macs", algebra: bool | None = None,
    columns: Sequence[str] | str | None = None, seconds: Lookup | None = None,
) -> Comparison:  # fmt: skip
    """Compares networks by any metric that is counted. The algebra of two networks is shown if it
    fits on a line, always or never if given. `columns` are those of the totals: target, ratio and any metrics;
    `seconds` looks up what was measured.

    Raises UnknownName for a metric or column that does not exist, UsageError for fewer than two networks or knobs that
    are not numeric.
    """
    metric_of(by, unless=why_not_counted)
    shown = _columns(by, columns)
    if len(models) < 2:
        raise UsageError("compare takes two or more networks; `costcalc show` shows one")
    if algebra and len(models) > 2:
        raise UsageError(f"the ratio as algebra is that of two networks, got {len(models)}")
    costs = tuple(numeric_cost(model, "compare") for model in models)
    about: dict[str, Any] = {"columns": shown, "seconds": ()}
    if "seconds" in metrics_in(shown):
        about["seconds"] = tuple(measured_seconds(models, seconds))
    if len(costs) > 2 or not METRICS[by].is_sum:
        return Comparison(costs, by, **about)
    return Comparison(costs, by, tuple(align(costs[0], costs[1], by)), _algebra(models, costs, by, algebra), **about)


def _columns(by: str, wanted: Sequence[str] | str | None) -> tuple[Column, ...]:
    """Those of the totals: the usual ones, with the metric that is compared, or those that are asked for."""
    target, ratio = Column("target", "network", "text"), Column("ratio", f"{METRICS[by].title} to the first", "more", 2)
    ranks = {"params": 1, "macs": 0, "elementwise": 3, "activations": 4} | {by: 0}
    usual = (target, *(metric_column(name, rank) for name, rank in ranks.items()), ratio)
    return usual if wanted is None else tuple(read_columns(wanted, usual, metrics=METRICS))


def _algebra(models: Sequence[Model], costs: tuple[Cost, ...], by: str, wanted: bool | None) -> Any:
    first, second = models
    for model in models if wanted else ():
        model.needs_knobs("the ratio as algebra")
    if not wanted and (wanted is False or not (_nested(first, second) and all(_is_small(cost, by) for cost in costs))):
        return None
    from costcalc.analysis.closed_form.ratio import ratio

    if wanted:
        return ratio(second, first, by)
    with suppress(CostcalcError):  # a network may have numbers and no closed form
        found = ratio(second, first, by)
        return found if found.fits_on_a_line else None
    return None


def _nested(first: Model, second: Model) -> bool:
    """Do one spec's knobs contain the other's? Then they are two ways to build one block."""
    a, b = set(first.knobs), set(second.knobs)
    return bool(a and b) and first.name != second.name and (a <= b or b <= a)


def _is_small(cost: Cost, by: str) -> bool:
    return cost.total(by) != 0 and _is_short(cost)


def _is_short(cost: Cost) -> bool:
    return sum(1 for row in cost.layers if row.macs) <= SMALL


def align(first: Cost, second: Cost, by: str) -> Iterator[Pair]:
    """Blocks of two networks in order, paired by name, and by position between pairs of equal names."""
    a, b = _parts(first, second, by)
    matcher = SequenceMatcher(None, [name for name, _ in a], [name for name, _ in b], autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        for left, right in zip_longest(a[i1:i2], b[j1:j2], fillvalue=(None, 0)):
            yield Pair(*left, *right)


def _parts(first: Cost, second: Cost, by: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Names and costs of both: by layer if both are short, else by block."""
    costs = first, second
    layers = [_not_zero(_by_layer(cost, by)) for cost in costs]
    a, b = layers if max(map(len, layers)) <= LONGEST else [_not_zero(_by_block(cost, by)) for cost in costs]
    return a, b


def _by_layer(cost: Cost, by: str) -> Iterator[tuple[str, int]]:
    return ((str(row.name), cost.value(by, i)) for i, row in enumerate(cost.layers))


def _by_block(cost: Cost, by: str) -> Iterator[tuple[str, int]]:
    return ((block.name, block.costs[by]) for block in cost.fold(1, [by]))


def _not_zero(costs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(name, cost) for name, cost in costs if cost]
