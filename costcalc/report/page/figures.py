"""The pictures of a page, as parts of an HTML document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from costcalc.analysis.power_laws import knob_exponents
from costcalc.analysis.scaling.presets import PresetSweep
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.point_query import PointQuery
from costcalc.analysis.sweep.sweep import sweep
from costcalc.analysis.sweep.sweep_chart import curves, heat_map
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.chart import MAX_NUMBERED_VALUES, Chart, Mark, are_numbers
from costcalc.errors import ShapeError
from costcalc.models.model import Model
from costcalc.text import equations_text, power_text, short_names

MAX_MAPS = 3  # pairs of knobs
CURVE_METRICS = ("params", "macs")


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, with its caption."""

    name: str
    svg: str
    caption: str


def inline(chart: Chart, name: str) -> str:
    """The picture as SVG for an HTML page: it scales, its ids are its own, and it refers to nothing outside."""
    text = chart.svg()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    width, height = (re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', text)[1] for side in ("width", "height"))  # type: ignore[index]
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace("xlink:href=", "href=")
    return re.sub(
        r"<svg[^>]*>",
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-caption">',
        text,
        count=1,
    )


def maps(model: Model, axes: Mapping[str, Any], presets: PresetSweep | None) -> Iterator[Figure]:
    """Heat maps of the MACs over each two of the swept knobs, the others as they are set."""
    pairs = [*combinations([name for name, values in axes.items() if len(values) > 1], 2)]
    for number, (x, y) in enumerate(pairs[:MAX_MAPS]):
        found = _sweep_over(model, {x: axes[x], y: axes[y]})
        if found is None:
            continue
        numbers = are_numbers((*axes[x], *axes[y]))
        marks = preset_marks(presets, x, y, axes) if presets and numbers else ()
        chart = replace(heat_map(found, x, y, "macs", marks), title=f"MACs over {x} and {y}")
        said = f"MACs over {x} and {y}; {_fixed(model, (x, y))}."
        said += " The lines join networks of equal cost." * (
            numbers and max(map(len, (axes[x], axes[y]))) > MAX_NUMBERED_VALUES
        )
        if marks:
            said += f" Circles: the {x} and {y} of the presets, whose other knobs need not be those of this map."
        yield Figure(f"map-{number}", inline(chart, f"map-{number}"), said)


def _sweep_over(model: Model, axes: Mapping[str, Any]) -> Sweep | None:
    """The sweep over these knobs, the others as they are set; None if all its points are invalid."""
    try:
        return sweep(model, Grid(axes), PointQuery())
    except ShapeError:
        return None


def preset_marks(presets: PresetSweep, x: str, y: str, axes: Mapping[str, Any]) -> tuple[Mark, ...]:
    """The presets within the range of two knobs of a grid; those at one place share a mark."""
    names = short_names([row["preset"] for row in presets.rows])
    found: dict[tuple[Any, Any], list[str]] = {}
    for row, name in zip(presets.rows, names):
        at = row.get(x, presets.model.values[x]), row.get(y, presets.model.values[y])
        if all(min(axes[knob]) <= value <= max(axes[knob]) for knob, value in zip((x, y), at)):
            found.setdefault(at, []).append(name)
    return tuple(Mark(*at, first + f" +{len(more)}" * bool(more)) for at, (first, *more) in found.items())


def knob_curves(model: Model, axes: Mapping[str, Any]) -> Iterator[Figure]:
    """Curves of params and MACs over each knob, the others as they are set."""
    for number, (knob, values) in enumerate(axes.items()):
        if len(values) == 1:
            continue
        found = _sweep_over(model, {knob: values})
        if found is None:
            continue
        chart = curves(found, knob, CURVE_METRICS)
        said = f"Params and MACs over {knob} alone; {_fixed(model, (knob,))}."
        if knob in knob_exponents(model):
            said += f" Dashed: MACs that grow with {power_text(knob, knob_exponents(model)[knob])}, as is often said."
        chart = replace(chart, title=f"over {knob}")
        yield Figure(f"curve-{number}", inline(chart, f"curve-{number}"), said)


def named_presets(presets: PresetSweep) -> Figure:
    """Params against MACs of the presets."""
    chart = replace(presets.chart(), title="params against MACs")
    return Figure("presets", inline(chart, "presets"), "Params against MACs of the presets, exact and as published.")


def _fixed(model: Model, swept: tuple[str, ...]) -> str:
    return equations_text(model.values_but(swept))
