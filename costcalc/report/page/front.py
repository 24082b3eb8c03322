"""The Pareto front of a grid, with the presets beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from costcalc.analysis.power_laws import compound_knobs, knob_exponents
from costcalc.analysis.scaling.presets import PresetSweep
from costcalc.analysis.sweep.points import Points, pareto_front
from costcalc.analysis.sweep.sweep_chart import metric_axis
from costcalc.analysis.sweep.sweep_result import Sweep
from costcalc.chart import Axis, Group, Mark, Scatter
from costcalc.models.model import Model
from costcalc.report.page.figures import Figure, inline
from costcalc.text import plural, power_text, short_names


def trade_off(found: Sweep, presets: PresetSweep | None) -> Figure:
    """The points of a grid and their front: the largest networks for the fewest MACs."""
    size = NetworkSize.of(found)
    xs, ys = found.columns["macs"].tolist(), size.over(found.columns)
    groups = [
        Group("points of the grid", tuple(map(Mark, xs, ys)), "dots"),
        Group(f"no other has more {size.name} for fewer MACs", _front(found.columns["macs"], ys), "steps"),
    ]
    if presets:
        names = short_names([row["preset"] for row in presets.rows])
        columns = {k: [row.get(k, presets.model.values.get(k)) for row in presets.rows] for k in (*size.law, "params")}
        macs = [row["macs"] for row in presets.rows]
        groups.append(Group("presets", tuple(map(Mark, macs, size.over(columns), names))))
    chart = Scatter(f"{size.name} against MACs", metric_axis("macs", log=True), size.axis, tuple(groups))
    said = f"those than which no other has more {size.name} for fewer MACs"
    return Figure(
        "front", inline(chart, "front"), f"{plural(len(found), 'point')} of the grid, and their Pareto front: {said}."
    )


class NetworkSize:
    """How large a network is: the product of the power law of its knobs, relative to the network as it is set; without
    a law its params."""

    def __init__(self, model: Model, law: Sequence[str]):
        self.model, self.law = model, law
        self.name = "·".join(power_text(knob, knob_exponents(model)[knob]) for knob in law) if law else "params"
        unit = "times that of the network as it is set"
        self.axis = Axis(self.name, unit, log=True) if law else metric_axis("params", log=True)

    @classmethod
    def of(cls, found: Sweep) -> NetworkSize:
        """The size by the law if the sweep has at least two of its knobs, else by params."""
        law = [knob for knob in compound_knobs(found.model) if knob in found.columns]
        return cls(found.model, law if len(law) > 1 else [])

    def over(self, columns: Mapping[str, Any]) -> list[Any]:
        """The size of each point: the product of the law's knobs if it has several, else its params."""
        if not self.law:
            return [*map(int, columns["params"])]
        sizes = [Fraction(1)] * len(columns[self.law[0]])
        for knob in self.law:
            start, power = Fraction(self.model.values[knob]), knob_exponents(self.model)[knob]
            steps = {value: (Fraction(value) / start) ** power for value in {*columns[knob]}}
            sizes = [size * steps[value] for size, value in zip(sizes, columns[knob])]
        return sizes


def _front(macs: Any, sizes: list[Any]) -> tuple[Mark, ...]:
    ys = np.empty(len(sizes), dtype=object)
    ys[:] = sizes
    best = pareto_front(Points({"x": macs, "y": ys}), (("x", False), ("y", True)))
    return tuple(sorted(map(Mark, best.columns["x"].tolist(), best.columns["y"].tolist()), key=lambda mark: mark.x))
