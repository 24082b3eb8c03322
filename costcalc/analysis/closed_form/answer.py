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
from costcalc.errors import Problem
from costcalc.result import Result, TableResult
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Table

SECONDS_OF_ALL = 1.2 * SECONDS  # for all that is printed
OF_THE_SECOND = ("given", "free", "text", "latex", "python", "terms", "where", "domain")


@dataclass(frozen=True, eq=False, repr=False)
class Answer(Result):
    """Formulas, the main one first, and the tables that were asked for instead of them, by name."""

    net: Network
    formulas: tuple[Formula, ...]
    asked: dict[str, TableResult]

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
            return [asked.table() for asked in self.asked.values()]
        tables = [formula.table() for formula in self.formulas]
        for table in tables[:-1]:
            table.notes = [note for note in table.notes if note != CONVENTION]  # the last one says it for all
        return tables

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.net.label, warnings_of(self.net))]

    def _fields(self) -> dict[str, Any]:
        first, *others = (formula._fields() for formula in self.formulas)
        second = {"without_floors": {key: other[key] for key in OF_THE_SECOND} for other in others[:1]}  # noqa: B035
        return {**first, **second, **{name: table.to_records() for name, table in self.asked.items()}}

    def _summary(self) -> str:
        return self.formulas[0]._summary()


def answer(
    net: Network, metric: str = "macs", *, assume: Sequence[str] = (), elasticity: bool = False, terms: bool = False
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
    document: dict[str, Any] | None


def printed(
    net: Network, over: Network | None = None, *, metric: str = "macs", form: str = "table", **asked: Any
) -> Printed:
    """The answer, or the ratio to another network, in a form: python, latex, json, or any other, which is a table.

    All of it is there before anyone reads any. Raises CostcalcError if that takes too long.
    """
    with time_limit(SECONDS_OF_ALL, too_large(net, SECONDS_OF_ALL)):
        found = answer(net, metric, **asked) if over is None else ratio(net, over, metric)
        if form == "python":
            return Printed(found.python, [], None)
        if form == "latex" and not getattr(found, "asked", None):
            return Printed(found.latex, [], None)
        return Printed("", found.tables(), found.streamed() if form == "json" else None)
