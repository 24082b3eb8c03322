"""A network at every point of a grid, chunk by chunk, keeping what was asked for.

sweep_net(costcalc.load("efficientnet"), {"r": (224, 240), "w": (1, 2)}, where="macs <= 1e9").table()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import dropwhile
from pathlib import Path
from typing import Any

from costcalc.analysis.sweep.choice import Choice, read_choice, read_order, read_where
from costcalc.analysis.sweep.chunks import BLOCKS, Job, Part, work
from costcalc.analysis.sweep.crew import Crew, in_order
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.histogram import Histogram, binned
from costcalc.analysis.sweep.pace import Pace, Progress, silent
from costcalc.analysis.sweep.points import Points, sorted_by
from costcalc.analysis.sweep.state import LESS, MOST_KEPT, State
from costcalc.analysis.sweep.totals import METRICS
from costcalc.dims.column import Column
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Table, data_frame, document
from costcalc.table import Column as TableColumn
from costcalc.text import value_text

__all__ = [
    "BLOCKS", "MOST_KEPT", "Choice", "Sweep", "histogram_net", "read_order", "read_where", "sweep", "sweep_net",
]  # fmt: skip

MOST_SEEN = 10**9  # points that a condition alone may choose from
POINTS_PER_SECOND = 4_000_000  # docs/performance.md
MOST_PIECES = 16  # of a file that wait for their turn in memory
TITLES = {
    "params": "params", "macs": "MACs", "elementwise": "elementwise", "activations": "activations",
    "weight_bytes": "weight bytes",
}  # fmt: skip


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

    def to_arrow(self) -> Any:
        """The points as a pyarrow.Table: int64 where all of a column fits, else decimals, else digits.

        Raises MissingExtra without pyarrow.
        """
        from costcalc.analysis.sweep.arrow import arrow_table

        return arrow_table(self.points, self.grid.denominators)

    def to_parquet(self, path: str | Path) -> None:
        """Writes the points to a Parquet file, all of them or none. Raises MissingExtra, OSError."""
        from costcalc.analysis.sweep.arrow import write_parquet

        table = self.to_arrow()
        write_parquet(Path(path), table.schema, [table])

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
        return [*self.how_many(), *fixed_knobs(self.net, self.grid), CONVENTION]

    def how_many(self) -> list[str]:
        """How many points there were, how they were chosen, and why others are not there."""
        return counts_in_words(len(self), self.grid, self.invalid, self.reason, self.refused, self.chosen)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc sweep`."""
        about = {"points": self.grid.size, "kept": len(self), "invalid": self.invalid, "refused": self.refused}
        axes = {name: list(values) for name, values in self.grid.axes.items()}
        knobs = {name: value for name, value in self.net.knobs.items() if name not in axes}
        return document(target=self.net.label, knobs=knobs, axes=axes, **about, rows=self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Sweep {self.net.label}: {len(self):,} of {self.grid.size:,} points; table(), to_pandas()>"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def counts_in_words(kept: int, grid: Grid, invalid: int, reason: str, refused: int, chosen: str) -> list[str]:
    """How many points there are and how they were chosen, and why others are not there."""
    notes = [f"{kept:,} of {grid.size:,} points" + (f": {chosen}" if chosen else "")]
    if refused:
        notes.append(f"{refused:,} do not meet the condition")
    if invalid:
        notes.append(f"at {invalid:,} there is no such network: {reason}")
    return notes


def fixed_knobs(net: Network, grid: Grid) -> list[str]:
    """`knobs: classes=1000, batch=1`: those that are not swept, if there are any."""
    fixed = [f"{k}={value_text(v)}" for k, v in net.knobs.items() if k not in grid.axes]
    return [f"knobs: {', '.join(fixed)}"] if fixed else []


def sweep_net(
    net: Network,
    axes: Mapping[str, tuple[Any, ...]],
    *,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    crew: Crew | None = None,
    progress: Progress = silent,
) -> Sweep:
    """The network at every point of a grid, of which those are kept that were asked for; worked out here, or by a crew.

    Raises UnknownName, SpecError and UsageError for what cannot be asked, UsageError for a grid too large to be kept,
    ShapeError if no point of it is possible.
    """
    grid = grid_of(axes)
    choice = read_choice([*net.spec.knobs], [*axes], where=where, pareto=pareto, top=top, by=by)
    return sweep(net, grid, choice, crew=crew, progress=progress)


def grid_of(axes: Mapping[str, tuple[Any, ...]]) -> Grid:
    """The grid that axes span. Raises UsageError for none."""
    if not axes:
        raise UsageError("nothing to sweep over: give a knob some values, as in r=128:512:32")
    return Grid(dict(axes))


def sweep(
    net: Network, grid: Grid, choice: Choice, *, metrics: Sequence[str] = METRICS, points: tuple[int, int] = BLOCKS,
    crew: Crew | None = None, progress: Progress = silent,
) -> Sweep:  # fmt: skip
    """The same from what was read, in chunks of so many points, and blocks of so many within them."""
    _refuse_if_too_large(grid, choice)
    job = Job(net, choice, tuple(metrics), points=points)
    return sweep_of(job, grid, finished(job, grid, crew, progress))


def sweep_of(job: Job, grid: Grid, state: State) -> Sweep:
    """The sweep that a state of the whole grid is."""
    kept, choice = state.points, job.choice
    assert kept is not None
    if choice.top is not None:
        kept = sorted_by(kept, choice.by)
    return Sweep(job.net, grid, kept, state.invalid, state.reason, state.refused, choice.in_words(), job.metrics)


def histogram_net(
    net: Network,
    axes: Mapping[str, tuple[Any, ...]],
    metric: str,
    *,
    where: str | None = None,
    crew: Crew | None = None,
    progress: Progress = silent,
    points: tuple[int, int] = BLOCKS,
) -> Histogram:
    """How many points of a grid that meet a condition there are of each size of a metric. Raises as `sweep_net`."""
    if metric not in METRICS:
        raise UnknownName(unknown("metric", metric, METRICS))
    grid, choice = grid_of(axes), Choice(None if where is None else read_where(where, [*net.spec.knobs]))
    read = [name for name in METRICS if name == metric or (choice.where and name in choice.where.names)]
    state = finished(Job(net, choice, tuple(read), metric, points=points), grid, crew, progress)
    every = sum(state.counts.values())
    counts = counts_in_words(every, grid, state.invalid, state.reason, state.refused, choice.in_words())
    return Histogram(net.label, metric, binned(state.counts), (*counts, *fixed_knobs(net, grid)))


def finished(job: Job, grid: Grid, crew: Crew | None, progress: Progress) -> State:
    """What all chunks come to. Raises ShapeError if no point of the grid is possible."""
    state = State()
    for part in parts(job, grid, crew, progress):
        state.add(part, job.choice)
    return state.whole(grid.size)


def parts(job: Job, grid: Grid, crew: Crew | None, progress: Progress, done: int = 0) -> Iterator[Part]:
    """What each chunk comes to, in the grid's order, after so many points that are done."""
    pace = Pace(grid.size, done, progress)
    chunks = dropwhile(lambda chunk: chunk.start < done, grid.blocks(job.points[0]))
    window = MOST_PIECES if job.render else None
    for part in in_order(crew, partial(work, job), chunks, window):
        pace.more(part.size)
        yield part


def _refuse_if_too_large(grid: Grid, choice: Choice) -> None:
    most = MOST_KEPT if choice.where is None else MOST_SEEN
    if grid.size > most and not choice.reduces:
        minutes = grid.size / POINTS_PER_SECOND / 60
        takes = f", and about {minutes / 60:,.0f} hours of work" if minutes >= 90 else ""
        raise UsageError(
            f"{grid.size:,} points are too many to be kept{takes}; {LESS}, or write all with -o FILE.csv or .parquet"
        )
