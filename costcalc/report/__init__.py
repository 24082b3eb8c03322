"""Formatting: the only room that prints numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from costcalc.table import Table


def emit(tables: Sequence[Table], document: Any, *, format: str | None = None, output: Path | None = None) -> None:
    """Writes tables, or the JSON document behind them, to stdout or a file."""
    if format == "json":
        print(json.dumps(document, indent=2, default=str, ensure_ascii=False))
        return
    for table in tables:
        print(table.title)
        for row in [*table.rows, *([table.totals] if table.totals else [])]:
            print("  ".join(table.texts(row)))
        print(*table.notes, sep="\n")
