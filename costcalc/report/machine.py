"""What programs read: JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction
from typing import Any

from costcalc.table import Column, Table, is_visible, plain_number, shape_text, visible
from costcalc.text import as_float, value_text

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that starts with one of these


def json_text(document: Any) -> str:
    r"""The document: whole numbers exact, other numbers as floats, letters as text, hidden characters as \uXXXX."""
    text = json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    hidden = [sign for sign in {*text} if sign != "\n" and not is_visible(sign)]
    return text.translate({ord(sign): json.dumps(sign)[1:-1] for sign in hidden})


def plain(value: Any) -> Any:
    """A value in the types that JSON has."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, Fraction):  # the value of a real knob: a float even where it is whole
        return as_float(value)
    number = plain_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        return None
    return str(value) if number is None else number


def csv_text(table: Table) -> str:
    """A table with the keys of its columns as header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_harmless(column.key) for column in table.columns])
    writer.writerows([[csv_cell(row.get(column.key), column) for column in table.columns] for row in table.rows])
    return out.getvalue()


def csv_cell(value: Any, column: Column) -> str:
    """A value as it stands in a CSV: numbers in full, text that no spreadsheet runs."""
    if value is None:
        return ""
    if column.kind == "shape":
        return _harmless(shape_text(value))
    if isinstance(value, bool):
        return str(value).lower()
    number = plain_number(value)
    return str(number) if number is not None else _harmless(value_text(value))


def _harmless(text: str) -> str:
    return f"'{visible(text)}" if text.startswith(FORMULA_SIGNS) else visible(text)
