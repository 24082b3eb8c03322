"""The result of a sweep: the points that were kept, as a table, records, a frame, a picture or a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costcalc.analysis.columns import metric_column, read_columns
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.fit import Fit, fit
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.kept_points import KeptPoints, invalid_note
from costcalc.analysis.sweep.measured import how_many_measured
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.sweep_chart import chart_of
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.chart import Chart
from costcalc.errors import Problem, UsageError
from costcalc.result import Result
from costcalc.table import Column, Table, data_frame
from costcalc.text import as_float, knobs_note, plural

MINIMISES_ONLY = "--pareto minimises only; add something to maximise, as in --pareto macs,{}"
MAX_POINTS_LISTED, MAX_POINTS_DRAWN = 40, 20_000  # in a notebook


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(KeptPoints, Result):
    """The points of a grid that a query keeps, with the costs of each."""

    def to_records(self, most: int | None = None) -> list[dict[str, Any]]:
        """One dict for each point, or the first so many: knobs, then metrics, all exact."""
        columns = self._values(self.points.take(slice(most)))
        return [dict(zip(columns, point)) for point in zip(*[values.tolist() for values in columns.values()])]

    def to_pandas(self) -> Any:
        """The points as a pandas.DataFrame; real knobs and ratios as floats."""
        real = {name for name, den in self.grid.denominators.items() if den != 1}
        real |= {name for name in self.metrics if METRICS[name].kind != "int"}
        return data_frame({name: [*map(as_float, v)] if name in real else v for name, v in self.columns.items()})

    def fit(self) -> Fit:
        """The exponent of each swept knob in each metric, by least squares. Raises UsageError for too few points."""
        return fit(self)

    def to_arrow(self, columns: Sequence[str] | str | None = None) -> Any:
        """The points, or some of their columns, as a pyarrow.Table: int64 if a column fits, else decimals, else text.

        Raises MissingExtra without pyarrow, UnknownName for a column that does not exist.
        """
        from costcalc.analysis.sweep.arrow import arrow_table

        known = self.table(0).columns
        keys = [column.key for column in (known if columns is None else read_columns(columns, known))]
        return arrow_table(self.points.select(keys), self.grid.denominators)

    def to_parquet(self, path: str | Path, columns: Sequence[str] | str | None = None) -> None:
        """Writes the points to a Parquet file, all of them or none. Raises as `to_arrow`, and OSError."""
        from costcalc.analysis.sweep.arrow import write_parquet

        table = self.to_arrow(columns)
        write_parquet(Path(path), table.schema, [table])

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of_grid(self.model, self.grid.axes))]

    def table(self, most: int | None = None) -> Table:
        """A row for each point, or for the first so many."""
        knobs = [Column(name, name, "knob") for name in self.grid.axes]
        metrics = [metric_column(name, i) for i, name in enumerate(self.metrics)]
        title = self.model.heading
        notes = self.notes()
        if most is not None and len(self) > most:
            more = plural(len(self) - most, "more point")
            notes.insert(0, f"{more}: write all with -o FILE, or keep the best with --top N")
        return Table(title, (*knobs, *metrics), self.to_records(most), None, notes)

    def notes(self) -> list[str]:
        """How many points were kept, why others were not, and what the numbers count."""
        seconds = [how_many_measured(self.columns["seconds"])] if "seconds" in self.metrics else []
        return [
            *self.how_many(),
            *seconds,
            *knobs_note(self.model.values_but(self.grid.axes)),
            *metric_notes(self.metrics, self.model.dtype, self.model.step),
        ]

    def how_many(self) -> list[str]:
        """How many points were kept, by which query, and why others were not."""
        said = counts_in_words(len(self), self.grid, self.invalid, self.reason, self.refused, self.chosen)
        return [*said, *what_a_front_lacks(self.choice, self.grid)]

    def chart(self, metric: str | None = None) -> Chart:
        """Curves over one knob, a heat map of a metric over two, else points. Raises as `chart_of` does."""
        return chart_of(self, metric)

    def plot(self, path: Path | str, metric: str | None = None) -> None:
        """Writes the picture as .svg or .png. Raises UsageError for another suffix, MissingExtra without matplotlib."""
        self.chart(metric).save(path)

    def _fields(self) -> dict[str, Any]:
        axes = {name: list(values) for name, values in self.grid.axes.items()}
        return {
            "target": self.model.label, "knobs": self.model.values_but(axes), "axes": axes, "points": self.grid.size,
            "kept": len(self), "invalid": self.invalid, "refused": self.refused, "rows": self.to_records(),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.model.label}: {len(self):,} of {plural(self.grid.size, 'point')}"

    def _notebook_tables(self) -> list[Table]:
        return [self.table(MAX_POINTS_LISTED)]

    def _picture(self) -> str:
        with suppress(UsageError):
            return self.chart().inline() if 0 < len(self) <= MAX_POINTS_DRAWN else ""
        return ""


def what_a_front_lacks(query: PointQuery, grid: Grid) -> list[str]:
    """The note about a front that only minimises."""
    return [MINIMISES_ONLY.format(next(iter(grid.numbers), "r"))] if query.minimises_only else []


def counts_in_words(kept: int, grid: Grid, invalid: int, reason: str, refused: int, chosen: str) -> list[str]:
    """How many points were kept, by which query, and why others were not."""
    notes = [f"{kept:,} of {plural(grid.size, 'point')}" + (f": {chosen}" if chosen else "")]
    if refused:
        notes.append(f"{refused:,} {'does' if refused == 1 else 'do'} not meet the condition")
    if invalid:
        notes.append(invalid_note(invalid, reason))
    return notes
