"""A table before anyone prints it: columns, rows, totals and notes. Formatters are in report/."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

CONVENTION = (
    "MACs: multiplications in convolutions, linear layers and matrix products, one per multiply-accumulate; "
    "bias and normalisation not counted. FLOPs = 2 × MACs"
)


@dataclass(frozen=True)
class Column:
    """A column: the key of its values, its heading, and how they are shown (text, int, ratio, share, shape).

    On a narrow terminal columns with the highest `rank` go first; rank 0 always stays.
    """

    key: str
    title: str
    kind: str = "int"
    rank: int = 0


@dataclass
class Table:
    """What a command prints. `rows` and `totals` map a column's key to an exact value, not to text."""

    title: str
    columns: Sequence[Column]
    rows: list[dict[str, Any]]
    totals: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain dicts, without the totals."""
        return [{column.key: row.get(column.key) for column in self.columns} for row in self.rows]

    def to_pandas(self) -> Any:
        """The rows as a pandas.DataFrame."""
        import pandas

        return pandas.DataFrame(self.to_records())

    def texts(self, row: dict[str, Any]) -> list[str]:
        """One row, each value as its column shows it."""
        return [cell(row.get(column.key), column.kind) for column in self.columns]

    def _repr_html_(self) -> str:
        """A notebook's picture of the table."""

        def line(texts: Sequence[str], tag: str) -> str:
            align = ["left" if column.kind in ("text", "shape") else "right" for column in self.columns]
            cells = (f'<{tag} style="text-align:{a}">{html.escape(t)}</{tag}>' for t, a in zip(texts, align))
            return f"<tr>{''.join(cells)}</tr>"

        head = line([visible(column.title) for column in self.columns], "th")
        body = "".join(line(self.texts(row), "td") for row in self.rows)
        foot = f"<tfoot>{line(self.texts(self.totals), 'th')}</tfoot>" if self.totals else ""
        notes = "".join(f"<p>{html.escape(visible(note))}</p>" for note in self.notes)
        caption = f"<caption>{html.escape(visible(self.title))}</caption>"
        return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody>{foot}</table>{notes}"


def cell(value: Any, kind: str) -> str:
    """A value as text: 12,443,648, 9.68×, 35.2 %, 28×28×32; numbers are never shortened."""
    if value is None:
        return ""
    if kind == "shape":
        return visible(shape_text(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return visible(value if isinstance(value, str) else str(value))
    if kind == "int":
        return f"{value:,}"
    if kind == "ratio":
        return f"{value:,.2f}×"
    if kind == "share":
        return f"{100 * value:.1f} %"
    return visible(str(value))


def shape_text(shape: Any) -> str:
    """A shape without its batch as papers write it: 28×28×32 for (n, 32, 28, 28)."""
    rest = [*shape[1:]]
    if len(rest) >= 3:
        rest = [*rest[1:], rest[0]]
    return "×".join(map(str, rest)) if rest else "1"


def visible(text: str) -> str:
    r"""Text without characters a terminal obeys or hides: controls, bidi and zero-width signs become \xNN."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign if _is_plain(sign) else _escaped(sign) for sign in text)


def _is_plain(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
