"""A closed form in mathematical type: the whole of it where it fits on a few lines, else block by block."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.analysis.closed_form.formula import MAX_TOTAL_LENGTH, Formula
from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.sweep_chart import metric_unit
from costcalc.dims.symbolic import RoundTo

ROUNDED = (
    "round_to(x, m): x to the nearest multiple of m, at least m; one m more where that would lose over a tenth of x"
)


class Shown(NamedTuple):
    """Pieces of MathML between which a line may end; `blocks` have a name for each."""

    title: str
    unit: str
    whole: list[str]
    is_long: bool
    blocks: list[tuple[str, list[str]]]
    where: list[list[str]]
    notes: list[str]


def shown(formula: Formula) -> Shown:
    """A formula as the page has it."""
    math = MathMLPrinter(formula.display_names, formula.names, leading=formula.leading)
    plain = MathMLPrinter(formula.display_names, leading=formula.leading)
    blocks = [(term.name, math.pieces(term.expression)) for term in formula.parts]
    where = [
        [f"{plain.symbol(n)}<mo>=</mo>{first}", *more]
        for n, e in formula.where().items()
        for first, *more in [plain.pieces(e)]
    ]
    rounded = [ROUNDED] if formula.expression.has(RoundTo) else []
    long = len(formula.text) > 2 * MAX_TOTAL_LENGTH
    unit = metric_unit(formula.metric)
    return Shown(
        METRICS[formula.metric].title, unit, math.pieces(formula.total), long,
        blocks if len(blocks) > 1 else [], where, [*rounded, *formula.now(), *formula.domain.lines()],
    )  # fmt: skip
