"""Standard output: a terminal with colours and a width, or a pipe that gets everything."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costcalc.report.layout import lines

if TYPE_CHECKING:
    from costcalc.table import Table

STYLES = {
    "title": "bold", "head": "bold cyan", "rule": "dim", "total": "bold", "zero": "dim", "large": "yellow", "note": "",
    "fine": "dim", "": "",
}  # fmt: skip


def wanted() -> bool:
    """Is there a terminal, or someone who wants colours without one?"""
    return sys.stdout is not None and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))


def show(tables: Sequence[Table]) -> None:
    """Tables for someone who is looking. What is data is never read as markup."""
    from rich.console import Console
    from rich.text import Text

    console = Console(markup=False, emoji=False, highlight=False)
    width = console.width if sys.stdout.isatty() else None  # a pipe hides nothing
    for line in lines(tables, width, rules=True):
        text = Text.assemble(*[(part, STYLES[style]) for part, style in line])
        text.rstrip()
        console.print(text, soft_wrap=True)


def put(text: str) -> None:
    """Text as it is. A pipe gets UTF-8 whatever the locale; a terminal what it can show."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        as_bytes: dict[str, Any] = {} if sys.stdout.isatty() else {"encoding": "utf-8", "newline": "\n"}
        sys.stdout.reconfigure(errors="backslashreplace", **as_bytes)
    sys.stdout.write(text)
