"""Networks side by side: totals, ratios, which block made the difference, and the ratio as algebra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.analysis.align import Pair, align
from costcalc.analysis.breakdown import Breakdown, is_short, table_by_size
from costcalc.analysis.columns import metric_column, metrics_in, read_columns
from costcalc.analysis.cost import TOTALS, Cost, numeric_cost
from costcalc.analysis.metric_names import metric_of, why_not_counted
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.quoted import QUOTED_COLUMNS, Quotes, quoted_in, quoted_notes, quotes_of
from costcalc.analysis.receptive_columns import without_positions
from costcalc.analysis.sweep.measured import Lookup, measured_seconds
from costcalc.errors import CostcalcError, Problem, UsageError, unknown
from costcalc.graph.freezing import train_step_of
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import split_names

if TYPE_CHECKING:
    from costcalc.chart import Balls, Bars

MOST_DRAWN = 4  # networks side by side in a notebook
RANKS = {"params": 1, "macs": 0, "elementwise": 3, "activations": 4}  # of the usual columns


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Costs of several networks, by one metric or more; for two of them aligned blocks and, where it fits, the algebra.

    Ratios are to the network `baseline`, a number from 0.
    """

    costs: tuple[Cost, ...]
    by: str
    more: tuple[str, ...] = ()  # other metrics by which they are compared
    baseline: int = 0
    breakdowns: tuple[Breakdown, ...] = ()
    algebra: Any = None  # analysis.closed_form.ratio.Ratio
    columns: tuple[Column, ...] = ()  # of the totals, where they are given
    seconds: tuple[float | None, ...] = ()  # measured, of each network
    quotes: tuple[Quotes, ...] = ()  # of each network, where a column quotes figures
    models: tuple[Model, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The aligned blocks of two networks, by the first metric."""
        return self.breakdowns[0].pairs if self.breakdowns else ()

    def ratio(self, cost: Cost, by: str = "") -> Fraction | None:
        """How many times this network costs the baseline, exactly; None if the baseline costs nothing."""
        by = by or self.by
        base = self.costs[self.baseline].total(by)
        return Fraction(cost.total(by) or 0) / base if base else None

    def chart(self, y: str | None = None, x: str = "macs") -> Bars | Balls:
        """The networks as balls over two numbers, quoted figures or metrics: `chart("top1")`. Without `y` bars: the
        first metric by the size of maps. Raises UnknownName and UsageError."""
        from costcalc.analysis.compare_chart import ball_chart
        from costcalc.analysis.size_chart import bar_chart

        if y is not None:
            return ball_chart(self.models, self.costs, x, y, self.seconds)
        return bar_chart(self.costs, self.by)

    def plot(self, path: Path | str, y: str | None = None, x: str = "macs") -> None:
        """Writes the picture as .svg, .png or .pdf. Raises as `chart`; UsageError for another suffix, MissingExtra
        without matplotlib."""
        self.chart(y, x).save(path)

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(cost.target, cost.warnings) for cost in self.costs]

    def tables(self) -> list[Table]:
        """Totals; where the difference is made, of two networks by block; and the algebra."""
        tables = [self._totals(), *(breakdown.table() for breakdown in self.breakdowns)]
        if len(self.costs) > 2 and not self.columns:
            sums = [name for name in (self.by, *self.more) if METRICS[name].is_sum]
            tables += filter(None, (table_by_size(self.costs, name) for name in sums))
        if self.algebra is not None:
            tables[-1].notes = [*self.algebra.lines(), *tables[-1].notes]
        first, *others = {cost.dtype for cost in self.costs}
        step, *more = {train_step_of(cost.graph) for cost in self.costs}
        tables[-1].notes += metric_notes(self._shown, None if others else first, None if more else step)
        paths = [name for name in self._shown if METRICS[name].path]
        empty = {name: cost.total(name) for cost in self.costs for name in paths if cost.total(name) is None}
        tables[-1].notes += without_positions(empty)
        if others:
            tables[-1].notes.append("bytes: " + "; ".join(f"{cost.target} {cost.dtype.words}" for cost in self.costs))
        return tables

    def _totals(self) -> Table:
        rows = self.to_records()
        for name in ("ratio", *(f"{metric}_ratio" for metric in self.more)):
            rows[self.baseline][name] = None
        base = self.costs[self.baseline].target
        to = {f"{name}_ratio": name for name in self.more} | {"ratio": self.by}
        columns = [
            replace(one, title=f"{METRICS[to[one.key]].title} to {base}") if one.key in to else one
            for one in self._columns
        ]
        return Table("", columns, rows, None, quoted_notes(self.quotes, quoted_in(columns)) if self.quotes else [])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of the columns, and those that are compared."""
        return tuple(dict.fromkeys((*metrics_in(self._columns), self.by, *self.more)))

    @property
    def _shown(self) -> tuple[str, ...]:
        """The metrics that tables are about: those of the columns, and of ratios and blocks."""
        compared = self.breakdowns or any("ratio" in column.key for column in self._columns)
        return self.metrics if compared else tuple(metrics_in(self._columns))

    @property
    def _columns(self) -> tuple[Column, ...]:
        return self.columns or _columns((self.by, *self.more), None)

    def _picture(self) -> str:
        from costcalc.analysis.picture.network_drawing import pictures

        shade = self.by if METRICS[self.by].is_counted else "macs"
        return pictures(self.costs[:MOST_DRAWN], shade)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each network: its totals, and the exact ratio to the baseline, `ratio`; of a further metric
        `params_ratio`."""
        rows = [
            {"target": cost.target, **self._values(cost, seconds), **self._ratios(cost)}
            for cost, seconds in self._with_seconds()
        ]
        names = quoted_in(self.columns)
        return [{**row, **{name: one.value(name) for name in names}} for row, one in zip(rows, self._quotes)]

    @property
    def _quotes(self) -> tuple[Quotes, ...]:
        return self.quotes or tuple(Quotes(cost.target) for cost in self.costs)

    def _ratios(self, cost: Cost) -> dict[str, Fraction | None]:
        return {"ratio": self.ratio(cost), **{f"{name}_ratio": self.ratio(cost, name) for name in self.more}}

    def _with_seconds(self) -> Iterator[tuple[Cost, float | None]]:
        return zip(self.costs, self.seconds or (None,) * len(self.costs))

    def _values(self, cost: Cost, seconds: float | None) -> dict[str, Any]:
        names = dict.fromkeys((*TOTALS, *self.metrics))
        return {name: seconds if METRICS[name].measured else cost.total(name) for name in names}

    def _fields(self) -> dict[str, Any]:
        targets: list[dict[str, Any]] = [
            {"target": c.target, "knobs": dict(c.knobs), "totals": self._values(c, s), **self._ratios(c)}
            for c, s in self._with_seconds()
        ]
        for target, quotes in zip(targets, self.quotes):
            target["quoted"] = quotes.records()
        algebra = self.algebra._fields() if self.algebra is not None else None
        pairs = {one.by: one.to_records() for one in self.breakdowns}
        about = {"by": self.by, "baseline": self.costs[self.baseline].target, "targets": targets}
        more = {f"{name}_pairs": found for name, found in pairs.items() if name != self.by}
        return {**about, "pairs": pairs.get(self.by, []), **more, "algebra": algebra}

    def _summary(self) -> str:
        return ", ".join(f"{cost.target} {self.by}={cost.total(self.by)}" for cost in self.costs)


def compare_models(
    models: Sequence[Model], *, by: Sequence[str] | str = "macs", baseline: str | None = None,
    depth: int | None = None, algebra: bool | None = None, columns: Sequence[str] | str | None = None,
    seconds: Lookup | None = None,
) -> Comparison:  # fmt: skip
    """Compares networks by any metric that is counted, or by several: `macs,params`.

    Ratios are to the `baseline`, one of the networks, by default the first. Of two networks the blocks of a `depth`
    stand side by side; without it those that fit. `algebra` shows the ratio of two networks as algebra always or never;
    None shows it if it fits on a line. `columns` are those of the totals: target, ratio, any metrics, and
    top1 and top5, which are quoted. `seconds`
    looks up measurements.

    Raises UnknownName for a metric, column or baseline that does not exist, UsageError for fewer than two networks or
    knobs that are not numeric.
    """
    first, *more = _metrics(by)
    shown = _columns((first, *more), columns)
    if len(models) < 2:
        raise UsageError("compare takes two or more networks; `costcalc show` shows one")
    if algebra and len(models) > 2:
        raise UsageError(f"the ratio as algebra is that of two networks, got {len(models)}")
    base = _baseline(models, baseline)
    costs = tuple(numeric_cost(model, "compare") for model in models)
    measured = tuple(measured_seconds(models, seconds)) if "seconds" in metrics_in(shown) else ()
    quotes = tuple([quotes_of(model, names) for model in models]) if (names := quoted_in(shown)) else ()
    about: dict[str, Any] = {"more": tuple(more), "baseline": base, "seconds": measured, "quotes": quotes,
                             "models": tuple(models)}  # fmt: skip
    if columns is not None:
        about["columns"] = shown
    if len(costs) > 2:
        return Comparison(costs, first, **about)
    one, other = costs[base], costs[1 - base]
    sums = [name for name in (first, *more) if METRICS[name].is_sum]
    breakdowns = tuple([Breakdown(one, other, name, align(one, other, name, depth)) for name in sums])
    ratio = _algebra((models[base], models[1 - base]), (one, other), first, algebra) if first in sums else None
    return Comparison(costs, first, breakdowns=breakdowns, algebra=ratio, **about)


def _metrics(given: Sequence[str] | str) -> list[str]:
    """The metrics by which networks are compared. Raises UnknownName, and UsageError for one that stands twice."""
    names = split_names(given)
    for name in names:
        metric_of(name, unless=why_not_counted)
        if names.count(name) > 1:
            raise UsageError(f"metric {name} is there twice; name each once")
    return names


def _baseline(models: Sequence[Model], label: str | None) -> int:
    labels = [model.label for model in models]
    if label is None:
        return 0
    if label not in labels:
        raise unknown("baseline", label, labels)
    return labels.index(label)


def _columns(by: Sequence[str], wanted: Sequence[str] | str | None) -> tuple[Column, ...]:
    """The columns of the totals: the wanted ones, by default the usual ones and the metrics that are compared."""
    first, *more = by
    target = Column("target", "network", "text")
    ratios = [_ratio_column("ratio", first), *(_ratio_column(f"{name}_ratio", name) for name in more)]
    ranks = {**RANKS, **dict.fromkeys(by, 0)}
    usual = (target, *(metric_column(name, rank) for name, rank in ranks.items()), *ratios)
    return usual if wanted is None else tuple(read_columns(wanted, (*usual, *QUOTED_COLUMNS.values()), metrics=METRICS))


def _ratio_column(key: str, metric: str) -> Column:
    return Column(key, f"{METRICS[metric].title} to the baseline", "factor", 2)


def _algebra(models: Sequence[Model], costs: Sequence[Cost], by: str, wanted: bool | None) -> Any:
    first, second = models
    for model in models if wanted else ():
        model.require_knobs("the ratio as algebra")
    small = all(cost.total(by) != 0 and is_short(cost) for cost in costs)
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
