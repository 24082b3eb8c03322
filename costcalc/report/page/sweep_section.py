"""The part of a page that a sweep makes: its grid, the presets, and what no other point beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.metrics import METRICS
from costcalc.analysis.scaling.presets import PresetSweep, sweep_presets
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.analysis.warnings import warnings_of_models
from costcalc.chart import are_numbers
from costcalc.errors import Problem, UsageError
from costcalc.models.model import Model
from costcalc.report.page.closed_forms import ClosedForms
from costcalc.report.page.default_axes import default_axes
from costcalc.report.page.figures import Figure, named_presets
from costcalc.report.page.front import trade_off
from costcalc.table import cell
from costcalc.text import plural, value_text

MAX_POINTS = 200_000  # of the grid
PICTURE_METRICS = ("params", "macs")


@dataclass(frozen=True)
class SweepSection:
    """A sweep of a network and its presets."""

    model: Model
    found: Sweep
    metrics: tuple[str, ...]
    presets: PresetSweep | None = None

    @classmethod
    def of(
        cls, model: Model, closed: ClosedForms | None, axes: Mapping[str, tuple[Any, ...]], presets: str | None,
        metrics: tuple[str, ...],
    ) -> SweepSection:  # fmt: skip
        """A sweep over these axes, by default over the range of the presets. Raises what a sweep raises."""
        names = presets or ("all" if model.presets else None)
        listed = sweep_presets(model, names) if names else None
        among, denominators = (closed.knobs, closed.denominators()) if closed else (model.size_knobs, {})
        grid = Grid(dict(axes) or default_axes(model, among, denominators))
        cls.check(grid.axes)
        every = tuple(dict.fromkeys((*metrics, *PICTURE_METRICS)))
        return cls(model, sweep(model, grid, PointQuery(), metrics=every), metrics, listed)

    @staticmethod
    def check(axes: Mapping[str, tuple[Any, ...]]) -> None:
        """Raises UsageError for too large a grid."""
        if (size := Grid(dict(axes)).size) > MAX_POINTS:
            raise UsageError(f"a page shows {MAX_POINTS:,} points at most, not {size:,}; take larger steps")

    @property
    def axes(self) -> Mapping[str, Sequence[Any]]:
        """The values of the grid."""
        return self.found.grid.axes

    @property
    def warnings(self) -> list[Problem]:
        """The warnings of the grid and of the presets."""
        return [*self.found.warnings, *warnings_of_models(self.presets.models if self.presets else ())]

    def about(self) -> list[str]:
        """The values of the grid, and how many of its points are invalid."""
        spans = [
            f"{name} from {value_text(values[0])} to {value_text(values[-1])} in {plural(len(values), 'value')}"
            if are_numbers(values) else f"{name} {' or '.join(map(value_text, values))}"
            for name, values in self.axes.items()
        ]  # fmt: skip
        said = [f"The grid has {plural(self.found.grid.size, 'point')}: {', '.join(spans)}."]
        if self.found.invalid:
            said.append(f"{self.found.invalid:,} of them are invalid: {self.found.reason}.")
        return said

    def summary(self) -> list[tuple[str, str]]:
        """Each metric, and its range over the grid."""
        found = []
        for metric in self.metrics:
            values, kind = self.found.columns[metric], METRICS[metric].kind
            ends = " to ".join(cell(value, kind) for value in (values.min(), values.max()))
            found.append((METRICS[metric].title, ends))
        return found

    def front(self) -> Figure:
        """The points, and those that no other beats."""
        return trade_off(self.found, self.presets)

    def preset_figure(self) -> Figure | None:
        """Params against MACs of the presets."""
        return named_presets(self.presets) if self.presets else None
