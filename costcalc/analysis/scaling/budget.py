"""The settings of several knobs that keep a budget: the front of a grid.

scale_model(costcalc.load("efficientnet"), {"macs": 400_000_000}, ["r", "d", "w"]).table()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, prod
from typing import Any

from costcalc.analysis.metric_limits import budget_text, check_budget
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.power_laws import EXPONENTS
from costcalc.analysis.scaling.compound import Compound, compound_model
from costcalc.analysis.scaling.default_grid import axes_of, axis_text, free_knobs
from costcalc.analysis.scaling.knob_steps import check_size_knob
from costcalc.analysis.scaling.phi import PAPER_LAW, CompoundLaw
from costcalc.analysis.scaling.scale import Scaled, largest, metric_columns
from costcalc.analysis.scaling.search import costs_for_budget, with_usual_metrics
from costcalc.analysis.sweep.kept_points import invalid_note
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.sweep.sweep import sweep_model
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.errors import CostcalcError, NothingFits, Problem, UsageError
from costcalc.models.model import Model
from costcalc.result import RowsResult
from costcalc.table import Column, Table, data_frame
from costcalc.text import equations_text, knobs_note, plural, split_names, value_text

MAX_FREE_KNOBS = 3  # without --free
MAX_GRID_POINTS = 20_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Fitting(RowsResult):
    """The front of a grid: the points that keep a budget and of which no other has as much of every knob and more of
    one. `compound` is the largest point on the compound line, if the network has one.

    `rows`: one dict for each point of the front: knobs, then metrics, all exact.
    """

    model: Model
    budget: Mapping[str, int]
    found: Sweep
    rows: tuple[dict[str, Any], ...]
    order: str = ""  # in words, if it is not the grid's
    compound: Compound | None = None
    no_compound: str = ""  # why the compound line of such a network has no point

    @property
    def model_of_rows(self) -> Model:
        """Each row is a setting of its knobs."""
        return self.model

    @property
    def points_within(self) -> int:
        """How many points of the grid keep the budget."""
        return self.found.grid.size - self.found.refused - self.found.invalid

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return self.found._warned()

    def to_pandas(self) -> Any:
        """The front as a pandas.DataFrame; real knobs are floats."""
        real = [k for k in self.found.grid.axes if self.model.knobs[k].kind == "real"]
        return data_frame([{**row, **{k: float(row[k]) for k in real}} for row in self.rows])

    def table(self, most: int | None = None) -> Table:
        """The front, or its first rows."""
        knobs = [Column(name, name, "knob") for name in self.found.grid.axes]
        notes = self.notes()
        if most is not None and len(self.rows) > most:
            more = plural(len(self.rows) - most, "more point")
            notes.insert(0, f"{more}: write all with -o FILE, or keep some with --top N")
        title = self.model.heading
        return Table(title, (*knobs, *metric_columns(self.budget)), self.to_records()[:most], None, notes)

    def notes(self) -> list[str]:
        """The points that keep the budget, the order of the front, the grid, and the knobs that stay."""
        grid, shown = self.found.grid, "".join(f", more {name}" for name in self.found.grid.axes)
        beaten = f"no other of them has {shown[2:]}: {len(self.found):,} of these" + self.order
        has = f"{plural(grid.size, 'point')} {'has' if self.points_within == 1 else 'have'}"
        notes = [f"{self.points_within:,} of {has} {budget_text(self.budget)}; {beaten}"]
        notes.append(f"looked through: {'; '.join(axis_text(name, values) for name, values in grid.axes.items())}")
        notes += [*self._at_the_end(), *([self.no_compound] if self.no_compound else [])]
        if self.found.invalid:
            notes.append(invalid_note(self.found.invalid, self.found.reason))
        return [
            *notes,
            *knobs_note(self.model.values_but(grid.axes)),
            *metric_notes(self.found.metrics, self.model.dtype, self.model.step),
        ]

    def _at_the_end(self) -> list[str]:
        """Notes on knobs whose last value fits while no other knob is below its value now: more may fit."""
        axes, now, found = self.found.grid.axes, self.model.values, []
        for name, values in axes.items():
            others = [knob for knob in axes if knob != name]
            ends = (row for row in self.found.to_records() if row[name] == values[-1])
            if any(all(row[knob] >= now[knob] for knob in others) for row in ends):
                last = value_text(values[-1])
                found.append(f"{name} = {last} is the last that was looked at: there may be more with --grid")
        return found

    def tables(self, most: int | None = None) -> list[Table]:
        """The front, and the compound line."""
        front = self.table(most)
        if self.compound is None:
            return [front]
        line = self.compound.table()
        line.title, front.notes = "along the compound line", [note for note in front.notes if note not in line.notes]
        return [front, line]

    def _fields(self) -> dict[str, Any]:
        grid = self.found.grid
        return {
            "target": self.model.label, "knobs": self.model.values_but(grid.axes), "budget": dict(self.budget),
            "axes": {name: list(values) for name, values in grid.axes.items()}, "points": grid.size,
            "fit": self.points_within, "front": len(self.found), "invalid": self.found.invalid,
            "rows": self.to_records(),
            "compound": self.compound and {"phi": self.compound.phi, "rows": self.compound.to_records()},
        }  # fmt: skip

    def _summary(self) -> str:
        points, front = plural(self.found.grid.size, "point"), len(self.found)
        return f"{self.model.label}: {self.points_within:,} of {points} fit, {front:,} on the front"


def scale_model(
    model: Model, budget: Mapping[str, Any], free: Sequence[str] | str | None = None,
    grid: Mapping[str, tuple[Any, ...]] | None = None, law: CompoundLaw = PAPER_LAW, top: int | None = None,
    progress: Progress = no_progress,
) -> Scaled | Fitting:  # fmt: skip
    """The largest value of one free knob that keeps a budget; for several knobs the front of a grid.

    Raises UnknownName for a knob or metric that does not exist, UsageError for arguments that exclude each other or a
    budget that all values keep, NothingFits if no value or point keeps it.
    """
    if top is not None and top < 1:
        raise UsageError(f"--top must be at least 1, got {top}")
    budget = check_budget(budget)
    model.require_numeric("scale")
    names = read_free(model, free, grid or {})
    if len(names) > 1 or grid:
        return _front_of_grid(model, names, budget, grid or {}, law, top, progress)
    if law != PAPER_LAW or top:
        raise UsageError(f"only {names[0]} is free: α, β, γ and --top are about several knobs")
    return largest(model, names[0], budget)


def read_free(model: Model, free: Sequence[str] | str | None, grid: Mapping[str, Any]) -> list[str]:
    """The free knobs: those that are named, else the grid's and those that set the size of the network.

    Raises UnknownName for a knob that does not exist, UsageError for one that is named twice, or if there are too many
    or none to choose.
    """
    given = split_names(free or ())
    for name in given:
        check_size_knob(model, name)
        if given.count(name) > 1:
            raise UsageError(f"{name} is free twice; name it once")
    for name in grid:
        if given and name not in given:
            raise UsageError(f"--grid has values of {name}, which is not free; add it to --free")
    if given:
        return given
    sizes = free_knobs(model)
    if len(sizes) > MAX_FREE_KNOBS or not sizes:
        if grid:
            return [*grid]
        which = f"any of {', '.join(sizes)} could be" if sizes else "all of its knobs are set"
        example = (sizes or model.size_knobs)[0]
        raise UsageError(f"which knobs of {model.label} are free? {which}; say so as in --free {example}")
    return [*sizes, *(name for name in grid if name not in sizes)]


def _front_of_grid(
    model: Model, names: Sequence[str], budget: Mapping[str, int], grid: Mapping[str, tuple[Any, ...]],
    law: CompoundLaw, top: int | None, progress: Progress,
) -> Fitting:  # fmt: skip
    """The front of a grid; a knob that `grid` lacks has the values of `axes_of`."""
    axes = _axes(model, names, grid)
    where = " and ".join(f"{metric} <= {most}" for metric, most in budget.items())
    found = sweep_model(model, axes, where=where, pareto=names, metrics=with_usual_metrics(budget), progress=progress)
    if not len(found):
        raise NothingFits(_too_small(model, axes, budget))
    rows, order = _by_phi(found, model, law)
    compound, why = None, ""
    if set(EXPONENTS) <= set(axes):
        try:
            compound = compound_model(model, law, None, budget)
        except CostcalcError as error:
            why = f"along the compound line: {error}"
    return Fitting(model, dict(budget), found, tuple(rows[:top]), order, compound, why)


def _axes(model: Model, names: Sequence[str], grid: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The values of each free knob, smallest first. Raises UsageError if they make too many points."""
    axes = {name: tuple(sorted(grid[name])) if name in grid else axes_of(model, [name])[name] for name in names}
    points = prod(map(len, axes.values()))
    if points > MAX_GRID_POINTS:
        raise UsageError(
            f"{points:,} points are more than the {MAX_GRID_POINTS:,} that are looked through; "
            "take fewer values with --grid, or fewer knobs with --free"
        )
    return axes


