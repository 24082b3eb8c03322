"""What `costcalc formula` prints: a closed form, its elasticities and blocks, or the ratio of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis.closed_form.assumptions import closed_form
from costcalc.analysis.closed_form.deadline import SECONDS, time_limit
from costcalc.analysis.closed_form.derive import find_layers, too_large
from costcalc.analysis.closed_form.elasticity import by_term, elasticities
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.closed_form.ratio import ratio
from costcalc.models.model import Model
from costcalc.result import Result, TableResult
from costcalc.table import Table

SECONDS_OF_ALL = 1.2 * SECONDS  # for the whole output


@dataclass(frozen=True, eq=False, repr=False)
class FormulaTables(Result):
    """A formula as other tables: its elasticities, its blocks."""

    formula: Formula
    asked: dict[str, TableResult]

    def tables(self) -> list[Table]:
        """The tables, in the order asked for."""
        return [one.table() for one in self.asked.values()]

    def _warned(self) -> Any:
        return self.formula._warned()

    def _fields(self) -> dict[str, Any]:
        return {**self.formula._fields(), **{name: one.to_records() for name, one in self.asked.items()}}

    def _summary(self) -> str:
        return self.formula._summary()


class FormulaOutput(NamedTuple):
    """What `costcalc formula` prints: code, or tables and the document behind them."""

    code: str
    tables: list[Table]
    document: dict[str, Any] | None


def formula_output(
    model: Model, over: Model | None = None, *, metric: str = "macs", form: str = "table", assume: Any = (),
    elasticity: bool = False, terms: bool = False, progress: Callable[[float, str], None] | None = None,
) -> FormulaOutput:  # fmt: skip
    """The closed form, or the ratio to another network, in the form python, latex, json or table. `progress` is told
    of runs of an imported network.

    Raises CostcalcError if it takes too long.
    """
    for one in (model, *([over] if over else [])):
        find_layers(one, progress=progress)
    with time_limit(SECONDS_OF_ALL, too_large(model, SECONDS_OF_ALL)):
        found: Any = closed_form(model, metric, assume=assume) if over is None else ratio(model, over, metric)
        if form == "python":
            return FormulaOutput(found.python, [], None)
        if elasticity or terms:
            asked = {"elasticity": elasticities(model, metric)} if elasticity else {}
            asked |= {"by_term": by_term(model, metric)} if terms else {}
            found = FormulaTables(found, asked)
        elif form == "latex":
            return FormulaOutput(found.latex, [], None)
        return FormulaOutput("", found.tables(), found.streamed() if form == "json" else None)
