"""The list of all specs and presets."""

from __future__ import annotations

import re

from costcalc.errors import UnknownName, UsageError, shorten
from costcalc.result import TableResult
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.library import Entry, entries
from costcalc.table import Column, Table


def specs(*words: str) -> TableResult:
    """Every spec of the library, each followed by its presets; by lecture, those of none last. With `words`, those that
    have all of them in a name or in what they are, or are of a lecture, `lecture 4`; a preset has those of its spec
    too. Raises UnknownName if none has them, UsageError for an empty word."""
    if "" in map(str.strip, words):
        raise UsageError("an empty word finds everything; `costcalc list` alone lists all")
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
    numbers = sorted({entry.lecture for entry in listed if entry.lecture})
    titles = ", ".join(f"{number} {LECTURES[number - 1]}" for number in numbers)
    note = f"{'lectures' if len(numbers) > 1 else 'lecture'}: {titles}; `costcalc lecture` goes through all twelve"
    table = Table("", columns, rows, None, [note] if numbers else [])
    return TableResult(table, {"specs": table.to_records()})


def _has(entry: Entry, words: tuple[str, ...]) -> bool:
    asked = " ".join(words).casefold()
    if of := re.fullmatch(r"lecture (\d+)", asked):
        return entry.lecture == int(of[1])
    text = f"{entry.spec} {entry.name} {entry.title}".casefold()
    return all(word.casefold() in text for word in words)
