"""Tables as JSON and CSV, for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import repeat
from json.encoder import encode_basestring as quoted
from types import SimpleNamespace
from typing import Any

from costcalc.table.cells import Worded, is_plain, is_visible, plain_number, plain_shape, visible
from costcalc.table.data import Column, LazySequence, TableData
from costcalc.text import as_float, value_text

STREAMED_LEVELS = 2  # of a document that is written item by item: its fields, and the layers or points in one
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that starts with one of these


def json_pieces(document: Any) -> Iterator[str]:
    r"""The document piece by piece, as `json.dumps` indents it: whole numbers exact, other numbers as floats,
    symbols as text, hidden characters as \uXXXX."""
    yield from map(_without_hidden, _streamed(document, "\n", STREAMED_LEVELS))
    yield "\n"


def _without_hidden(text: str) -> str:
    if is_plain(text.replace("\n", "")):
        return text
    hidden = [sign for sign in {*text} if sign != "\n" and not is_visible(sign)]
    return text.translate({ord(sign): json.dumps(sign)[1:-1] for sign in hidden})


def _streamed(value: Any, line: str, levels: int) -> Iterator[str]:
    """JSON of a value, item by item for so many levels of lists and dicts. Each line begins with `line`."""
    if not levels or not isinstance(value, (dict, list, tuple, LazySequence)) or not value:
        yield _json(value, line)
        return
    inner = f"{line}  "
    start, end = "{}" if isinstance(value, dict) else "[]"
    for key, item in value.items() if isinstance(value, dict) else zip(repeat(None), value):
        yield f"{start}{inner}" if key is None else f"{start}{inner}{quoted(str(key))}: "
        yield from _streamed(item, inner, levels - 1)
        start = ","
    yield f"{line}{end}"


def _json(value: Any, line: str) -> str:
    if value.__class__ is int:  # the common case: faster than the checks below
        return int.__repr__(value)
    if value.__class__ is str:
        return quoted(value)
    if isinstance(value, (dict, list, tuple, LazySequence)):
        inner = f"{line}  "
        if isinstance(value, dict):
            entries = [f"{quoted(str(key))}: {_json(item, inner)}" for key, item in value.items()]
            return f"{{{inner}{f',{inner}'.join(entries)}{line}}}" if entries else "{}"
        items = [_json(item, inner) for item in value]
        return f"[{inner}{f',{inner}'.join(items)}{line}]" if items else "[]"
    if isinstance(value, (set, frozenset)):
        return _json(sorted(map(str, value)), line)
    return quoted(value) if isinstance(value, str) else _json_number(value)


def _json_number(value: Any) -> str:
    """A number; a formula as text; null for a number that no float can hold."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Fraction):  # the value of a real knob: a float even where it is whole
        number: int | float | None = as_float(value)
    elif (number := plain_number(value)) is None:
        return quoted(str(value))
    if isinstance(number, int):
        return int.__repr__(number)
    return float.__repr__(number) if number is not None and math.isfinite(number) else "null"


def csv_lines(table: TableData) -> Iterator[str]:
    """A table line by line, with the keys of its columns as header."""
    echo: Any = SimpleNamespace(write=str)  # `writerow` returns what `write` does: the line
    line: Any = csv.writer(echo, lineterminator="\n").writerow
    yield line([_harmless(column.key) for column in table.columns])
    for row in table.rows:
        yield line([csv_cell(row.get(column.key), column) for column in table.columns])


def csv_cell(value: Any, column: Column) -> str:
    """A value in a CSV: numbers in full, shapes as torch has them, text that no spreadsheet runs."""
    if value.__class__ is int:
        return str(value)
    if value.__class__ is str:
        return _harmless(value)
    if value is None:
        return ""
    if isinstance(value, Worded):
        return csv_cell(value.plain, column)
    if column.kind == "shape":
        return _harmless(plain_shape(value))
    if isinstance(value, bool):
        return str(value).lower()
    number = plain_number(value)
    return str(number) if number is not None else _harmless(value_text(value))


def _harmless(text: str) -> str:
    return f"'{visible(text)}" if text.startswith(FORMULA_SIGNS) else visible(text)
