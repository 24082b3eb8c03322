"""Sweeps as pictures: curves over one knob, a map over two, points by two of their numbers otherwise.

chart_of(costcalc.sweep("resnet50", r="128:512:32")).save("resnet.svg")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from costcalc.analysis.cost import cost_of
from costcalc.analysis.metrics import COUNTED, METRICS
from costcalc.analysis.power_laws import knob_exponents
from costcalc.analysis.sweep.chunks import ChunkTask, points_for
from costcalc.analysis.sweep.compute import compute_grid
from costcalc.analysis.sweep.kept_points import KeptPoints
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY
from costcalc.analysis.sweep.totals import totals_of
from costcalc.chart import Axis, Chart, Curves, Group, HeatMap, Line, Mark, Scatter
from costcalc.errors import CostcalcError, UsageError, shorten, unknown
from costcalc.models.model import Model
from costcalc.text import power_text, short_names, value_text

MAX_POINTS_BEHIND_A_FRONT = 100_000
MAX_PRESETS = 40  # beside a front


def chart_of(found: KeptPoints, metric: str | None = None) -> Chart:
    """The chart of a sweep; a heat map shows `metric`, by default MACs. Raises UnknownName for an unknown metric,
    UsageError if the sweep does not count what the chart shows."""
    check_chart(found.grid.axes, found.metrics, found.choice, metric)
    if len(found) > MAX_ROWS_IN_MEMORY:
        raise UsageError(
            f"a picture shows {MAX_ROWS_IN_MEMORY:,} points at most, not {len(found):,}; take larger steps"
        )
    long = _long(found.grid.axes)
    if found.choice.pareto:
        return front_chart(found)
    if len(long) == 1:
        return curves(found, long[0])
    if len(long) == 2:
        return heat_map(found, long[0], long[1], chosen_metric(found.metrics, metric))
    points = _marks(found.columns, "macs", "params")
    axes = metric_axis("macs", log=True), metric_axis("params", log=True)
    groups = (Group("points of the grid", points, "dots"),)
    return Scatter(found.model.heading, *axes, groups, subtitle=found.chosen)


def check_chart(axes: Mapping[str, Any], metrics: Sequence[str], query: PointQuery, metric: str | None = None) -> None:
    """Raises what `chart_of` would raise, before the sweep is computed."""
    chosen_metric(metrics, metric)
    if query.pareto:
        check_columns((*axes, *metrics), *(name for name, _ in _directions(query)))
    elif len(_long(axes)) > 2:
        check_columns(metrics, "macs", "params")


def _long(axes: Mapping[str, Any]) -> list[str]:
    """The axes of more than one value, or the first."""
    return [name for name, values in axes.items() if len(values) > 1] or [*axes][:1]


def _directions(query: PointQuery) -> list[tuple[str, bool]]:
    """The first two directions of a front."""
    orders = [*query.pareto]
    if len(orders) == 1:
        orders.append((next(name for name in ("macs", "params") if name != orders[0][0]), False))
    return orders[:2]


def chosen_metric(metrics: Sequence[str], metric: str | None) -> str:
    """`metric` if given, else MACs or the first. Raises UsageError for one that the sweep does not count, UnknownName
    for one that does not exist."""
    if metric is None:
        return "macs" if "macs" in metrics else metrics[0]
    if metric not in metrics:
        if metric in METRICS:
            raise UsageError(
                f"the picture shows {metric}; count it too, as in --metrics {','.join((*metrics, metric))}"
            )
        raise unknown("metric", metric, metrics)
    return metric


def metric_axis(metric: str, *, log: bool = False) -> Axis:
    """A metric as an axis: its name and its unit."""
    return Axis(METRICS[metric].title, METRICS[metric].unit, log)


def knob_axis(model: Model, name: str) -> Axis:
    """A knob as an axis: its name and the description in its spec."""
    return Axis(name, shorten(model.settable[name].about.partition(":")[0], 60))


def curves(found: KeptPoints, knob: str, metrics: Sequence[str] | None = None) -> Curves:
    """Each metric over one knob, the others as they are set; beside the MACs the power law of the knob, if it has
    one."""
    xs = tuple(found.columns[knob].tolist())
    panels = []
    for metric in metrics or found.metrics:
        lines = [Line("exact", xs, tuple(found.columns[metric].tolist()))]
        if metric == "macs":
            lines += law_line(found.model, knob, xs)
        panels.append((metric_axis(metric), tuple(lines)))
    axis = knob_axis(found.model, knob)
    return Curves(found.model.heading, axis, tuple(panels), subtitle=found.chosen)


def law_line(model: Model, knob: str, xs: tuple[Any, ...]) -> list[Line]:
    """The power law of the knob, through the MACs at its current value; empty without a law, or if the network as it is
    set is invalid."""
    power = knob_exponents(model).get(knob)
    with suppress(CostcalcError):
        if power is not None:
            base, start = cost_of(model).macs, Fraction(model.values[knob])
            label = f"{power_text(knob, power)} from {knob} = {value_text(model.values[knob])}"
            return [Line(label, xs, tuple(base * (Fraction(x) / start) ** power for x in xs), dashed=True)]
    return []


def heat_map(found: KeptPoints, x: str, y: str, metric: str = "macs", marks: Iterable[Mark] = ()) -> HeatMap:
    """One metric over two knobs."""
    columns = [found.columns[name].tolist() for name in (x, y, metric)]
    known = {(a, b): value for a, b, value in zip(*columns)}
    xs, ys = found.grid.axes[x], found.grid.axes[y]
    cells = tuple(tuple(known.get((a, b)) for a in xs) for b in ys)
    axes = knob_axis(found.model, x), knob_axis(found.model, y), metric_axis(metric)
    return HeatMap(found.model.heading, *axes, xs, ys, cells, tuple(marks), subtitle=found.chosen)


def front_chart(found: KeptPoints) -> Scatter:
    """The front by its first two directions, over the other points of the grid if they are few enough."""
    (x, more), (y, _) = sorted(_directions(found.choice), key=lambda order: order[1])
    kept, groups = check_columns(found.columns, x, y), []
    if found.grid.size <= MAX_POINTS_BEHIND_A_FRONT:
        groups.append(Group("points of the grid", _marks(_all_points(found).columns, x, y), "dots"))
    front = tuple(sorted(_marks(kept, x, y), key=lambda mark: (mark.x, mark.y)))
    stairs = len(found.choice.pareto) == 2 and not more
    groups.append(Group("no other is better", front, "steps" if stairs else "squares"))
    if named := preset_marks(found.model, x, y):
        groups.append(Group("presets", named))
    axes = _axis(found, x), _axis(found, y)
    return Scatter(found.model.heading, *axes, tuple(groups), subtitle=found.chosen)


def preset_marks(model: Model, x: str, y: str) -> tuple[Mark, ...]:
    """The presets of a network over two knobs or metrics, with its own settings and their names; those that fall on
    each other share a mark. A preset that is invalid so is left out, as are all where a number is measured."""
    presets = [*model.presets][:MAX_PRESETS]
    wanted = [name for name in (x, y) if name not in model.settable]
    if not all(name in COUNTED for name in wanted):
        return ()
    names: dict[tuple[Any, Any], list[str]] = {}
    for preset, name in zip(presets, short_names(presets)):
        with suppress(CostcalcError):
            one = model.with_only({**model.presets[preset].settings, **model.overrides}, preset)
            found = {**one.values, **totals_of(one, wanted)}
            names.setdefault((found[x], found[y]), []).append(name)
    return tuple(Mark(*place, ", ".join(alike)) for place, alike in names.items())


def _all_points(found: KeptPoints) -> KeptPoints:
    """The points of the grid that meet the condition, whether or not they are on the front."""
    query, points = PointQuery(where=found.choice.where), points_for(found.model, found.grid)
    task = ChunkTask(found.model, query, tuple(name for name in found.metrics if name in COUNTED), points=points)
    kept = compute_grid(task, found.grid).points
    assert kept is not None
    return replace(found, points=kept, metrics=task.metrics, choice=query)


def _marks(columns: Any, x: str, y: str) -> tuple[Mark, ...]:
    return tuple(Mark(a, b) for a, b in zip(columns[x].tolist(), columns[y].tolist()))


def check_columns(columns: Any, *names: str) -> Any:
    """Returns the columns. Raises UsageError if one of these is missing."""
    for name in names:
        if name not in columns:
            raise UsageError(f"the picture shows {' and '.join(names)}; count {name} too")
    return columns


def _axis(found: KeptPoints, name: str) -> Axis:
    return knob_axis(found.model, name) if name in found.grid.axes else metric_axis(name, log=True)
