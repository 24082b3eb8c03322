"""Reads a list of columns, `name,out,macs,peak_bytes`, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from costcalc.analysis.metric_names import check_not_quoted
from costcalc.analysis.metrics import METRICS
from costcalc.errors import UsageError, unknown
from costcalc.table import COUNT, IN_BYTES, Column, Worded
from costcalc.text import split_names


def metric_column(name: str, rank: int = 0) -> Column:
    """The column of a metric; `rank` as in Column."""
    return Column(name, METRICS[name].title, METRICS[name].kind, rank, measure_of(name))


def metric_cell(name: str) -> Worded:
    """The name of a metric as a value: its title in tables, the name in CSV."""
    return Worded(METRICS[name].title, name)


def measure_of(metric: str) -> str:
    """What the numbers of a metric are: counts, bytes, or neither."""
    if METRICS[metric].kind != "int" or METRICS[metric].path:
        return ""
    return IN_BYTES if METRICS[metric].unit == "bytes" else COUNT


def read_columns(given: Sequence[str] | str, known: Iterable[Column], *, metrics: Iterable[str] = ()) -> list[Column]:
    """The columns with these keys or titles, in the order given, out of the `known` ones and those of `metrics`; a
    narrow terminal breaks names before it drops one of them, the last one first.

    Raises UnknownName for a column that does not exist, UsageError for one that is named twice.
    """
    there = {word: column for column in known for word in (column.title, column.key)}
    there |= {name: metric_column(name) for name in metrics if name not in there}
    found: list[Column] = []
    for name in split_names(given):
        if name not in there:
            check_not_quoted(name)
            raise unknown("column", name, dict.fromkeys(column.key for column in there.values()))
        if there[name] in found:
            raise UsageError(f"column {name} is there twice; name each once")
        found.append(there[name])
    return [replace(column, rank=at - len(found) if at else 0) for at, column in enumerate(found)]


def metrics_in(columns: Iterable[Column]) -> list[str]:
    """The metrics among these columns."""
    return [column.key for column in columns if column.key in METRICS]
