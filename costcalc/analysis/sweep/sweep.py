"""A sweep: a network at every point of a grid, block by block, keeping what was asked for.

sweep_net(costcalc.load("efficientnet"), {"r": (224, 240), "w": (1, 2)}, where="macs <= 1e9").table()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.points import Order, Points, best, front, joined, sorted_by
from costcalc.analysis.sweep.totals import METRICS, Totals, sums
from costcalc.dims.column import Column
from costcalc.errors import Place, ShapeError, UnknownName, UsageError, unknown
from costcalc.spec.expressions import Expression, parse
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Table, data_frame, document
from costcalc.table import Column as TableColumn
from costcalc.text import value_text

if TYPE_CHECKING:
    from costcalc.chart import Chart

BLOCKS = 2**22, 2**18  # points whose layers are worked out together, and of these whose sums are
MOST_KEPT = 500_000  # points in memory at once; beyond, something must choose
MOST_LISTED, MOST_DRAWN = 40, 20_000  # points that a notebook lists, and draws
MOST_SEEN = 10**9  # points that a condition alone may choose from
POINTS_PER_SECOND = 4_000_000  # docs/performance.md
LESS = "keep the best with --top N or the front with --pareto, or take larger steps"
TITLES = {
    "params": "params", "macs": "MACs", "elementwise": "elementwise", "activations": "activations",
    "weight_bytes": "weight bytes",
}  # fmt: skip
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Choice:
    """Which points to keep: those that meet `where`, then the Pareto front in `pareto`, then the `top` by `by`."""

    where: Expression | None = None
    pareto: tuple[Order, ...] = ()
    top: int | None = None
    by: Order = ("macs", False)

    @property
    def reduces(self) -> bool:
        """Does it keep few points, however many there are?"""
        return bool(self.pareto) or self.top is not None

    def of(self, points: Points) -> Points:
        """The front or the best of them; of several blocks' choices the choice is that of all their points."""
        if self.pareto:
            points = front(points, self.pareto)
        return points if self.top is None else best(points, self.by, self.top)


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """The points that were kept, and how many there were."""

    net: Network
    grid: Grid
    points: Points  # of a knob the numerators
    invalid: int = 0  # points at which there is no such network
    reason: str = ""  # what is wrong at the first of them
    refused: int = 0  # points that the condition left out
    chosen: str = ""  # how the rest was chosen, in words
    metrics: tuple[str, ...] = METRICS
    choice: Choice = Choice()

    @cached_property
    def columns(self) -> dict[str, Any]:
        """Each swept knob and each metric at every point kept, exact: arrays of int64, or of Python's numbers."""
        dens = self.grid.denominators
        return {name: Column(num, dens.get(name, 1), 0).values() for name, num in self.points.columns.items()}

    def __len__(self) -> int:
        return len(self.points)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each point: knobs, then metrics, all exact."""
        names = [*self.columns]
        return [dict(zip(names, point)) for point in zip(*[values.tolist() for values in self.columns.values()])]

    def to_pandas(self) -> Any:
        """The points as a pandas.DataFrame; knobs that are no whole numbers as floats."""
        whole = {name: den == 1 for name, den in self.grid.denominators.items()}
        columns = {name: v if whole.get(name, True) else [*map(float, v)] for name, v in self.columns.items()}
        return data_frame(columns)

    def table(self, most: int | None = None) -> Table:
        """A row for each point, or for the first so many."""
        knobs = [TableColumn(name, name, "knob") for name in self.grid.axes]
        metrics = [TableColumn(name, TITLES[name], rank=i) for i, name in enumerate(self.metrics)]
        title = f"{self.net.label}: {self.net.title}"
        rows, notes = self.to_records(), self.notes()
        if most is not None and len(rows) > most:
            notes.insert(0, f"{len(rows) - most:,} more points: write all with -o FILE, or keep the best with --top N")
        return Table(title, (*knobs, *metrics), rows[:most], None, notes)

    def notes(self) -> list[str]:
        """How many points there were, why some are not shown, and what the numbers count."""
        notes = [f"{len(self):,} of {self.grid.size:,} points" + (f": {self.chosen}" if self.chosen else "")]
        if self.refused:
            notes.append(f"{self.refused:,} do not meet the condition")
        if self.invalid:
            notes.append(f"at {self.invalid:,} there is no such network: {self.reason}")
        fixed = [f"{k}={value_text(v)}" for k, v in self.net.knobs.items() if k not in self.grid.axes]
        return [*notes, *([f"knobs: {', '.join(fixed)}"] if fixed else []), CONVENTION]

    def chart(self, metric: str | None = None) -> Chart:
        """Curves over one knob, a map of a metric over two, else points with the front. Raises as `chart_of` does."""
        from costcalc.analysis.sweep.charts import chart_of

        return chart_of(self, metric)

    def plot(self, path: Path | str, metric: str | None = None) -> None:
        """Writes the picture as .svg or .png. Raises UsageError for another suffix, MissingExtra without matplotlib."""
        self.chart(metric).save(path)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc sweep`."""
        about = {"points": self.grid.size, "kept": len(self), "invalid": self.invalid, "refused": self.refused}
        axes = {name: list(values) for name, values in self.grid.axes.items()}
        knobs = {name: value for name, value in self.net.knobs.items() if name not in axes}
        return document(target=self.net.label, knobs=knobs, axes=axes, **about, rows=self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Sweep {self.net.label}: {len(self):,} of {self.grid.size:,} points; table(), to_pandas()>"

    def _repr_html_(self) -> str:
        picture = ""
        with suppress(UsageError):
            picture = self.chart().inline() if 0 < len(self) <= MOST_DRAWN else ""
        return self.table(MOST_LISTED)._repr_html_() + picture


def sweep_net(
    net: Network,
    axes: Mapping[str, tuple[Any, ...]],
    *,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    progress: Progress = lambda *_: None,
) -> Sweep:
    """The network at every point of a grid, of which those are kept that were asked for.

    Raises UnknownName, SpecError and UsageError for what cannot be asked, UsageError for a grid too large to be kept,
    ShapeError if no point of it is possible.
    """
    if not axes:
        raise UsageError("nothing to sweep over: give a knob some values, as in r=128:512:32")
    names = pareto.split(",") if isinstance(pareto, str) else pareto or ()
    choice = Choice(
        None if where is None else read_where(where, [*net.spec.knobs]),
        tuple(read_order(name, [*axes]) for name in names),
        top,
        read_order(by, (), (*axes, *METRICS)),
    )
    return sweep(net, Grid(dict(axes)), choice, progress=progress)


def sweep(
    net: Network, grid: Grid, choice: Choice, *, metrics: Sequence[str] = METRICS, points: tuple[int, int] = BLOCKS,
    progress: Progress = lambda *_: None,
) -> Sweep:  # fmt: skip
    """The same from what was read, in blocks of so many points, and blocks of so many within them."""
    _refuse_if_too_large(grid, choice)
    kept: Points | None = None
    invalid = refused = 0
    reason = ""
    for large in grid.blocks(points[0]):
        found = sums(net, large, metrics)
        reason = reason or found.reason
        for block in large.blocks(points[1]):
            some, impossible, unmet = _kept(found.at(block), choice, net.knobs)
            kept = some if kept is None else choice.of(joined([kept, some]))
            if len(kept) > MOST_KEPT:
                raise UsageError(f"more than {MOST_KEPT:,} points meet the condition; {LESS}")
            invalid, refused, done = invalid + impossible, refused + unmet, block.start + block.size
            progress(done / grid.size, f"{done:,} of {grid.size:,} points")
    if invalid == grid.size:
        raise ShapeError(f"no point of the sweep is possible: {reason}")
    assert kept is not None
    if choice.top is not None:
        kept = sorted_by(kept, choice.by)
    return Sweep(net, grid, kept, invalid, reason, refused, _in_words(choice), tuple(metrics), choice)


def _refuse_if_too_large(grid: Grid, choice: Choice) -> None:
    most = MOST_KEPT if choice.where is None else MOST_SEEN
    if grid.size > most and not choice.reduces:
        minutes = grid.size / POINTS_PER_SECOND / 60
        takes = f", and about {minutes / 60:,.0f} hours of work" if minutes >= 90 else ""
        raise UsageError(f"{grid.size:,} points are too many to be kept{takes}; {LESS}")


def _kept(found: Totals, choice: Choice, knobs: Mapping[str, Any]) -> tuple[Points, int, int]:
    """The points of a block that are kept; how many there are no networks, and how many do not meet the condition."""
    points = Points({name: found.flat(name) for name in (*found.block.axes, *found.values)})
    holding = found.holding()
    meets = holding & _meets(choice.where, found, knobs) if choice.where else holding
    impossible, unmet = int((~holding).sum()), int((holding & ~meets).sum())
    return choice.of(points.only(meets) if impossible or unmet else points), impossible, unmet


def _meets(where: Expression, found: Totals, knobs: Mapping[str, Any]) -> Any:
    metrics = {name: Column(values) for name, values in found.values.items()}
    swept = {name: found.block.column(name) for name in found.block.axes}
    return np.broadcast_to(where.held({**knobs, **metrics, **swept}), found.block.shape).ravel()


def _in_words(choice: Choice) -> str:
    words = []
    if choice.where:
        words.append(f"where {choice.where.text}")
    if choice.pareto:
        words.append(
            "no other is better: " + ", ".join(f"{'more' if more else 'less'} {name}" for name, more in choice.pareto)
        )
    if choice.top is not None:
        words.append(f"the {choice.top:,} with the {'most' if choice.by[1] else 'least'} {choice.by[0]}")
    return "; ".join(words)


def read_order(text: str, knobs: Sequence[str], metrics: Sequence[str] = METRICS) -> Order:
    """`macs`: less is better; `r`, a knob: more is; `-macs` and `-r` the other way round. Raises UnknownName."""
    name, turned = text.strip().removeprefix("-"), text.strip().startswith("-")
    if name not in (*knobs, *metrics):
        raise UnknownName(unknown("knob or metric", name, [*knobs, *metrics]))
    return name, (name in knobs) is not turned


def read_where(text: str, knobs: Sequence[str], metrics: Sequence[str] = METRICS) -> Expression:
    """A condition on knobs and metrics, in the grammar of specs. Raises SpecError."""
    return parse(text, Place("--where", 1, 1)).reading([*knobs, *metrics])
