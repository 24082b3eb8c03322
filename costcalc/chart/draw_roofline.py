"""Draws a roofline: the ceilings of a device, and layers below them, marked by kind, as large as the time they take."""

from __future__ import annotations

from typing import Any

from costcalc.chart.axes import ACCENT, FONT_SIZE, INK, figure, label, label_axes, write_notes
from costcalc.chart.chart_data import Axis, RooflineData, TimedLayer, short_number
from costcalc.chart.point_labels import Obstacles, label_points

KINDS = (  # marker and colour: no two share one of both
    ("o", ACCENT), ("s", "#e08a3c"), ("^", "#222222"), ("D", "#9cc3ea"), ("v", "#5f6b3a"), ("P", "#6a4c93"),
    ("X", "#b5431c"), ("*", "#999999"),
)  # fmt: skip
LARGEST_AREA, SMALLEST_AREA = 220, 8  # square points, of the layer that takes longest and of the shortest
WHOLE_AREA = 150  # of the ring of the whole network
MAX_NAMED = 6  # layers
HEIGHT = 5.0  # inches, without notes
ROOM = 2.5  # times the least and the most of the layers, to the edges


def draw_roofline(chart: RooflineData) -> Any:
    drawing, ((axes,),) = figure(chart, height=HEIGHT)
    write_notes(drawing, chart.notes)
    longest = max((layer.seconds for layer in chart.layers), default=1.0)
    for (marker, color), (kind, layers) in zip(KINDS, by_kind(chart).items()):
        axes.scatter(
            [each.intensity for each in layers], [each.rate for each in layers],
            [(2 * _radius(each, longest)) ** 2 for each in layers], marker=marker, c=color,
            alpha=0.75, edgecolors="white", linewidths=0.5, label=label(f"{kind} ({len(layers)})"), zorder=4,
        )  # fmt: skip
    axes.scatter(
        [chart.whole.intensity], [chart.whole.rate], WHOLE_AREA, marker="o", facecolors="none", edgecolors=INK,
        linewidths=1.4, label="the whole network", zorder=5,
    )  # fmt: skip
    label_axes(axes, Axis("MACs for each byte moved", log=True), Axis("MACs a second", log=True))
    ends = _limits(axes, chart)
    ceilings = _draw_ceilings(axes, chart, *ends)
    axes.grid(color="0.92", linewidth=0.6)
    axes.set_axisbelow(True)
    _legend(axes)
    named = [(each.intensity, each.rate, each.name) for each in largest(chart)]
    rest = [each for each in chart.layers if each not in largest(chart)]
    others = [(each.intensity, each.rate, _radius(each, longest)) for each in rest]
    others.append((chart.whole.intensity, chart.whole.rate, WHOLE_AREA**0.5 / 2))
    radii = [_radius(each, longest) for each in largest(chart)]
    label_points(axes, named, Obstacles(others, ceilings), radii)
    return drawing


def _radius(layer: TimedLayer, longest: float) -> float:
    """Half the width of a mark in points of type."""
    return float(max(SMALLEST_AREA, LARGEST_AREA * layer.seconds / longest) ** 0.5 / 2)


def by_kind(chart: RooflineData) -> dict[str, list[TimedLayer]]:
    """The layers by kind, the kind that takes longest first; if there are more kinds than marks, the last together."""
    found: dict[str, list[TimedLayer]] = {}
    for layer in chart.layers:
        found.setdefault(layer.kind, []).append(layer)
    order = sorted(found, key=lambda kind: -sum(layer.seconds for layer in found[kind]))
    shown = order if len(order) <= len(KINDS) else order[: len(KINDS) - 1]
    rest = [layer for kind in order[len(shown) :] for layer in found[kind]]
    return {kind: found[kind] for kind in shown} | ({"others": rest} if rest else {})


def largest(chart: RooflineData) -> list[TimedLayer]:
    """The layers that take longest, and are named."""
    return sorted(chart.layers, key=lambda layer: -layer.seconds)[:MAX_NAMED]


def _limits(axes: Any, chart: RooflineData) -> tuple[float, float]:
    """Sets the limits: all layers, the ridge between the ceilings, and room around them. Returns those of x."""
    ridge = chart.macs_per_second / chart.bytes_per_second
    every = (*chart.layers, chart.whole)
    low, high = min([ridge, *(each.intensity for each in every)]), max([ridge, *(each.intensity for each in every)])
    axes.set_xlim(low / ROOM, high * ROOM)
    least = min(each.rate for each in every)
    axes.set_ylim(least / ROOM, ROOM * max([chart.macs_per_second, *(each.rate for each in every)]))
    return low / ROOM, high * ROOM


def _draw_ceilings(axes: Any, chart: RooflineData, low: float, high: float) -> list[Any]:
    """Draws the two ceilings. Returns the ends of each."""
    ridge = chart.macs_per_second / chart.bytes_per_second
    roofs = (
        ([ridge, high], "-", f"large matrix product:\n{short_number(chart.macs_per_second)}MAC/s"),
        ([low, ridge], "--", f"large copy:\n{short_number(chart.bytes_per_second)}B/s"),
    )
    drawn = []
    for xs, style, text in roofs:
        ys = [chart.ceiling(x) for x in xs]
        axes.plot(xs, ys, linestyle=style, color=INK, linewidth=1.4, label=text, zorder=3)
        drawn.append([*zip(xs, ys)])
    return drawn


def _legend(axes: Any) -> None:
    """The marks beside the axes, all of one size."""
    found = axes.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=FONT_SIZE, labelspacing=0.8
    )  # fmt: skip
    for handle in found.legend_handles:
        if hasattr(handle, "set_sizes"):
            handle.set_sizes([40])
