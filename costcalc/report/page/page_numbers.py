"""The table of numbers at the top of a page: a row for each metric, its value in each network, and ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.analysis.metrics import METRICS
from costcalc.dims import is_rational
from costcalc.report.page.closed_forms import law_of
from costcalc.report.page.comparison_view import ComparisonView
from costcalc.report.page.exact_texts import exact_text
from costcalc.report.page.network_view import NetworkView
from costcalc.table import bytes_text, short_text, visible
from costcalc.text import power_text

LAW = "law"  # the MACs by a power law


class NumberCell(NamedTuple):
    """A metric of one network: its exact value, about how much that is, and the ratio."""

    id: str
    exact: str
    about: str
    factor: str
    is_formula: bool


class NumberRow(NamedTuple):
    """A metric of all networks."""

    title: str
    unit: str
    cells: Sequence[NumberCell]


def number_rows(
    shown: Sequence[str], views: Sequence[NetworkView], comparison: ComparisonView | None
) -> list[NumberRow]:
    """The rows of these metrics."""
    return [_row(at, metric, views, comparison) for at, metric in enumerate(shown)]


def _row(at: int, metric: str, views: Sequence[NetworkView], comparison: ComparisonView | None) -> NumberRow:
    if metric == LAW:
        title, unit = _law(views[0]), f"an estimate from {visible(views[0].model.label)}, rounded"
    else:
        title, unit = METRICS[metric].title, METRICS[metric].unit
    cells = [_cell(f"{view.number}-{at}", metric, view, comparison) for view in views]
    return NumberRow(title, unit, cells)


def _cell(id: str, metric: str, view: NetworkView, comparison: ComparisonView | None) -> NumberCell:
    value = view.total("macs" if metric == LAW else metric)
    if comparison is None:
        factor = "=" if is_rational(value) and value else ""
    else:
        factor = comparison.factor(view.number, metric)
    return NumberCell(id, exact_text(value), about_text(metric, value), factor, not is_rational(value))


def _law(view: NetworkView) -> str:
    powers = law_of(view.model, view.closed.knobs if view.closed else ())
    return f"MACs by {'·'.join(power_text(knob, power) for knob, power in powers.items())}"


def about_text(metric: str, value: Any) -> str:
    """`120.4 M`, `600 KiB`"""
    if not is_rational(value):
        return ""
    return bytes_text(value) if metric != LAW and METRICS[metric].unit == "bytes" else short_text(int(value))
