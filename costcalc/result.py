"""The base of all results: what each of them writes, and the forms that follow from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from costcalc.errors import Problem
from costcalc.table import LazySequence, Table, Tabular, document, main_table
from costcalc.text import plural


class Result(Tabular):
    """The result of an analysis. A subclass defines `table()` or `tables()`, `_fields()`, `_summary()` and, if it is
    about networks, `_warned()`; all other forms are made from these."""

    model_of_rows: Any = None  # the model whose knobs each row of the table sets, if they do

    @abstractmethod
    def _fields(self) -> dict[str, Any]:
        """The fields of the JSON document. The items of a `LazySequence` are made as they are written."""

    @abstractmethod
    def _summary(self) -> str:
        """The subject of the result and its main numbers, on a line."""

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        """The label of each network that the result is about, and its warnings."""
        return ()

    def _notebook_tables(self) -> list[Table]:
        """The tables that a notebook shows."""
        return self.tables()

    def _picture(self) -> str:
        """A picture as HTML, below the tables in a notebook."""
        return ""

    def table(self) -> Table:
        """The first table."""
        return main_table(self.tables())

    def tables(self) -> list[Table]:
        """The tables that the command prints."""
        return [self.table()]

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Layers that are probably not meant, each once, with its place and a hint."""
        return tuple(dict.fromkeys(problem for _, found in self._warned() for problem in found))

    def streamed(self) -> dict[str, Any]:
        """The JSON document, with long lists made item by item as they are written."""
        records = [_warning_record(problem, label) for label, found in self._warned() for problem in found]
        return document(**self._fields(), **({"warnings": records} if records else {}))

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of the command, as dicts, lists and exact values."""
        return {key: [*value] if isinstance(value, LazySequence) else value for key, value in self.streamed().items()}

    def __repr__(self) -> str:
        return f"<costcalc.{type(self).__name__} {self._summary()}>"

    def _repr_html_(self) -> str:
        from costcalc.table.html import html, paragraphs

        warnings = paragraphs(dict.fromkeys(map(str, self.warnings)))
        return "".join(map(html, self._notebook_tables())) + warnings + self._picture()


class RowsResult(Result):
    """A result that has its records as `rows`."""

    rows: tuple[dict[str, Any], ...]

    def to_records(self) -> list[dict[str, Any]]:
        """A copy of the rows, which are exact: the class says what they have."""
        return [dict(row) for row in self.rows]


@dataclass(frozen=True, eq=False, repr=False)
class TableResult(Result):
    """A result that is one table, with the fields of its JSON document and the warnings of each network by its
    label."""

    shown: Table
    fields: Mapping[str, Any]
    warned: tuple[tuple[str, tuple[Problem, ...]], ...] = ()

    def table(self) -> Table:
        """The table."""
        return replace(self.shown, notes=[*self.shown.notes])

    def _fields(self) -> dict[str, Any]:
        return {**self.fields}

    def _summary(self) -> str:
        title = f"{self.shown.title}: " if self.shown.title else ""
        return f"{title}{plural(len(self.shown.rows), 'row')}"

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return self.warned


def _warning_record(problem: Problem, target: str) -> dict[str, Any]:
    """A warning in the JSON document."""
    return {
        **({"target": target} if target else {}), "layer": problem.layer,
        "place": problem.place and problem.place._asdict(), "message": problem.message, "hint": problem.hint,
    }  # fmt: skip
