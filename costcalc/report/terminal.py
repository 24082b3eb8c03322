"""Standard output: a terminal with colours and a width, or a pipe that gets everything."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

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
    rule = "─" if console.encoding.startswith("utf") else "-"
    for line in lines(tables, width, rule):
        text = Text.assemble(*[(part, STYLES[style]) for part, style in line])
        text.rstrip()
        console.print(text, soft_wrap=True)


def show_lines(lines: Callable[[int, bool], Iterable[str]]) -> None:
    """Lines for someone who is looking, made for so many columns and with or without block characters; one above them
    is left free. Nothing if there are none."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    for number, line in enumerate(lines(console.width, console.encoding.startswith("utf"))):
        console.print("\n" * (not number) + line, soft_wrap=True)


def put(text: str) -> None:
    """Text as it is."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    sys.stdout.write(text)
