"""The list of all specs and presets."""

from __future__ import annotations

from costcalc.errors import UnknownName, shorten
from costcalc.result import TableResult
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.library import Entry, entries
from costcalc.table import Column, Table


def specs(*words: str) -> TableResult:
    """Every spec of the library, each followed by its presets; by lecture, those of none last. With `words`, those that
    have all of them in a name or in what they are; a preset has those of its spec too. Raises UnknownName if none has
    them."""
    listed = [entry for entry in entries() if _has(entry, words)]
    if not listed:
        raise UnknownName(f"no spec has {' and '.join(map(repr, map(shorten, words)))}", "see `costcalc list`")
    columns = (
        Column("name", "name", "text"),
        Column("kind", "kind", "text", 2),
        Column("lecture", "lecture", "int", 1),
        Column("title", "what it is", "text", 1),
    )
    rows = [
        {**entry._asdict(), "lecture": entry.lecture or None, "indent": int(entry.kind == "preset")}
        for entry in sorted(listed, key=lambda entry: entry.lecture or len(LECTURES) + 1)
    ]
    titles = ", ".join(f"{number} {title}" for number, title in enumerate(LECTURES, 1))
    table = Table("", columns, rows, None, [f"lectures: {titles}; `costcalc lecture` goes through them"])
    return TableResult(table, {"specs": table.to_records()})


def _has(entry: Entry, words: tuple[str, ...]) -> bool:
    text = f"{entry.spec} {entry.name} {entry.title}".casefold()
    return all(word.casefold() in text for word in words)