def _too_small(model: Model, axes: Mapping[str, tuple[Any, ...]], budget: Mapping[str, int]) -> str:
    """The message that no point of a grid keeps the budget, with the costs of the smallest."""
    least = {name: values[0] for name, values in axes.items()}
    at = equations_text(least)
    try:
        costs = costs_for_budget(model.at(least), budget)
        said = "it has " + ", ".join(f"{name} = {costs[name]:,}" for name in budget)
    except CostcalcError as error:
        said = f"the network is invalid: {error}"
    return f"no point of the grid keeps this budget: at {at}, the smallest, {said}; look lower with --grid"


def _by_phi(found: Sweep, model: Model, law: CompoundLaw) -> tuple[list[dict[str, Any]], str]:
    """The points sorted by the smallest φ that a knob implies, the largest first, and this order in words; unsorted if
    fewer than two knobs imply a φ."""
    rows, bases = found.to_records(), {knob: float(base) for knob, base in law.bases.items() if base > 1}
    knobs = [k for k, values in found.grid.axes.items() if k in bases and min(model.values[k], values[0]) > 0]
    if len(knobs) < 2:
        return rows, ""

    def phis(row: dict[str, Any]) -> list[float]:  # the smallest first, then the next decides
        return sorted(log(row[knob] / model.values[knob]) / log(bases[knob]) for knob in knobs)

    named = " and ".join([", ".join(knobs[:-1]), knobs[-1]])
    return sorted(rows, key=phis, reverse=True), f", by the smallest φ that {named} imply, the largest first"
