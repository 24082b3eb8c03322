"""Tables as plain data, and their plain formats: aligned text, CSV, JSON, Markdown, LaTeX, HTML.

`data` is the table, `cells` writes one value, and each format has a file of its own. Terminals, pages and pictures are
in report/.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Any

from costcalc.errors import MissingExtra
from costcalc.table.cells import NOT_QUOTED as NOT_QUOTED
from costcalc.table.cells import Batchless as Batchless
from costcalc.table.cells import Image as Image
from costcalc.table.cells import InUnit as InUnit
from costcalc.table.cells import Printed as Printed
from costcalc.table.cells import RelativeDifference as RelativeDifference
from costcalc.table.cells import Worded as Worded
from costcalc.table.cells import brief as brief
from costcalc.table.cells import bytes_text as bytes_text
from costcalc.table.cells import cell as cell
from costcalc.table.cells import is_plain as is_plain
from costcalc.table.cells import is_visible as is_visible
from costcalc.table.cells import measured as measured
from costcalc.table.cells import plain_number as plain_number
from costcalc.table.cells import shape_text as shape_text
from costcalc.table.cells import short_text as short_text
from costcalc.table.cells import visible as visible
from costcalc.table.data import CONVENTION as CONVENTION
from costcalc.table.data import COUNT as COUNT
from costcalc.table.data import FOOTER as FOOTER
from costcalc.table.data import IN_BYTES as IN_BYTES
from costcalc.table.data import NO_FLOAT as NO_FLOAT
from costcalc.table.data import Column as Column
from costcalc.table.data import LatexFloat as LatexFloat
from costcalc.table.data import LazySequence as LazySequence
from costcalc.table.data import TableData
from costcalc.table.data import main_table as main_table
from costcalc.table.formats import format_of_suffix, pieces
from costcalc.text import as_float, plural
from costcalc.version import __version__

SCHEMA_VERSION = 1  # of the JSON documents


class Tabular(ABC):
    """The base of tables and results: every form is made from `tables()` and `to_dict()`."""

    @abstractmethod
    def tables(self) -> list[Table]:
        """The tables that the command prints."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The JSON document that the command prints."""

    def to_records(self) -> list[dict[str, Any]]:
        """The rows of the first table as plain dicts of exact values, without the totals."""
        return main_table(self.tables()).to_records()

    def to_pandas(self) -> Any:
        """The records as a pandas.DataFrame. Raises MissingExtra without pandas."""
        return data_frame(self.to_records())

    def to_csv(self) -> str:
        """The first table as CSV: numbers in full, no totals, so that a column can be added up."""
        return self._as("csv")

    def to_markdown(self) -> str:
        """The tables as Markdown."""
        return self._as("markdown")

    def to_latex(self, *, caption: str = "", label: str = "") -> str:
        """The tables as LaTeX, to \\input into a document that uses booktabs; with a `caption` or a `label`, to be
        referred to, the first floats."""
        from costcalc.table.markup import latex

        return "".join(latex(self.tables(), LatexFloat.read(caption, label)))

    def in_units(self, units: str) -> Shown:
        """The tables with counts and bytes in units, one for each column: `auto`, `M`, `MiB` or `M,MiB`.

        Raises UnknownName for a unit that does not exist, UsageError for two of one kind.
        """
        from costcalc.table.units import in_units, read_units

        read = read_units(units)
        return Shown([in_units(table, read) for table in self.tables()], self)

    def save(self, path: str | Path) -> None:
        """Writes a file in the format of its suffix: .txt .json .csv .md .tex; all of it or none, piece by piece.

        Raises UnknownName for another suffix, OSError for a file that cannot be written.
        """
        from costcalc.files import write

        format = format_of_suffix(Path(path))
        write(Path(path), pieces(self.tables(), self.to_dict() if format == "json" else None, format))

    def _as(self, format: str) -> str:
        return "".join(pieces(self.tables(), None, format))

    def __str__(self) -> str:
        """The tables as aligned text, as the command prints them into a pipe."""
        return self._as("table").rstrip("\n")

    def _repr_html_(self) -> str:
        from costcalc.table.html import html

        return "".join(map(html, self.tables()))


class Table(TableData, Tabular):
    """Rows of exact values under columns, with a title, totals and notes: print it, or take it as records, pandas, CSV,
    Markdown or LaTeX."""

    def tables(self) -> list[Table]:
        """The table itself."""
        return [self]

    def to_records(self) -> list[dict[str, Any]]:
        """The rows as plain dicts of exact values, without the totals."""
        return [{column.key: row.get(column.key) for column in self.columns} for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """A JSON document of the rows."""
        return document(rows=self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Table {self.title!r}: {plural(len(self.rows), 'row')}>"


class Shown(Tabular):
    """Tables in the units that are asked for, of a result whose values stay exact."""

    def __init__(self, tables: list[Table], of: Tabular):
        self._tables, self._of = tables, of

    def tables(self) -> list[Table]:
        """The tables in these units."""
        return self._tables

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of the result, which has no units."""
        return self._of.to_dict()


def document(**fields: Any) -> dict[str, Any]:
    """The JSON document of a command: schema, version and convention, then its own fields."""
    about = {"schema_version": SCHEMA_VERSION, "costcalc_version": __version__, "convention": CONVENTION}
    return {**about, **fields}


def data_frame(records: Any) -> Any:
    """Records, or columns by name, as a pandas.DataFrame, with fractions as floats. Raises MissingExtra."""
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
        if frame[name].dtype == object and any(isinstance(value, Fraction) for value in frame[name]):
            frame[name] = [as_float(value) for value in frame[name]]
    return frame
