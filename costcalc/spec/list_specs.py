"""The list of all specs and presets."""

from __future__ import annotations

from costcalc.result import TableResult
from costcalc.spec.library import entries
from costcalc.table import Column, Table


def specs() -> TableResult:
    """Every spec of the library, each followed by its presets."""
    columns = (
        Column("name", "name", "text"),
        Column("kind", "kind", "text", 2),
        Column("title", "what it is", "text", 1),
    )
    rows = [{**entry._asdict(), "indent": int(entry.kind == "preset")} for entry in entries()]
    table = Table("", columns, rows)
    return TableResult(table, {"specs": table.to_records()})
