"""A table before anyone prints it: columns, rows, totals and notes. Formatters are in report/."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from costcalc.errors import MissingExtra
from costcalc.text import as_float, plural, rounded, times_text, value_text
from costcalc.version import __version__

SCHEMA_VERSION = 1  # of the JSON documents
CONVENTION = (
    "MACs: multiplications in convolutions, linear layers and matrix products, one per multiply-accumulate; "
    "bias and normalisation not counted. FLOPs = 2 × MACs"
)
LEFT = ("text", "shape", "more")  # kinds whose cells start at the left; all others are numbers and end at the right


@dataclass(frozen=True)
class Column:
    """A column: the key of its values, its heading, and how they are shown.

    Kinds: text, shape, more (a ratio in words: 9.68× fewer), and the numbers int, real, ratio, share, measured (four
    digits of it are shown), brief (three), bytes, knob (as it is set) and figure (already text: `1.5B`).
    On a narrow terminal columns with the highest `rank` go first; rank 0 always stays.
    """

    key: str
    title: str
    kind: str = "int"
    rank: int = 0

    @property
    def align(self) -> str:
        """Where its cells stand: left or right."""
        return "left" if self.kind in LEFT else "right"


class Lazily(Sequence[Any]):
    """What a function makes of each item of a sequence: made when it is read, again each time, and never kept."""

    def __init__(self, make: Callable[[Any], Any], items: Sequence[Any]):
        self.make, self.items = make, items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: Any) -> Any:
        return Lazily(self.make, self.items[at]) if isinstance(at, slice) else self.make(self.items[at])

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, self.items)


@dataclass(repr=False)
class Table:
    """What a command prints. `rows` and `totals` map a column's key to an exact value, not to text.

    A row may say `indent: 1` to be shown as belonging to the one above it.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Any]]
    totals: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain dicts, without the totals."""
        return [{column.key: row.get(column.key) for column in self.columns} for row in self.rows]

    def to_pandas(self) -> Any:
        """The rows as a pandas.DataFrame."""
        return data_frame(self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Table {self.title!r}: {plural(len(self.rows), 'row')}; to_records(), to_pandas()>"

    def texts(self, row: dict[str, Any]) -> list[str]:
        """One row, each value as its column shows it."""
        return [cell(row.get(column.key), column.kind) for column in self.columns]

    def _repr_html_(self) -> str:
        """A notebook's picture of the table."""
        from html import escape

        aligns = [column.align for column in self.columns]

        def line(texts: Sequence[str], tag: str) -> str:
            cells = (f'<{tag} style="text-align:{a}">{escape(t)}</{tag}>' for t, a in zip(texts, aligns))
            return f"<tr>{''.join(cells)}</tr>"

        head = line([visible(column.title) for column in self.columns], "th")
        body = "".join(line(self.texts(row), "td") for row in self.rows)
        foot = f"<tfoot>{line(self.texts(self.totals), 'th')}</tfoot>" if self.totals else ""
        notes = "".join(f"<p>{escape(visible(line))}</p>" for note in self.notes for line in note.split("\n"))
        caption = f"<caption>{escape(visible(self.title))}</caption>" if self.title else ""
        return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody>{foot}</table>{notes}"


def document(**fields: Any) -> dict[str, Any]:
    """The JSON document of a command: which schema it has, who counted, what MACs are; then its own fields."""
    about = {"schema_version": SCHEMA_VERSION, "costcalc_version": __version__, "convention": CONVENTION}
    return {**about, **fields}


