"""A table with other columns: its own, and metrics that it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from costcalc.analysis.columns import read_columns
from costcalc.analysis.cost import cost_of
from costcalc.analysis.metric_names import metric_of, why_not_counted
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.errors import UsageError
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Table
from costcalc.text import split_names


def select(result: Result, columns: Sequence[str] | str) -> Table:
    """The table of a result with these columns in this order, `select(costcalc.scale("lenet5", "batch", macs="1M"),
    "batch,macs,peak_bytes")`: its own, and where each row sets knobs any metric that is counted.

    Raises UnknownName for a column that does not exist, UsageError for a metric that the rows do not have.
    """
    return select_columns(result.table(), columns, result.model_of_rows)


def select_columns(table: Table, columns: Sequence[str] | str, model: Model | None = None, hint: str = "") -> Table:
    """The table with these columns in this order: its own, and any metric of the `model` at each row's knobs.

    Raises UnknownName for a column that does not exist; UsageError for a metric that is measured, or without a model,
    with a `hint`.
    """
    own = {word for column in table.columns for word in (column.key, column.title)}
    names = split_names(columns)
    if model is None and (others := [name for name in names if name in METRICS and name not in own]):
        raise UsageError(f"{others[0]} is not a column of this table{hint}")
    shown = read_columns(names, table.columns, metrics=METRICS if model else ())
    more = [column.key for column in shown if column.key in METRICS and column.key not in own]
    if model is None or not more:
        return replace(table, columns=tuple(shown))
    for name in more:
        metric_of(name, unless=why_not_counted)
    rows = [{**row, **_counted(model, row, more)} for row in table.rows]
    counts = (note for note in metric_notes(more, model.dtype, model.step) if note not in table.notes)
    return replace(table, columns=tuple(shown), rows=rows, notes=[*table.notes, *counts])


def _counted(model: Model, row: dict[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    """Metrics of the model at the knobs of a row."""
    cost = cost_of(model.at({knob: row[knob] for knob in model.knobs if row.get(knob) is not None}))
    return {metric: cost.total(metric) for metric in metrics}
