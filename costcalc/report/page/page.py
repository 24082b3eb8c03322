"""The page: its parts, and the template that they fill.

Page.of(costcalc.load("efficientnet")).save("efficientnet.html")
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costcalc.analysis.metric_names import check_not_a_metric, metric_of, read_metrics, why_no_formula, why_not_counted
from costcalc.analysis.metric_notes import training_note
from costcalc.analysis.metrics import IN_BYTES, METRICS, USUAL
from costcalc.analysis.scaling.presets import PresetSweep, sweep_presets
from costcalc.analysis.sweep.grid import Grid, given_axes
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.analysis.warnings import warnings_of_models
from costcalc.chart import are_numbers
from costcalc.chart.draw import import_matplotlib
from costcalc.errors import CostcalcError, MissingExtra, Problem, UsageError
from costcalc.files import check, write
from costcalc.models.model import Model
from costcalc.net import Target, load
from costcalc.report.page.default_axes import default_axes
from costcalc.report.page.figures import Figure, knob_curves, maps, named_presets
from costcalc.report.page.formula_mathml import FormulaMathML, formula_mathml
from costcalc.report.page.front import trade_off
from costcalc.report.page.sliders import ClosedForms, closed_forms, law_of
from costcalc.table import CONVENTION, cell, visible
from costcalc.text import equations_text, plural, power_text, value_text
from costcalc.version import __version__

HERE = Path(__file__).parent
SUFFIXES = (".html", ".htm")
MAX_POINTS = 200_000  # of the grid
PICTURE_METRICS = ("params", "macs")


def write_page(
    target: Target, path: str | Path, *, presets: str | None = None, metrics: Sequence[str] | str | None = None,
    **axes: Any,
) -> None:  # fmt: skip
    """Writes the HTML page about a network: `write_page("efficientnet", "page.html", r="128:600:8", w=[1, 1.1])`.

    Over a grid of its knobs, or one that its presets span; with all presets, or `"b0..b3"`; `metrics` as in a sweep.
    Raises UsageError for a network without knobs or too large a grid, MissingExtra without jinja2 or matplotlib,
    OSError, and what a sweep raises.
    """
    model = load(target)
    Page.of(model, given_axes(axes, model.knobs, model.name), presets, metrics).save(path)


@dataclass(frozen=True)
class Page:
    """A network, a sweep of it, its presets and its closed forms. Without closed forms `why_not` says why."""

    model: Model
    found: Sweep
    metrics: tuple[str, ...] = USUAL
    presets: PresetSweep | None = None
    closed: ClosedForms | None = None
    why_not: str = ""

    @classmethod
    def of(
        cls, model: Model, axes: Mapping[str, tuple[Any, ...]] | None = None, presets: str | None = None,
        metrics: Sequence[str] | str | None = None,
    ) -> Page:  # fmt: skip
        """The page of a network over a grid of its knobs, by default over the range of its presets.

        Raises UsageError for a network without knobs or too large a grid, and what a sweep raises.
        """
        shown = read_metrics(metrics)
        for metric in shown:
            metric_of(metric, unless=why_not_counted)
        model.require_knobs("a report")
        model.require_numeric("a report")
        for name in model.size_knobs:
            check_not_a_metric(name)
        _check_size(Grid(dict(axes or {})))  # before closed forms, which take seconds
        names = presets or ("all" if model.presets else None)
        listed = sweep_presets(model, names) if names else None
        closed, why_not = _closed_forms(model, shown)
        among, denominators = (closed.knobs, closed.denominators()) if closed else (model.size_knobs, {})
        grid = Grid(dict(axes or {}) or default_axes(model, among, denominators))
        _check_size(grid)
        every = tuple(dict.fromkeys((*shown, *PICTURE_METRICS)))
        return cls(model, sweep(model, grid, PointQuery(), metrics=every), shown, listed, closed, why_not)

    def html(self) -> str:
        """The page as text. Raises MissingExtra without jinja2 or matplotlib."""
        return str(_template().render(self.parts()))

    def save(self, path: Path | str) -> None:
        """Writes the page, all of it or nothing. Raises OSError."""
        write(Path(path), self.html())

    def parts(self) -> dict[str, Any]:
        """The variables of the template."""
        script = self.script()
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        return {
            "model": self.model, "version": __version__, "convention": CONVENTION, "why_not": self.why_not,
            "counts": self.counts(), "without_formula": self.without_formula(),
            "css": (HERE / "page.css").read_text(encoding="utf-8"), "script": script, "digest": digest,
            "data": self.closed.data() if self.closed else None, "summary": self.summary(),
            "sliders": self.slider_rows(), "fixed": self.fixed(), "notes": self.about_the_grid(),
            "warnings": self.warnings,
            "tables": self.presets.tables() if self.presets else [], "figures": self.figures(),
            "formulas": self.formulas(),
        }  # fmt: skip

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings of the network, its grid and its presets; one for each line of the spec."""
        models = (self.model, *(self.presets.models if self.presets else ()))
        every = (*self.found.warnings, *warnings_of_models(models))
        return tuple({problem.place: problem for problem in reversed(every)}.values())[::-1]

    def script(self) -> str:
        """The one script of the page; empty without sliders."""
        if self.closed is None:
            return ""
        return (HERE / "sliders.js").read_text(encoding="utf-8").replace("/*code*/", self.closed.script())

    def counts(self) -> list[str]:
        """What the metrics in bytes count, and in which dtype; and how a step of training is taken."""
        shown = (METRICS[name] for name in self.metrics if name in IN_BYTES)
        in_bytes = [f"{metric.title}: {metric.counts}, {self.model.dtype.words}" for metric in shown]
        return [*in_bytes, *training_note(self.metrics, self.model.step)]

    def without_formula(self) -> list[str]:
        """Why some of the metrics have no slider."""
        return [f"{METRICS[name].title} {why}" for name in self.metrics if (why := why_no_formula(METRICS[name]))]

    def about_the_grid(self) -> list[str]:
        """The values of the grid, and how many of its points are invalid."""
        spans = [
            f"{name} from {value_text(values[0])} to {value_text(values[-1])} in {plural(len(values), 'value')}"
            if are_numbers(values) else f"{name} {' or '.join(map(value_text, values))}"
            for name, values in self.found.grid.axes.items()
        ]  # fmt: skip
        said = [f"The grid has {plural(self.found.grid.size, 'point')}: {', '.join(spans)}."]
        if self.found.invalid:
            said.append(f"{self.found.invalid:,} of them are invalid: {self.found.reason}.")
        return said

    def summary(self) -> list[tuple[str, str, str]]:
        """Each metric: its title, its value as the network is set, and its range over the grid."""
        now = Grid({name: (value,) for name, value in self.model.sizes.items()})
        (at,) = sweep(self.model, now, PointQuery(), metrics=self.metrics).to_records()
        found = []
        for metric in self.metrics:
            values = self.found.columns[metric]
            kind = METRICS[metric].kind
            ends = " to ".join(cell(value, kind) for value in (values.min(), values.max()))
            found.append((METRICS[metric].title, cell(at[metric], kind), ends))
        return found

    def slider_rows(self) -> list[tuple[str, str]]:
        """The metrics that the sliders move: title and unit."""
        if self.closed is None:
            return []
        powers = "·".join(power_text(knob, power) for knob, power in law_of(self.model, self.closed.knobs).items())
        special = {
            "law": (f"MACs by {powers}", f"from {visible(self.model.label)}"),
            "weight_bytes": (METRICS["weight_bytes"].title, f"{self.model.dtype}, buffers included"),
        }
        return [special.get(name) or (METRICS[name].title, METRICS[name].unit) for name in self.closed.metrics]

    def fixed(self) -> str:
        """The settings of the knobs without a slider."""
        moved = self.closed.knobs if self.closed else ()
        return equations_text(self.model.values_but(moved))

    def formulas(self) -> list[FormulaMathML]:
        """The closed forms as MathML."""
        return [formula_mathml(formula) for formula in self.closed.formulas] if self.closed else []

    def figures(self) -> dict[str, list[Figure]]:
        """The pictures by section."""
        axes = self.found.grid.axes
        return {
            "presets": [named_presets(self.presets)] if self.presets else [],
            "maps": [*maps(self.model, axes, self.presets)],
            "front": [trade_off(self.found, self.presets)],
            "curves": [*knob_curves(self.model, axes)],
        }


def _check_size(grid: Grid) -> None:
    if grid.size > MAX_POINTS:
        raise UsageError(f"a page shows {MAX_POINTS:,} points at most, not {grid.size:,}; take larger steps")


def check_page(path: Path | str) -> None:
    """Raises, before a page is made, what saving it would raise: UsageError for another suffix, MissingExtra without
    jinja2 or matplotlib, OSError."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"{str(path)!r}: a report is an .html file")
    _template()
    import_matplotlib()
    check(Path(path))


def _template() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise MissingExtra("a report needs jinja2", "report") from None
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"visible": lambda text: visible(str(text)), "trusted": Markup, "value": value_text}
    return environment.get_template("template.html")


def _closed_forms(model: Model, metrics: Sequence[str]) -> tuple[ClosedForms | None, str]:
    """The closed forms; or none, and why."""
    try:
        return closed_forms(model, metrics), ""
    except CostcalcError as error:
        return None, str(error)