def with_warnings(document: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """The document with what is probably not meant of the networks that it is about, if anything is."""
    return {**document, "warnings": records} if records else document


def data_frame(records: Any) -> Any:
    """Records, or columns by name, as a pandas.DataFrame. Raises MissingExtra without pandas."""
    try:
        from pandas import DataFrame
    except ImportError:
        raise MissingExtra("this needs pandas", "pandas") from None
    try:
        frame = DataFrame(records)
    except OverflowError:  # before 3.0 pandas tries every int as a float
        frame = DataFrame(records, dtype=object)
    for name in frame.columns:
        if frame[name].dtype == "int64" and sum(map(abs, frame[name].tolist())) >= 2**63:
            frame[name] = frame[name].astype(object)  # Python's ints: a sum in words of 64 bits would wrap around
    return frame


def cell(value: Any, kind: str) -> str:
    """A value as text: 12,443,648, 9.68×, 35.2 %, 28×28×32; whole numbers are never shortened."""
    if value.__class__ is int and kind == "int":  # nearly all: sooner than one look for fractions in each
        return f"{value:,}"
    if value is None:
        return ""
    if kind == "shape":
        return visible(shape_text(value))
    if value.__class__ is str and kind == "text":
        return visible(value)
    number = value if isinstance(value, Fraction) else plain_number(value)
    if kind not in NUMBERS or number is None:
        return visible(value_text(value) if kind == "knob" else str(value))
    return NUMBERS[kind](number)


def _whole(number: Any) -> str:
    return value_text(number) if isinstance(number, Fraction) else f"{number:,}"


class Apart(float):
    """A relative difference that knows the exact one, which is shown where the percentage would round to 0."""

    exact: Any

    def __new__(cls, share: float, exact: Any) -> Apart:
        self = super().__new__(cls, share)
        self.exact = exact
        return self


def _ratio(number: Any) -> str:
    return f"{times_text(number)}×" if abs(number) >= 0.1 or not number else f"{float(number):.3g}×"


def _share(number: Any) -> str:
    small = abs(number) < 0.0005 and number != 0
    return f"{rounded(100 * number, 1)} %" if not small else "< 0.1 %" if number > 0 else "> -0.1 %"


def _signed(number: Any) -> str:
    """`+2.1 %`; `−1`, the exact difference, where the percentage would round to 0."""
    text = rounded(100 * abs(number), 1)
    sign = "−" if number < 0 else "+"
    if float(text.replace(",", "")) or not number:
        return f"{sign if number else ''}{text} %"
    return f"{sign}{_whole(abs(number.exact))}" if isinstance(number, Apart) else _share(number)


def _more(number: Any) -> str:
    """`9.68× fewer`, `1.0005× more`, `equal`."""
    if number in (0, 1):
        return "equal" if number else "none"
    word, times = ("fewer", 1 / Fraction(number)) if number < 1 else ("more", Fraction(number))
    text = times_text(times)
    return f"slightly {word}" if text.endswith("…") else f"{text}× {word}"


def measured(number: float | Fraction) -> str:
    """A measured number to four digits, whole ones in full: 0.01235, 12.35, 12,346."""
    if not number or not math.isfinite(number):
        return f"{float(number):g}"
    return rounded(number, max(0, 3 - math.floor(math.log10(abs(float(number))))))


def brief(number: float) -> str:
    """A measured number to three digits, from 1,000 on to the whole: 0.0124, 12.4, 12,346."""
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def bytes_text(count: float) -> str:
    """A number of bytes in the largest unit that it fills: 62.2 KiB."""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = next((i for i in range(len(units)) if abs(count) < 1024 ** (i + 1)), len(units) - 1)
    return f"{brief(count / 1024**power)} {units[power]}"


NUMBERS: dict[str, Callable[[Any], str]] = {
    "int": _whole, "real": lambda number: rounded(number, 3), "ratio": _ratio, "share": _share, "signed": _signed,
    "more": _more, "measured": measured, "brief": brief, "bytes": bytes_text,
}  # fmt: skip


def plain_number(value: Any) -> int | float | None:
    """The int or float a value is: whole ones of sympy and numpy count as ints, other Fractions as floats.

    None if it is none of these, or a Fraction that no float can hold.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if getattr(value, "denominator", None) == 1:
        return int(value)
    return as_float(value) if isinstance(value, Fraction) else None


class Image(tuple[Any, ...]):
    """The shape of an image or a feature map, (n, c, h, w), which papers write with the channels last."""


def shape_text(shape: Any) -> str:
    """A shape without its batch: 12×256×64 for (n, 12, 256, 64), 28×28×32 for an Image (n, 32, 28, 28)."""
    rest = [*shape[1:]]
    if isinstance(shape, Image) and len(rest) >= 3:
        rest = [*rest[1:], rest[0]]
    return "×".join(map(str, rest)) if rest else "1"


# Signs that str.isprintable lets pass and yet nobody sees: joiners, fillers, variation selectors.
HIDDEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    r"""Text without characters a terminal obeys or hides: controls, bidi and zero-width signs become \xNN."""
    if is_plain(text):
        return text
    return "".join([sign if is_visible(sign) else _escaped(sign) for sign in text])


def is_plain(text: str) -> bool:
    """Is each of its characters shown as itself? Says it of nearly all texts, at once."""
    return text.isprintable() and (text.isascii() or not HIDDEN.search(text))


def is_visible(sign: str) -> bool:
    """Is this one character shown as itself? The spaces that do not break are."""
    return sign in "\u00a0\u202f" or (sign.isprintable() and not HIDDEN.match(sign))


def _escaped(sign: str) -> str:
    number = ord(sign)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
