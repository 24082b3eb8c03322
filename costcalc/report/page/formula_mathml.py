"""A closed form as MathML, in one formula and block by block."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.analysis.closed_form.formula import MAX_TOTAL_LENGTH, Formula
from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.analysis.metrics import METRICS
from costcalc.dims.symbolic import RoundTo

ROUND_TO_NOTE = (
    "round_to(x, m): x to the nearest multiple of m, at least m; one m more where that would lose over a tenth of x"
)
MAX_BLOCKS = 120  # of a formula that is written block by block


class FormulaMathML(NamedTuple):
    """Pieces of MathML, between which a line may end; those of `blocks` with a name each."""

    title: str
    unit: str
    whole: list[str]
    is_long: bool
    blocks: list[tuple[str, list[str]]]
    where: list[list[str]]
    notes: list[str]


def formula_mathml(formula: Formula) -> FormulaMathML:
    """A formula as it stands on a page."""
    math = MathMLPrinter(formula.display_names, formula.names, leading=formula.leading)
    plain = MathMLPrinter(formula.display_names, leading=formula.leading)
    few = len(formula.parts) <= MAX_BLOCKS
    blocks = [(term.name, math.pieces(term.expression)) for term in formula.parts] if few else []
    where = [
        [f"{plain.symbol(n)}<mo>=</mo>{first}", *more]
        for n, e in formula.where().items()
        for first, *more in [plain.pieces(e)]
    ]
    notes = [ROUND_TO_NOTE] if formula.expression.has(RoundTo) else []
    notes += [] if few else [f"of {len(formula.parts):,} blocks, which `costcalc formula` has"]
    long = len(formula.text) > 2 * MAX_TOTAL_LENGTH
    metric = METRICS[formula.metric]
    return FormulaMathML(
        metric.title, metric.unit, math.pieces(formula.total), long,
        blocks if len(blocks) > 1 else [], where, [*notes, *formula.now(), *formula.domain.lines()],
    )  # fmt: skip
