"""What papers and web pages are made of: Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

from costcalc.table import Table, visible

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "[": "{[}", "]": "{]}",  # else \\ and \toprule take them for an option
    "-": "{-}",  # else two of them are a dash
    "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$", "⌈": r"$\lceil$", "⌉": r"$\rceil$",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "²": "$^2$", "³": "$^3$", "∞": r"$\infty$", "→": r"$\to$", "…": r"\dots{}",
}  # fmt: skip
SENTENCE = 40  # signs from which on a text is one
NEEDS = r"\usepackage[T1]{fontenc}, {textcomp} and {booktabs}"


def markdown(tables: Sequence[Table]) -> str:
    """Pipe tables; the title stands above in bold, the totals are the last row, in bold too."""
    blocks = []
    for table in tables:
        if table.title:
            blocks.append(f"**{_md(table.title)}**")
        if table.rows or table.totals:
            lines = [[_md(column.title) for column in table.columns]]
            lines.append(["---:" if column.align == "right" else ":---" for column in table.columns])
            lines += [[_md(text) for text in table.texts(row)] for row in table.rows]
            if table.totals:
                lines.append([f"**{_md(text)}**" if text else "" for text in table.texts(table.totals)])
            blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        if table.notes:
            notes = [_md(line) for note in table.notes for line in note.split("\n")]
            blocks.append("\n".join("- " + _md_line(note) for note in notes))
    return "\n\n".join(blocks) + "\n"


def _md(text: str) -> str:
    """Text in which Markdown sees no markup, no HTML, no link and no end of a cell."""
    return re.sub(r"[\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w)", r"\\\g<0>", visible(text.strip()))


def _md_line(text: str) -> str:
    """Escaped text at the start of a line, where a sign or a number could begin a list or a heading."""
    return re.sub(r"^(\d*)([-+#.)])", r"\1\\\2", text)


def latex(tables: Sequence[Table]) -> str:
    """booktabs tables to \\input into a document, each with its title above and its notes below in small type."""
    blocks = []
    for table in tables:
        columns = "".join(_tex_column(table, at) for at in range(len(table.columns)))
        rows = [_row(table.texts(row)) for row in table.rows]
        title = [rf"\noindent\textbf{{{_tex(table.title)}}}\par\smallskip"] if table.title else []
        notes = [
            rf"\par\noindent{{\footnotesize {_tex(line)}\par}}" for note in table.notes for line in note.split("\n")
        ]
        totals = [r"\midrule", _row(table.texts(table.totals))] if table.totals else []
        lines = [
            f"% needs {NEEDS}", *title, rf"\noindent\begin{{tabular}}{{{columns}}}", r"\toprule",
            _row([column.title for column in table.columns]), r"\midrule", *rows, *totals, r"\bottomrule",
            r"\end{tabular}", *notes,
        ]  # fmt: skip
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _tex_column(table: Table, at: int) -> str:
    """A letter for a column; one of sentences is as wide as a third of the line."""
    column, longest = table.columns[at], max((len(table.texts(row)[at]) for row in table.rows), default=0)
    return r"p{0.33\linewidth}" if column.kind == "text" and longest > SENTENCE else column.align[0]


def _row(texts: Sequence[str]) -> str:
    return " & ".join([_tex(text) for text in texts]) + r" \\"


def _tex(text: str) -> str:
    text = re.sub(r"^-(?=[\d,.]+( %)?$)", "−", visible(text.strip()))  # a number below zero
    return "".join([LATEX.get(sign, sign) for sign in text])
