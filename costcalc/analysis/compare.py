"""Networks side by side: totals, ratios, which block made the difference, and the ratio as algebra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from costcalc.analysis.align import Pair, align
from costcalc.analysis.columns import measure_of, metric_column, metrics_in, read_columns
from costcalc.analysis.cost import TOTALS, Cost, numeric_cost
from costcalc.analysis.metrics import METRICS, metric_notes, metric_of, why_not_counted
from costcalc.analysis.sweep.measured import Lookup, measured_seconds
from costcalc.errors import CostcalcError, Problem, UsageError
from costcalc.graph.freezing import train_step_of
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table

RANKS = {"params": 1, "macs": 0, "elementwise": 3, "activations": 4}  # of the usual columns
BY_POSITION = "blocks of other names stand beside each other by position alone"
SMALL = 8  # layers with MACs, of networks whose algebra is tried unasked


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
        counts = [name for name in self.metrics if name not in RANKS or name == "macs"]
        first, *others = {cost.dtype for cost in self.costs}
        step, *more = {train_step_of(cost.graph) for cost in self.costs}
        tables[-1].notes += metric_notes(counts, None if others else first, None if more else step)
        if others:
            tables[-1].notes.append("bytes: " + "; ".join(f"{cost.target} {cost.dtype.words}" for cost in self.costs))
        return tables

    def _totals(self) -> Table:
        rows = self.to_records()
        rows[0]["ratio"] = None
        title = f"{METRICS[self.by].title} to {self.costs[0].target}"
        columns = [replace(one, title=title) if one.key == "ratio" else one for one in self._columns]
        return Table("", columns, rows)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the columns, and the one that is compared."""
        return tuple(dict.fromkeys((*metrics_in(self._columns), self.by)))

    @property
    def _columns(self) -> tuple[Column, ...]:
        return self.columns or _columns(self.by, None)

    def _breakdown(self) -> Table:
        first, second = self.costs
        title = METRICS[self.by].title
        saved = sum(pair.saved for pair in self.pairs)
        sign = -1 if saved < 0 else 1
        of = measure_of(self.by)
        columns = (
            Column("first", first.target, "text"), Column("first_cost", title, rank=1, measure=of),
            Column("second", second.target, "text"),
            Column("second_cost", title, rank=1, measure=of, unit_of="first_cost"),
            Column("saved", "added" if saved < 0 else "saved", measure=of, unit_of="first_cost"),
            Column("share", "of the difference", "share", 2),
        )  # fmt: skip
        rows = [
            {**row, "first_cost": row["first_cost"] or None, "second_cost": row["second_cost"] or None,
             "saved": sign * row["saved"]}
            for row in self._pair_records()
        ]  # fmt: skip
        totals = {"first": "total", "second": "", "saved": sign * saved}
        totals |= {"first_cost": first.total(self.by), "second_cost": second.total(self.by)}
        renamed = any(pair.first and pair.second and pair.first != pair.second for pair in self.pairs)
        notes = [BY_POSITION] if renamed and not all(map(_is_short, self.costs)) else []
        verb = "work is" if self.by == "elementwise" else "are"
        return Table(f"where the {title} {verb}", columns, rows, totals, notes)

    def _pair_records(self) -> list[dict[str, Any]]:
        saved = sum(pair.saved for pair in self.pairs)
        return [
            {**pair._asdict(), "saved": pair.saved, "share": Fraction(pair.saved, saved) if saved else None}
            for pair in self.pairs
        ]

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
        targets = [
            {"target": c.target, "knobs": dict(c.knobs), "totals": self._values(c, s), "ratio": self.ratio(c)}
            for c, s in self._with_seconds()
        ]
        algebra = self.algebra._fields() if self.algebra is not None else None
        return {"by": self.by, "targets": targets, "pairs": self._pair_records(), "algebra": algebra}

    def _summary(self) -> str:
        return ", ".join(f"{cost.target} {self.by}={cost.total(self.by)}" for cost in self.costs)


def compare_models(
    models: Sequence[Model], *, by: str = "macs", algebra: bool | None = None,
    columns: Sequence[str] | str | None = None, seconds: Lookup | None = None,
) -> Comparison:  # fmt: skip
    """Compares networks by any metric that is counted.

    `algebra` shows the ratio of two networks as algebra always or never; None shows it if it fits on a line. `columns`
    are those of the totals: target, ratio and any metrics. `seconds` looks up measurements.

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
    measured = tuple(measured_seconds(models, seconds)) if "seconds" in metrics_in(shown) else ()
    if len(costs) > 2 or not METRICS[by].is_sum:
        return Comparison(costs, by, columns=shown, seconds=measured)
    pairs, ratio = tuple(align(costs[0], costs[1], by)), _algebra(models, costs, by, algebra)
    return Comparison(costs, by, pairs, ratio, shown, measured)


def _columns(by: str, wanted: Sequence[str] | str | None) -> tuple[Column, ...]:
    """The columns of the totals: the wanted ones, by default the usual ones and the metric that is compared."""
    target, ratio = (
        Column("target", "network", "text"),
        Column("ratio", f"{METRICS[by].title} to the first", "factor", 2),
    )
    usual = (target, *(metric_column(name, rank) for name, rank in {**RANKS, by: 0}.items()), ratio)
    return usual if wanted is None else tuple(read_columns(wanted, usual, metrics=METRICS))


def _algebra(models: Sequence[Model], costs: tuple[Cost, ...], by: str, wanted: bool | None) -> Any:
    first, second = models
    for model in models if wanted else ():
        model.require_knobs("the ratio as algebra")
    small = all(cost.total(by) != 0 and _is_short(cost) for cost in costs)
    if wanted is False or not (wanted or (small and _are_nested(first, second))):
        return None
    from costcalc.analysis.closed_form.ratio import ratio

    if wanted:
        return ratio(second, first, by)
    with suppress(CostcalcError):  # a network may have numbers and no closed form
        found = ratio(second, first, by)
        return found if found.fits_on_a_line else None
    return None


def _are_nested(first: Model, second: Model) -> bool:
    """Do one spec's knobs contain the other's? Then they are two ways to build one block."""
    a, b = set(first.knobs), set(second.knobs)
    return bool(a and b) and first.name != second.name and (a <= b or b <= a)


def _is_short(cost: Cost) -> bool:
    """Has it so few layers that the algebra is short, and a reader sees which blocks belong together?"""
    return sum(1 for row in cost.layers if row.macs) <= SMALL
