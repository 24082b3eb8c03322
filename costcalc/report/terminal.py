"""Standard output: a terminal with colours and a width, or a pipe with neither."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from costcalc.table.aligned import Styled, lines

if TYPE_CHECKING:
    from costcalc.table import Table

STYLES = {
    "title": "bold", "head": "bold cyan", "rule": "dim", "total": "bold", "zero": "dim", "large": "yellow", "note": "",
    "fine": "dim", "": "",
}  # fmt: skip
LINES_AT_ONCE = 1000  # for one call of rich, which takes longer than a line


def is_used() -> bool:
    """Is standard output a terminal, or does FORCE_COLOR ask for colours without one?"""
    return sys.stdout is not None and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))


def show(tables: Sequence[Table]) -> None:
    """Prints tables with colours, in the width of the terminal. Their text is never read as markup."""
    from rich.console import Console
    from rich.segment import Segment, Segments
    from rich.style import Style

    console = Console(markup=False, emoji=False, highlight=False)
    width = console.width if sys.stdout.isatty() else None  # a pipe hides nothing
    rule = "─" if console.encoding.startswith("utf") else "-"
    styles = {name: Style.parse(words) for name, words in STYLES.items()}
    printed = lines(tables, width, rule)
    while some := [*islice(printed, LINES_AT_ONCE)]:
        parts = ((part, styles[name]) for line in some for part, name in (*_stripped(line), ("\n", "")))
        console.print(Segments(Segment(part, style) for part, style in parts), soft_wrap=True, end="")


def _stripped(line: list[Styled]) -> list[Styled]:
    """A line without the spaces at its end."""
    while line and not line[-1][0].rstrip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else []


def show_page(text: str) -> None:
    """Prints Markdown as it is meant, in the width of the terminal. It is a page of ours, and no reader's text."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def show_lines(lines: Callable[[int, bool], Iterable[str]]) -> None:
    """Prints lines below an empty one; nothing without lines. `lines` makes them for a width in characters, with or
    without block characters."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    for number, line in enumerate(lines(console.width, console.encoding.startswith("utf"))):
        console.print("\n" * (not number) + line, soft_wrap=True)
