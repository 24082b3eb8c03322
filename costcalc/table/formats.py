"""The formats of tables, by name and by the suffix of a file, each written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from costcalc.errors import UnknownName
from costcalc.table.data import NO_FLOAT, LatexFloat, TableData, main_table

FORMATS = ("table", "json", "csv", "markdown", "latex")
SUFFIXES = {
    ".txt": "table", ".json": "json", ".csv": "csv", ".md": "markdown", ".markdown": "markdown", ".tex": "latex",
    ".latex": "latex",
}  # fmt: skip


def pieces(tables: Sequence[TableData], document: Any, format: str, floating: LatexFloat = NO_FLOAT) -> Iterator[str]:
    """The text of the tables, or of the JSON document behind them, in one of `FORMATS`, piece by piece to save memory.
    A CSV has the first table with columns only."""
    if format == "json":
        from costcalc.table.json_csv import json_pieces

        return json_pieces(document)
    if format == "csv":
        from costcalc.table.json_csv import csv_lines

        return csv_lines(main_table(tables))
    if format in ("markdown", "latex"):
        from costcalc.table import markup

        return markup.markdown(tables) if format == "markdown" else markup.latex(tables, floating)
    from costcalc.table.aligned import plain_lines

    return plain_lines(tables)


def format_of_suffix(path: Path, suffixes: Mapping[str, str] = SUFFIXES, or_else: str = "") -> str:
    """The format of a file by its suffix. Raises UnknownName, which names the suffixes and what to do `or_else`."""
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        known = f"one of {' '.join(suffixes)}{or_else}"
        raise UnknownName(f"{str(path)!r} has {f'the suffix {suffix!r}' if suffix else 'no suffix'}; use {known}")
    return suffixes[suffix]
