"""Formatting: the only room that prints numbers.

- table: aligned text; on a terminal with colours, and without the columns that do not fit
- json: the document behind the tables, integers exact
- csv: the rows of the first table, numbers in full; without totals, so that a column can be added up
- markdown, latex: the tables as shown
- mermaid, dot: one network as boxes with their costs
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.table import NO_FLOAT, LatexFloat, formats

if TYPE_CHECKING:
    from costcalc.table import Table

DRAWINGS = ("mermaid", "dot")
FORMATS = (*formats.FORMATS, *DRAWINGS)
SUFFIXES = {**formats.SUFFIXES, ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}


_hushed = [False]
_clear_progress: list[Callable[[], None]] = []  # at most one


def hush(quiet: bool) -> None:
    """Says whether nothing but results, warnings and errors is asked for: no progress, no notes on stderr."""
    _hushed[0] = quiet


def is_hushed() -> bool:
    """Is nothing but results, warnings and errors asked for?"""
    return _hushed[0]


def set_clear_progress(end: Callable[[], None] | None) -> None:
    """Sets the function that removes the line of progress before anything is printed; None: there is no line."""
    _clear_progress[:] = [end] if end else []


def clear_progress() -> None:
    """Removes the line of progress, before results are printed."""
    for end in _clear_progress:
        end()


def emit(
    tables: Sequence[Table], document: Any, *, format: str | None = None, output: Path | None = None,
    floating: LatexFloat = NO_FLOAT,
) -> None:  # fmt: skip
    """Writes tables, or the JSON document behind them, to stdout or a file. In LaTeX the first may float.

    Without a format it is that of the file's suffix, or a table. Raises UnknownName for a format or suffix that
    does not exist, OSError for a file that cannot be written.
    """
    format = format_of(format, output)
    if format == "csv":
        _note_other_tables(tables)
    if output is not None and str(output) != "-":
        from costcalc.files import write

        write(output, pieces(tables, document, format, floating))
        return
    from costcalc.report import terminal

    clear_progress()
    if format == "table" and terminal.is_used():
        terminal.show(tables)
    else:
        for piece in pieces(tables, document, format, floating):
            put(piece)


def put(text: str) -> None:
    """Prints text as it is. Raises OSError without a standard output."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    clear_progress()
    sys.stdout.write(text)


def _note_other_tables(tables: Sequence[Table]) -> None:
    """Prints to stderr which of the tables a CSV leaves out."""
    from costcalc.table import main_table, visible

    left_out = [table for table in tables if table.columns and table is not main_table(tables)]
    if left_out and not is_hushed():
        others = "; ".join(visible(table.title) or "another table" for table in left_out)
        print(f"note: a CSV holds one table; -f json also has: {others}", file=sys.stderr)


def text(tables: Sequence[Table], document: Any, format: str) -> str:
    """The tables, or the document behind them, as the text of a file."""
    return "".join(pieces(tables, document, format))


def pieces(tables: Sequence[Table], document: Any, format: str, floating: LatexFloat = NO_FLOAT) -> Iterator[str]:
    """The text of the tables, or of the document behind them, in one of `FORMATS`: in pieces, because the whole text
    may not fit into memory. Of a drawing the document is its sketch."""
    if format not in DRAWINGS:
        return formats.pieces(tables, document, format, floating)
    from costcalc.drawing.diagram import diagram

    return diagram(document, format)


def is_parquet(format: str | None, output: Path | None) -> bool:
    """Does the suffix of the file ask for Parquet, and no format by name for another?"""
    return format is None and output is not None and output.suffix.lower() == ".parquet"


def format_of(format: str | None, output: Path | None, others: str = "") -> str:
    """The format by name, else by the file's suffix. Raises UnknownName, whose message also lists the suffixes
    `others`."""
    from costcalc.errors import unknown

    if format is not None:
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        return format
    if output is None or str(output) == "-":
        return "table"
    return formats.format_of_suffix(output, SUFFIXES, f"{others and f' {others}'}, or give --format")
