"""Everything `costcalc formula` says of one network: its closed form, the one without floors, and what it hangs on.

answer(costcalc.load("efficientnet"), "macs", assume=["r%32==0"]).tables()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.closed_form.assume import floor_free, parse_assumption, views
from costcalc.analysis.closed_form.formula import Formula, derive, too_large
from costcalc.analysis.closed_form.influence import by_term, elasticities
from costcalc.analysis.closed_form.limits import SECONDS, time_limit
from costcalc.analysis.closed_form.ratio import ratio
from costcalc.analysis.cost import warnings_of
from costcalc.analysis.warned import as_html, with_warnings
from costcalc.errors import Problem
from costcalc.models import Model
from costcalc.table import CONVENTION, Table, data_frame

SECONDS_OF_ALL = 1.2 * SECONDS  # for all that is printed
OF_THE_SECOND = ("given", "free", "text", "latex", "python", "terms", "where", "domain")


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """Formulas, the main one first, and the tables that were asked for instead of them, by name."""

    net: Model
    formulas: tuple[Formula, ...]
    asked: dict[str, Table]

    @property
    def text(self) -> str:
        """The main formula on a line."""
        return self.formulas[0].text

    @property
    def latex(self) -> str:
        """The main formula for LaTeX."""
        return self.formulas[0].latex

    @property
    def python(self) -> str:
        """The main formula as a Python module."""
        return self.formulas[0].python

    def tables(self) -> list[Table]:
        """What was asked for, else each formula as a table."""
        if self.asked:
            return [*self.asked.values()]
        tables = [formula.table() for formula in self.formulas]
        for table in tables[:-1]:
            table.notes = [note for note in table.notes if note != CONVENTION]  # the last one says it for all
        return tables

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Layers of the network, as it is set, that are probably not meant."""
        return warnings_of(self.net)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc formula`."""
        first, *others = (formula.to_dict() for formula in self.formulas)
        second = {"without_floors": {key: other[key] for key in OF_THE_SECOND} for other in others[:1]}  # noqa: B035
        found = {**first, **second, **{name: table.to_records() for name, table in self.asked.items()}}
        return with_warnings(found, self.warnings, self.net.label)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each block of the main formula, or for each row of what was asked for instead."""
        return self.tables()[0].to_records()

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame."""
        return data_frame(self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.Answer {self.formulas[0]!r}; text, latex, python, tables()>"

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in self.tables()) + as_html(self.warnings)


def answer(
    net: Model, metric: str = "macs", *, assume: Sequence[str] = (), elasticity: bool = False, terms: bool = False
) -> Answer:
    """The closed form of a metric in the knobs that are not set, and beside it the one without floors; or the one under
    the assumptions given: `r%32==0`, `r=32*k`. Raises UnknownName and CostcalcError as `derive` and its parts do."""
    formula = derive(net, metric)
    shown = [floor_free(formula, [parse_assumption(text, formula) for text in assume])] if assume else views(formula)
    asked = {"elasticity": elasticities(net, metric)} if elasticity else {}
    asked |= {"by_term": by_term(net, metric)} if terms else {}
    return Answer(net, tuple(shown), asked)


class Printed(NamedTuple):
    """What `costcalc formula` prints: code, or tables and the document behind them."""

    code: str
    tables: list[Table]
    document: dict[str, Any]


def printed(
    net: Model, over: Model | None = None, *, metric: str = "macs", form: str = "table", **asked: Any
) -> Printed:
    """The answer, or the ratio to another network, in a form: python, latex, json, or any other, which is a table.

    All of it is there before anyone reads any. Raises CostcalcError if that takes too long.
    """
    with time_limit(SECONDS_OF_ALL, too_large(net, SECONDS_OF_ALL)):
        found = answer(net, metric, **asked) if over is None else ratio(net, over, metric)
        if form == "python":
            return Printed(found.python, [], {})
        if form == "latex" and not getattr(found, "asked", None):
            return Printed(found.latex, [], {})
        return Printed("", found.tables(), found.to_dict() if form == "json" else {})
