"""The list of all specs and presets."""

from __future__ import annotations

from costcalc.result import TableResult
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.library import entries
from costcalc.table import Column, Table


def specs() -> TableResult:
    """Every spec of the library, each followed by its presets; by lecture, those of none last."""
    columns = (
        Column("name", "name", "text"),
        Column("kind", "kind", "text", 2),
        Column("lecture", "lecture", "int", 1),
        Column("title", "what it is", "text", 1),
    )
    rows = [
        {**entry._asdict(), "lecture": entry.lecture or None, "indent": int(entry.kind == "preset")}
        for entry in sorted(entries(), key=lambda entry: entry.lecture or len(LECTURES) + 1)
    ]
    titles = ", ".join(f"{number} {title}" for number, title in enumerate(LECTURES, 1))
    table = Table("", columns, rows, None, [f"lectures: {titles}; `costcalc lecture` goes through them"])
    return TableResult(table, {"specs": table.to_records()})
