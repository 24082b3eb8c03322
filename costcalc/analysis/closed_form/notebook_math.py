"""A formula as HTML for notebooks: its parts as MathML, which browsers set without a script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sympy import Expr

from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.table import Table, visible
from costcalc.table.html import paragraphs


def math_table(table: Table, rows: Sequence[tuple[str, Expr]], printer: MathMLPrinter) -> str:
    """The table of a formula with MathML in place of its text, row by row."""
    lines = []
    for name, expression in rows:
        math = f'<math display="inline">{_wrapped(printer.pieces(expression))}</math>'
        lines.append(f'<tr><td style="text-align:left">{escape(visible(name))}</td><td>{math}</td></tr>')
    caption = f"<caption>{escape(visible(table.title))}</caption>"
    return f"<table>{caption}<tbody>{''.join(lines)}</tbody></table>{paragraphs(table.note_lines())}"


def _wrapped(pieces: Sequence[str]) -> str:
    return "".join(f"<mrow>{piece}</mrow>" for piece in pieces)
