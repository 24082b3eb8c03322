"""Tables as lines of text: which columns fit, how wide they are, what is wrapped. Numbers are never cut."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, repeat, zip_longest
from typing import NamedTuple

from costcalc.table.bars import BAR_WIDTH, MIN_OPTIONAL_BAR, MIN_REQUIRED_BAR, bar, has_bar, room_for_bar
from costcalc.table.cells import visible
from costcalc.table.data import FOOTER, Column, LazySequence, TableData

GAP = 2  # spaces between columns
MIN_PROSE_WIDTH = 16  # of a column of sentences
LEAST_SHOWN = 2  # columns side by side, a name and a number
MIN_NAME_WIDTH = 12  # of a column of names, on a narrow terminal
TREE = "│├└─ "  # the characters in front of a name in a tree
LARGE_SHARE = 10  # per cent: shown in colour
NARROW = re.compile(  # characters of one column each: Latin, Greek, Cyrillic, and those of the field
    "[ -~\xa1-\xac\xae-\u02ff\u0370-\u0377\u0391-\u03a1\u03a3-\u0481"
    "\u2010-\u2027\u2070-\u2071\u2074-\u208e\u2190-\u22ff\u2500-\u257f]*"
)

Styled = tuple[str, str]  # a text and its style: title, head, rule, total, zero, large, note, fine, or ""


class ColumnLayout(NamedTuple):
    """The columns that fit, each with its width, and those that are dropped. `shown` is empty if none fit side by
    side."""

    shown: list[int]
    widths: list[int]
    hidden: list[int]
    folds: bool = False  # is a column narrower than one of its cells?
    bars: Mapping[int, int] = {}  # the widths of the bars within columns of shares


def lines(tables: Sequence[TableData], width: int | None, rule: str = "") -> Iterator[list[Styled]]:
    """Every line of the tables, at most `width` wide on a terminal; `rule` is the character of rules, such as ─."""
    for number, table in enumerate(tables):
        if number:
            yield []
        if table.title:
            yield from _wrapped(visible(table.title), width, "title")
        notes = [(line, "fine" if note == FOOTER else "note") for note in table.notes for line in note.split("\n")]
        if table.rows or table.totals:
            texts = LazySequence(partial(_texts, table), table.rows)  # read twice: for the widths, and to be shown
            totals = [table.texts(table.totals)] if table.totals else []
            grid = fit(table.columns, texts, totals, width)
            if table.title:
                yield []
            if grid.shown:
                yield from _side_by_side(table, texts, totals, grid, rule)
            else:
                yield from _stacked(table, texts, totals)
            if grid.hidden:
                hidden, format = ", ".join(table.columns[at].title for at in grid.hidden), _in_full(table, number)
                notes.insert(0, (f"hidden at {width} columns: {hidden}; -f {format} shows all", "fine"))
        if notes:
            yield []
        for line, style in notes:
            yield from _wrapped(visible(line), width, style)


def _in_full(table: TableData, number: int) -> str:
    """The format that has all columns: that of the first table unless it is a tree is CSV too."""
    return "json" if number or "guide" in next(iter(table.rows), ()) else "csv"


def plain_lines(tables: Sequence[TableData]) -> Iterator[str]:
    """The lines for a pipe or a file: whole values, no colours, no spaces at the ends of lines."""
    return ("".join([part for part, _ in line]).rstrip() + "\n" for line in lines(tables, None))


def fit(
    columns: Sequence[Column], texts: Sequence[list[str]], totals: Sequence[list[str]], width: int | None
) -> ColumnLayout:
    """Drops columns, highest rank first, until the others fit, then widens columns of sentences into the space left.
    Names are broken before a column with a negative rank goes."""
    titles = [visible(column.title) for column in columns]
    natural = [*map(text_width, titles)]
    shares = [at for at, column in enumerate(columns) if column.kind == "share" and column.bar is not None]
    having: set[int] = set()
    for row in chain(texts, totals):
        natural = [*map(max, natural, map(text_width, row))]
        shares = [at for at in shares if has_bar(row[at])]
        having.update(at for at in shares if row[at])
    shares = [at for at in shares if at in having]
    bars = {at: BAR_WIDTH if width is None else MIN_REQUIRED_BAR for at in shares if columns[at].bar}
    natural = [size + (bars[at] + 1 if at in bars else 0) for at, size in enumerate(natural)]
    least, shown = list(natural), list(range(len(columns)))
    if width is None:
        return ColumnLayout(shown, natural, [], bars=bars)

    def needed() -> int:
        return sum(least[at] for at in shown) + GAP * (len(shown) - 1)

    for at in shown:
        if columns[at].cut:
            least[at] = min(natural[at], columns[at].cut)
        elif columns[at].kind == "text" and natural[at] > MIN_PROSE_WIDTH:
            least[at] = _least_of_prose(natural[at], (row[at] for row in chain([titles], texts, totals)))
    while needed() > width and any(columns[at].rank > 0 for at in shown):
        shown.remove(max(shown, key=lambda at: (columns[at].rank, at)))
    if needed() > width:  # only what must stay is left, so names are broken
        least = [min(n, MIN_NAME_WIDTH) if one.kind == "text" else n for n, one in zip(least, columns)]
    while needed() > width and len(shown) > LEAST_SHOWN and any(columns[at].rank < 0 for at in shown):
        shown.remove(max(shown, key=lambda at: (columns[at].rank or -len(columns), at)))
    if needed() > width:
        return ColumnLayout([], [], [at for at, column in enumerate(columns) if column.rank > 0])
    widths = _widened([least[at] for at in shown], [natural[at] for at in shown], width - needed())
    hidden = [at for at in range(len(columns)) if at not in shown]
    folds = any(size < natural[at] and not columns[at].cut for at, size in zip(shown, widths))
    spare = width - sum(widths) - GAP * (len(shown) - 1)
    for place, at in enumerate(shown):
        had = bars.get(at, -1) + 1
        if at in shares and (size := room_for_bar(spare + had, MIN_REQUIRED_BAR if had else MIN_OPTIONAL_BAR)):
            bars[at], widths[place], spare = size, widths[place] + size + 1 - had, spare - size - 1 + had
    return ColumnLayout(shown, widths, hidden, folds, bars)


def _widened(least: list[int], natural: list[int], spare: int) -> list[int]:
    """The widths of columns once the spare ones are given out, first to columns that need the fewest."""
    widths = list(least)
    for at in sorted(range(len(least)), key=lambda at: natural[at] - least[at]):
        more = min(spare, natural[at] - least[at])
        widths[at], spare = least[at] + more, spare - more
    return widths


def _least_of_prose(natural: int, cells: Iterable[str]) -> int:
    """The least width of a column of texts: that of its longest word if one of them is a sentence."""
    longest, sentences = MIN_PROSE_WIDTH, False
    for text in cells:
        sentences = sentences or " " in text.strip()
        longest = max(longest, *map(text_width, text.split()), 0)
    return min(natural, longest) if sentences else natural


def _side_by_side(
    table: TableData, texts: Sequence[list[str]], totals: list[list[str]], grid: ColumnLayout, rule: str
) -> Iterator[list[Styled]]:
    width = sum(grid.widths) + GAP * (len(grid.widths) - 1)
    ruled: list[list[Styled]] = [[(rule * width, "rule")]] if rule else []
    columns = [table.columns[at] for at in grid.shown]
    bars = [grid.bars.get(at, 0) for at in grid.shown]
    frames = [(" " * (GAP * bool(n)), size, bars[n]) for n, size in enumerate(grid.widths)]

    def line(cells: Sequence[str], style: str) -> list[Styled]:
        return [
            (gap + _placed(text, column, size, bar_width), style or _style(text, column))
            for text, column, (gap, size, bar_width) in zip(cells, columns, frames)
        ]

    def row(every: Sequence[str], style: str) -> Iterator[list[Styled]]:
        cells = [every[at] for at in grid.shown]
        if not grid.folds:
            yield line(cells, style)
            return
        for level in zip_longest(*map(_folded, cells, grid.widths), fillvalue=""):
            yield line(level, style)

    yield from row([visible(column.title) for column in table.columns], "head")
    yield from ruled
    for cells in texts:
        yield from row(cells, "")
    for cells in totals:
        yield from ruled
        yield from row(cells, "total")


def _stacked(table: TableData, texts: Sequence[list[str]], totals: list[list[str]]) -> Iterator[list[Styled]]:
    """A line for each value, for terminals too narrow for a name and two numbers side by side."""
    first, *rest = [at for at, column in enumerate(table.columns) if column.rank <= 0]
    for cells, style in chain(zip(texts, repeat("")), zip(totals, repeat("total"))):
        yield [(cells[first], style)]
        for at in rest:
            yield [(f"  {visible(table.columns[at].title)} {cells[at]}", _style(cells[at], table.columns[at]))]


def _texts(table: TableData, row: dict[str, object]) -> list[str]:
    first, *rest = table.texts(row)
    if guide := row.get("guide"):
        return [f"{guide}{first}", *rest]
    return ["  " * int(row.get("indent", 0)) + first, *rest]  # type: ignore[call-overload]


def _style(text: str, column: Column) -> str:
    if column.kind == "share" and text.endswith(" %") and text[0] not in "<>-":
        share = float(text[:-2].replace(",", ""))
        return "large" if share >= LARGE_SHARE else "" if share else "zero"
    return "zero" if text == "0" and column.align == "right" else ""


def _wrapped(text: str, width: int | None, style: str) -> Iterator[list[Styled]]:
    """A sentence over several lines, later ones indented; words and numbers stay whole."""
    if width is None or text_width(text) <= width:
        yield [(text, style)]
        return
    for line in textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False):
        yield [(line, style)]


def _folded(text: str, size: int) -> list[str]:
    """A cell over several lines. A word wider than the column is broken, a name at a dot if possible."""
    if text_width(text) <= size:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()))
    room = max(size - max(0, text_width(text) - len(text)), size // 2, 1)  # in characters, of which some may be wide
    breakable = text if " " in text.strip() else re.sub("([._])", r"\1 ", text)  # a name, between its parts
    lines = textwrap.wrap(breakable, room, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return [line if breakable == text else indent + line.replace(" ", "") for line in lines] or [""]


def _placed(text: str, column: Column, size: int, bar_width: int) -> str:
    """A cell in its width: a longer text is shortened, then cut; a share with its bar in front."""
    if column.cut and text_width(text) > size:
        text = column.shorten(text, size) if column.shorten else text
        text = cut_name(text, size) if text_width(text) > size else text
    drawn = f"{bar(text, bar_width)} " if bar_width else ""
    return drawn + _aligned(text, size - len(drawn), column.align)


def cut_name(text: str, size: int) -> str:
    """A name in a tree with … in place of its middle, behind the lines of the tree; other texts with … at their end."""
    lead = len(text) - len(text.lstrip(TREE))
    room = size - lead - 1
    if text_width(text) > len(text) or room < 1 or not lead:
        while text_width(text) >= size and text:
            text = text[:-1]
        return f"{text}…"[:size]
    name, ahead = text[lead:], (room + 1) // 2
    return f"{text[:lead]}{name[:ahead]}…{name[len(name) - (room - ahead) :]}"


def _aligned(text: str, size: int, align: str) -> str:
    pad = " " * (size - text_width(text))
    return text + pad if align == "left" else pad + text


def text_width(text: str) -> int:
    """The width of a text on a terminal: two columns for wide characters, none for combining ones."""
    if text.isascii() or NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len  # imported late: slower to import than a table is to print

    return cell_len(text)
