"""A table as plain data: columns, rows of exact values, totals and notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from costcalc.errors import UsageError, shorten
from costcalc.table.cells import cell, plain_number
from costcalc.text import rounded

CONVENTION = (
    "MACs: multiplications in convolutions, linear layers and matrix products, one per multiply-accumulate; "
    "bias and normalisation not counted. FLOPs = 2 × MACs"
)
FOOTER = "MACs: multiplies of convolutions, linear and matrix products; FLOPs = 2 × MACs"  # the same on one line
COUNT, IN_BYTES = "count", "bytes"  # what the numbers of a column may be, which have units
LEFT = ("text", "shape", "factor")  # kinds whose cells start at the left; all others are numbers and end at the right


class LatexFloat(NamedTuple):
    """The caption and the label of a LaTeX table that floats."""

    caption: str = ""
    label: str = ""

    @classmethod
    def read(cls, caption: str = "", label: str = "") -> LatexFloat:
        """The two as a reader gives them. Raises UsageError for a label that `\\ref` could not find."""
        if not LABEL.fullmatch(label):
            raise UsageError(f"a label has letters, digits and :.-_/+, got {shorten(label)!r}; as tab:resnet50")
        return cls(caption, label)


NO_FLOAT = LatexFloat()
LABEL = re.compile(r"[\w:./+-]*", re.ASCII)  # what \ref takes as it is


class Scale(NamedTuple):
    """The unit in which numbers are shown, and with how many decimals."""

    size: int
    decimals: int

    def text(self, value: Any, kind: str, formula_text: Callable[[Any], str]) -> str:
        """`4.089`; a small number that would round to 0 is `< 0.001`, and symbols stay."""
        number = plain_number(value)
        if number is None:
            return cell(value, kind, formula_text)
        scaled = Fraction(number) / self.size
        smallest = Fraction(1, 10**self.decimals)
        if 0 < abs(scaled) < smallest / 2:
            return f"{'<' if scaled > 0 else '>'} {rounded(smallest if scaled > 0 else -smallest, self.decimals)}"
        return rounded(scaled, self.decimals) if scaled else "0"


@dataclass(frozen=True)
class Column:
    """A column: the key of its values, its heading, and how they are shown.

    Kinds: text, shape, factor (÷9.68, ×5.64), and the numbers int, signed (+3), real, ratio, share,
    measured (four digits are shown), brief (three), short (four and a unit), bytes, knob (as it is set), figure
    (already text: `1.5B`) and quoted (as it was printed elsewhere, – where it was not).
    A narrow terminal drops the columns with the highest `rank` first, and never those of rank 0; columns that a reader
    asked for have negative ranks, and go once names are broken and the rest does not fit. Numbers that are counts or
    bytes (`measure`) may have a unit (`scale`), that of another column where `unit_of` is its key.
    A column of shares has a `bar` beside each where there is room on a terminal, and if `bar` is set everywhere. The
    texts of a column with a `cut` are cut down to that width, if need be, and not broken over lines; `shorten` makes
    a text shorter first: it takes the text and the width.
    """

    key: str
    title: str
    kind: str = "int"
    rank: int = 0
    measure: str = ""
    unit_of: str = ""
    scale: Scale | None = None
    bar: bool | None = False
    cut: int = 0
    shorten: Callable[[str, int], str] | None = None

    @property
    def align(self) -> str:
        """The alignment of its cells: left or right."""
        return "left" if self.kind in LEFT else "right"


class LazySequence(Sequence[Any]):
    """A function of each item of a sequence, computed anew whenever an item is read, and never kept."""

    def __init__(self, make: Callable[[Any], Any], items: Sequence[Any]):
        self.make, self.items = make, items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, at: Any) -> Any:
        return LazySequence(self.make, self.items[at]) if isinstance(at, slice) else self.make(self.items[at])

    def __iter__(self) -> Iterator[Any]:
        return map(self.make, self.items)


@dataclass(repr=False)
class TableData:
    """Columns, rows, totals and notes. `rows` and `totals` map a column's key to an exact value, not to text.

    A row with `indent: 1` belongs to the one above it; in a tree `guide` is what stands in front of its name.
    `formula_text` writes the values that are no numbers; those for programs have the grammar of specs.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Any]]
    totals: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    formula_text: Callable[[Any], str] = str

    def texts(self, row: dict[str, Any]) -> list[str]:
        """The cells of a row as text, one for each column; empty where the row has no value."""
        return [
            cell(row.get(column.key), column.kind, self.formula_text)
            if column.scale is None
            else column.scale.text(row.get(column.key), column.kind, self.formula_text)
            for column in self.columns
        ]

    def note_lines(self) -> list[str]:
        """The notes, line by line."""
        return [line for note in self.notes for line in note.split("\n")]


AnyTable = TypeVar("AnyTable", bound=TableData)


def main_table(tables: Sequence[AnyTable]) -> AnyTable:
    """The first table with columns: text may stand above it."""
    return next((table for table in tables if table.columns), tables[0])
