"""Tables as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from costcalc.table.bars import BAR_WIDTH, bar
from costcalc.table.cells import visible
from costcalc.table.data import TableData

AS_TEXT = "font-family:monospace;white-space:pre"  # of the lines of trees, and of bars


def html(table: TableData) -> str:
    """The table with its title as caption, its notes below."""
    styles = [f"text-align:{column.align}" for column in table.columns]
    drawn = [f"{style};{AS_TEXT}" if column.bar else style for style, column in zip(styles, table.columns)]

    def line(texts: Sequence[str], tag: str, styles: Sequence[str] = styles) -> str:
        cells = (f'<{tag} style="{style}">{escape(text)}</{tag}>' for text, style in zip(texts, styles))
        return f"<tr>{''.join(cells)}</tr>"

    def row_line(row: dict[str, Any]) -> str:
        texts = [
            f"{bar(text, BAR_WIDTH)} {text:>7}" if one.bar and text else text
            for text, one in zip(table.texts(row), table.columns)
        ]
        if "guide" not in row:
            return line(texts, "td", drawn)
        return line([f"{row['guide']}{texts[0]}", *texts[1:]], "td", [f"{drawn[0]};{AS_TEXT}", *drawn[1:]])

    head = line([visible(column.title) for column in table.columns], "th")
    body = "".join(map(row_line, table.rows))
    foot = f"<tfoot>{line(table.texts(table.totals), 'th')}</tfoot>" if table.totals else ""
    caption = f"<caption>{escape(visible(table.title))}</caption>" if table.title else ""
    grid = f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"
    return grid + paragraphs(table.note_lines())


def paragraphs(texts: Iterable[str]) -> str:
    """Each text as a paragraph of its own."""
    return "".join(f"<p>{escape(visible(text))}</p>" for text in texts)
