"""Columns as they are asked for: `name,out,macs,peak_bytes`, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from costcalc.analysis.metrics import METRICS
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.table import Column


def metric_column(name: str, rank: int = 0) -> Column:
    """The column of a metric. On a narrow terminal columns of the highest rank go first."""
    return Column(name, METRICS[name].title, METRICS[name].kind, rank)


def read_columns(given: Sequence[str] | str, known: Iterable[Column], *, metrics: Iterable[str] = ()) -> list[Column]:
    """The columns of these keys or titles, in their order: of those that a table has, and of these metrics.

    Raises UnknownName for one that there is not, UsageError for one that is named twice.
    """
    there = {word: column for column in known for word in (column.title, column.key)}
    there |= {name: metric_column(name) for name in metrics if name not in there}
    found: list[Column] = []
    for name in given.split(",") if isinstance(given, str) else given:
        if name.strip() not in there:
            raise UnknownName(unknown("column", name.strip(), dict.fromkeys(c.key for c in there.values())))
        if there[name.strip()] in found:
            raise UsageError(f"column {name.strip()} is there twice; name each once")
        found.append(there[name.strip()])
    return found


def metrics_in(columns: Iterable[Column]) -> list[str]:
    """The metrics that these columns show."""
    return [column.key for column in columns if column.key in METRICS]
