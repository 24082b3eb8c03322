"""Tables as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from costcalc.table.cells import visible
from costcalc.table.data import TableData


def html(table: TableData) -> str:
    """The table with its title as caption, its notes below."""
    aligns = [column.align for column in table.columns]

    def line(texts: Sequence[str], tag: str) -> str:
        cells = (f'<{tag} style="text-align:{a}">{escape(t)}</{tag}>' for t, a in zip(texts, aligns))
        return f"<tr>{''.join(cells)}</tr>"

    head = line([visible(column.title) for column in table.columns], "th")
    body = "".join(line(table.texts(row), "td") for row in table.rows)
    foot = f"<tfoot>{line(table.texts(table.totals), 'th')}</tfoot>" if table.totals else ""
    caption = f"<caption>{escape(visible(table.title))}</caption>" if table.title else ""
    grid = f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody>{foot}</table>"
    return grid + paragraphs(table.note_lines())


def paragraphs(texts: Iterable[str]) -> str:
    """Each text as a paragraph of its own."""
    return "".join(f"<p>{escape(visible(text))}</p>" for text in texts)
