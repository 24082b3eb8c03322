"""A picture of presets: their MACs and params, published and exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from costcalc.analysis.metric_names import read_metrics
from costcalc.analysis.reconcile import read_figure
from costcalc.analysis.sweep.sweep_chart import check_columns, metric_axis
from costcalc.chart import Group, Mark, Scatter
from costcalc.models.model import Model
from costcalc.text import short_names


def check_preset_chart(metrics: Sequence[str] | str | None) -> None:
    """Raises the errors of `preset_chart` with these metrics, before presets are counted."""
    check_columns(read_metrics(metrics), "macs", "params")


def preset_chart(model: Model, rows: Sequence[Mapping[str, Any]]) -> Scatter:
    """MACs and params of the presets, published and exact. Raises UsageError if rows lack one of them."""
    check_columns(rows[0], "macs", "params")
    names = short_names([row["preset"] for row in rows])
    exact = tuple(Mark(row["macs"], row["params"], name) for row, name in zip(rows, names))
    pairs = [[_figure(row[f"{metric}_published"]) for metric in ("macs", "params")] for row in rows]
    published = tuple(Mark(macs, params) for macs, params in pairs if macs and params)
    groups = (Group("exact", exact), *([Group("published", published, "rings")] if published else []))
    return Scatter(model.heading, metric_axis("macs", log=True), metric_axis("params", log=True), groups)


def _figure(text: str | None) -> Fraction | None:
    if text is None:
        return None
    digits, unit, _ = read_figure(text, 1000)
    return Fraction(digits) * unit
