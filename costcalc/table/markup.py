"""Tables as Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from costcalc.table.cells import cell, visible
from costcalc.table.data import NO_FLOAT, Column, LatexFloat, TableData
from costcalc.table.tex_signs import SIGNS

MARKDOWN = re.compile(r"[\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w)")  # an _ within a word is one
NEGATIVE = re.compile(r"^-(?=[\d,.]+( %)?$)")
MIN_SENTENCE = 40  # characters; longer texts are wrapped
PACKAGES = r"\usepackage[T1]{fontenc}, {textcomp}, {graphicx} and {booktabs}"
FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"  # of graphicx: shrinks what is too wide


def markdown(tables: Sequence[TableData]) -> Iterator[str]:
    """Pipe tables, line by line; the title stands above in bold, the totals are the last row, in bold too."""
    for number, block in enumerate(_md_blocks(tables)):
        yield "\n" * bool(number)
        for line in block:
            yield f"{line}\n"


def _md_blocks(tables: Sequence[TableData]) -> Iterator[Iterable[str]]:
    """The lines of each part; an empty line separates parts."""
    for table in tables:
        if table.title:
            yield [f"**{_md(table.title)}**"]
        if table.rows or table.totals:
            yield _md_table(table)
        if table.notes:
            yield ["- " + _md_line(_md(line)) for line in table.note_lines()]


def _md_table(table: TableData) -> Iterator[str]:
    yield _md_row([_md(column.title) for column in table.columns])
    yield _md_row(["---:" if column.align == "right" else ":---" for column in table.columns])
    for row in table.rows:
        yield _md_row(map(_md, table.texts(row)))
    if table.totals:
        yield _md_row([f"**{_md(text)}**" if text else "" for text in table.texts(table.totals)])


def _md_row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _md(text: str) -> str:
    """Text with markup, HTML, links and cell ends escaped."""
    return MARKDOWN.sub(r"\\\g<0>", visible(text.strip()))


def _md_line(text: str) -> str:
    """Escaped text at the start of a line, where it could begin a list or a heading."""
    return re.sub(r"^(\d*)([-+#.)])", r"\1\\\2", text)


def latex(tables: Sequence[TableData], floating: LatexFloat = NO_FLOAT) -> Iterator[str]:
    """booktabs tables to \\input into a document, line by line, each with its title above and its notes below in small
    type. The first floats if it has a caption, in place of its title, or a label."""
    for number, table in enumerate(tables):
        yield "\n" * bool(number)
        yield f"% needs {PACKAGES}\n"
        lines = _tex_float(table, floating) if not number and any(floating) else _tex_table(table)
        for line in lines:
            yield f"{line}\n"


def _tex_float(table: TableData, floating: LatexFloat) -> Iterator[str]:
    yield r"\begin{table}[htbp]"
    yield r"\centering"
    yield rf"\caption{{{_tex(floating.caption or table.title)}}}"
    if floating.label:
        yield rf"\label{{{floating.label}}}"
    yield from _tex_table(replace(table, title=""))
    yield r"\end{table}"


def _tex_table(table: TableData) -> Iterator[str]:
    if table.title:
        yield rf"\noindent\textbf{{{_tex(table.title)}}}\par\smallskip"
    if table.columns:
        yield from _tex_tabular(table)
    for line in table.note_lines():
        yield rf"\par\noindent{{\footnotesize {_tex(line)}\par}}"


def _tex_tabular(table: TableData) -> Iterator[str]:
    yield rf"\noindent{FITTED}"
    yield rf"\begin{{tabular}}{{{''.join(_tex_column(table, column) for column in table.columns)}}}"
    yield r"\toprule"
    yield _tex_row([column.title for column in table.columns])
    yield r"\midrule"
    for row in table.rows:
        yield _tex_row(table.texts(row))
    if table.totals:
        yield r"\midrule"
        yield _tex_row(table.texts(table.totals))
    yield r"\bottomrule"
    yield r"\end{tabular}}"


def _tex_column(table: TableData, column: Column) -> str:
    """The LaTeX column type; columns of sentences share two thirds of the line, and one takes no more than a third."""
    if not _has_sentences(table, column):
        return column.align[0]
    many = sum(_has_sentences(table, each) for each in table.columns)
    return rf"p{{{min(0.33, 0.66 / many):.2g}\linewidth}}"


def _has_sentences(table: TableData, column: Column) -> bool:
    texts = (cell(row.get(column.key), "text") for row in table.rows)
    return column.kind == "text" and any(len(text) > MIN_SENTENCE for text in texts)


def _tex_row(texts: Sequence[str]) -> str:
    return " & ".join([_tex(text) for text in texts]) + r" \\"


def _tex(text: str) -> str:
    return NEGATIVE.sub("−", visible(text.strip())).translate(SIGNS)
