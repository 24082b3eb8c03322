"""The curves and maps of a page: which knobs they are over, and the numbers in them as the networks are set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from costcalc.analysis.metrics import METRICS
from costcalc.analysis.power_laws import knob_exponents
from costcalc.analysis.scaling.along import costs_at
from costcalc.errors import CostcalcError
from costcalc.report.page.comparison_view import ComparisonView
from costcalc.report.page.knob_plots import KnobCurves, KnobMap, Points, as_points
from costcalc.report.page.network_view import NetworkView
from costcalc.report.page.shared_sliders import Slider
from costcalc.text import equations_text, value_text

MAX_KNOBS = 3  # with a curve each, and a map for each two
POINTS, MAP_POINTS = 25, 10  # along a curve, along a side of a map
Axes = Mapping[str, Sequence[Any]]


def chosen(views: Sequence[NetworkView], sliders: Sequence[Slider], axes: Axes, first: Sequence[str]) -> list[int]:
    """The numbers of the sliders that have a curve: those of the given axes; else those in `first`, with a power law,
    set by presets, shared by networks; the batch last."""
    if axes:
        return [at for at, slider in enumerate(sliders) if len(axes.get(slider.name, ())) > 1][:MAX_KNOBS]
    law = {name for view in views for name in knob_exponents(view.model)}
    in_presets = {name for view in views for preset in view.model.presets.values() for name in preset.settings}

    def rank(at: int) -> tuple[Any, ...]:
        slider = sliders[at]
        name = slider.name
        return name == "batch", name not in first, name not in law, name not in in_presets, -len(slider.owners), at

    found = sorted((at for at, slider in enumerate(sliders) if slider.last > slider.first), key=rank)
    return sorted([at for at in found if sliders[at].name != "batch"][:MAX_KNOBS] or found[:1])


def curves_of(
    number: int, at: int, views: Sequence[NetworkView], sliders: Sequence[Slider], by: str, axes: Axes,
    comparison: ComparisonView | None,
) -> Iterator[tuple[list[str], KnobCurves]]:  # fmt: skip
    """The costs of all networks along the knob of a slider, and the exact values of the knob; nothing if no point is a
    network."""
    slider = sliders[at]
    values = _values(slider, axes, POINTS)
    rows, reasons = zip(*(_along(view, slider, values, by) for view in views))
    if all(value is None for row in rows for value in row):
        return
    now = [(float(slider.value), _float(view.total(by))) for view in views]
    break_evens = comparison.break_evens if comparison else ()
    even = next((float(even.value) for even in break_evens if even.knob == slider.name), None)
    names = tuple(view.model.label for view in views)
    found = KnobCurves(f"curve-{number}", slider.name, names, (*map(float, values),), rows, (*now,), even, reasons)
    yield [*map(value_text, values)], found


def _along(view: NetworkView, slider: Slider, values: Sequence[Any], by: str) -> tuple[Points, str]:
    """The cost of a network at each value of a knob, and why it has none at the first at which it has none."""
    if view.number not in slider.owners:
        return [_float(view.total(by))] * len(values), ""
    try:
        costs = costs_at(view.model, {slider.name: values}, [by])
    except CostcalcError as error:
        return [None] * len(values), str(error)
    return [*as_points(costs.values[by].tolist(), costs.valid.tolist())], costs.reason


def maps_of(
    view: NetworkView, sliders: Sequence[Slider], places: Sequence[int], axes: Axes
) -> Iterator[tuple[int, int, list[list[str]], KnobMap]]:
    """Maps over each two of the knobs, with the places of their sliders."""
    for number, (x, y) in enumerate(combinations(places, 2)):
        one, other = sliders[x], sliders[y]
        xs, ys = _values(one, axes, MAP_POINTS), _values(other, axes, MAP_POINTS)
        by = view.options.by
        try:
            costs = costs_at(
                view.model,
                {one.name: [a for _ in ys for a in xs], other.name: [b for b in ys for _ in xs]}, [by],
            )  # fmt: skip
        except CostcalcError:
            continue
        points = as_points(costs.values[by].tolist(), costs.valid.tolist())
        rows = tuple(points[j * len(xs) : (j + 1) * len(xs)] for j in range(len(ys)))
        now = float(one.value), float(other.value)
        found = KnobMap(f"map-{number}", (one.name, other.name), ((*map(float, xs),), (*map(float, ys),)), rows, now,
                        _presets(view, one, other, xs, ys))  # fmt: skip
        yield x, y, [[*map(value_text, xs)], [*map(value_text, ys)]], found


def _presets(view: NetworkView, one: Slider, other: Slider, xs: Any, ys: Any) -> tuple[Any, ...]:
    """The presets within a map that its sliders reach, each with the other knobs in which presets differ; those at one
    place share a mark."""
    presets = view.closed.presets[()] if view.closed else {}
    others = [knob for knob in view.model.values if knob not in (one.name, other.name)]
    apart = [knob for knob in others if len({values[knob] for values in (view.model.values, *presets.values())}) > 1]
    found: dict[tuple[float, float], list[str]] = {}
    for name, values in presets.items():
        x, y = values[one.name], values[other.name]
        if xs[0] <= x <= xs[-1] and ys[0] <= y <= ys[-1]:
            more = equations_text({knob: values[knob] for knob in apart})
            found.setdefault((float(x), float(y)), []).append(f"{name} ({more})" if more else name)
    return tuple((*at, "; ".join(names)) for at, names in found.items())


def _values(slider: Slider, axes: Axes, count: int) -> Sequence[Any]:
    given = axes.get(slider.name)
    if given is None:
        return slider.positions(count)
    values = sorted(given)
    if len(values) <= count:
        return values
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def caption_of_curve(curve: KnobCurves, by: str) -> str:
    """What a curve shows."""
    said = f"{METRICS[by].title} over {curve.knob}, the other knobs as they stand"
    return said + ("; dashed: where both cost the same." if curve.even is not None else ".")


def caption_of_map(map: KnobMap, by: str) -> str:
    """What a map shows."""
    found = [value for row in map.values for value in row if value is not None]
    besides = ", which set other knobs too" if any("=" in names for _, _, names in map.marks) else ""
    marks = f" Circles: presets{besides}." if map.marks else ""
    spread = "" if not found else " The stronger the colour, the more."
    return f"{METRICS[by].title} over {map.knobs[0]} and {map.knobs[1]}, the others as they stand.{spread}{marks}"
