"""A closed form: its terms by block, its value at given knobs, where it holds, and its text, LaTeX and Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from sympy import Add, Expr, Symbol

from costcalc.analysis.closed_form.domain import Domain
from costcalc.analysis.closed_form.latex import LatexPrinter, equation
from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.analysis.closed_form.notebook_math import math_table
from costcalc.analysis.closed_form.printers import Printer, SpecPrinter
from costcalc.analysis.closed_form.python_module import module
from costcalc.analysis.closed_form.terms import factored, grouping_keys, merge_terms, multiply_out
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.warnings import warnings_of
from costcalc.dims import check_size, is_array, to_exact, to_exact_array
from costcalc.dims.substitute import substitute
from costcalc.errors import Problem, UnknownName, unknown
from costcalc.models.knob_texts import parse_settings
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table, Worded
from costcalc.table.html import paragraphs
from costcalc.text import value_text

FLOOR_FREE_FIELDS = ("given", "free", "text", "latex", "python", "terms", "where", "domain")
MAX_TOTAL_LENGTH = 160  # characters of a total shown beside its parts


class Term(NamedTuple):
    """One block's part of a formula."""

    name: str
    expression: Expr


@dataclass(frozen=True, eq=False, repr=False)
class Formula(Result):
    """A cost as a function of knobs: `f(r=256)` is the exact count there, `f.expression` the sympy expression.

    `knobs` maps each symbol to its value at the current settings (None if the assumptions exclude that value), `names`
    maps expressions to their names in the spec, `given` lists the assumptions under which floors were removed.
    """

    model: Model
    metric: str
    terms: tuple[Term, ...]
    knobs: dict[str, Any]
    spatial: frozenset[Symbol]
    display_names: dict[str, str]
    names: dict[Any, str]
    domain_finder: Callable[[], Domain]
    checker: Callable[[dict[str, Any]], None]  # raises ShapeError where an undecided need fails
    found: str = ""  # how the layers of an imported network were found
    given: tuple[str, ...] = ()
    multiples: dict[str, Any] = field(default_factory=dict)  # knob -> the number that must divide it
    polynomial_in: frozenset[Symbol] = frozenset()  # symbols in which the total is multiplied out
    simpler: Callable[[], Formula | None] = lambda: None

    @cached_property
    def expression(self) -> Expr:
        """The sum of all terms: like terms merged, nothing multiplied out."""
        return Add(*(term.expression for term in self.terms))

    @cached_property
    def total(self) -> Expr:
        """The sum of all terms with common factors in front, collected by image size."""
        total = merge_terms(term.expression for term in self.terms)
        for symbol in sorted(self.polynomial_in, key=str):
            total = multiply_out(total, symbol)
        return factored(total, grouping_keys(self.spatial | self.polynomial_in), numbers=False)

    @cached_property
    def parts(self) -> tuple[Term, ...]:
        """The terms that are not 0, with common factors in front, collected by image size."""
        keys = grouping_keys(self.spatial)
        pairs = ((term.name, factored(merge_terms([term.expression]), keys)) for term in self.terms)
        return tuple(Term(name, expression) for name, expression in pairs if expression != 0)

    @cached_property
    def domain(self) -> Domain:
        """The values of its knobs at which it holds."""
        return self.domain_finder()

    @cached_property
    def printer(self) -> Printer:
        """Writes expressions with the symbols and names of this formula."""
        return Printer(self.display_names, self.names, leading=self.leading)

    @cached_property
    def _latex(self) -> LatexPrinter:
        return LatexPrinter(self.display_names, self.names, leading=self.leading)

    @property
    def leading(self) -> list[str]:
        """The symbols by which terms are sorted first: image sizes."""
        return [symbol.name for symbol in self.spatial | self.polynomial_in]

    @cached_property
    def without_floors(self) -> Formula | None:
        """The formula for knobs at which floors and ceilings vanish, such as `r = 32·k`; None if it has none."""
        return self.simpler()

    def __call__(self, **knobs: Any) -> Any:
        """The exact count at these values: an int or a Fraction; for numpy arrays an array.

        Other knobs keep their current values; a float is read as its decimal digits. Raises UnknownName for a
        knob that the formula does not have, UsageError for a value that the knob does not take or a knob without one,
        ShapeError where the formula does not hold.
        """
        values = {**self.knobs}
        for name, value in knobs.items():
            if name not in self.knobs:
                raise self.not_free(name)
            values[name] = self._exact(name, value)
        self.check(values)
        shapes = [value.shape for value in values.values() if is_array(value)]
        found = substitute(self.expression, {name: value for name, value in values.items() if value is not None})
        return _as_array(found, shapes) if shapes else found

    def _exact(self, name: str, value: Any) -> Any:
        """The exact value of a knob; a text is read like `@knob=value`."""
        if isinstance(value, str) and name in self.model.knobs:
            return parse_settings([f"{name}={value}"], self.model.knobs, self.model.name)[name]
        return to_exact_array(value) if is_array(value) and value.ndim else to_exact(value)

    def not_free(self, name: str) -> UnknownName:
        """The error for a name that is not a free knob."""
        if name in self.model.knobs and name not in self.model.settings and self.given:
            return UnknownName(f"{name} is not a symbol of this formula, which has {', '.join(self.knobs)}")
        if name in self.model.knobs:
            value = value_text(self.model.values[name])
            return UnknownName(f"{name} is set to {value} in this formula; take that of a network that does not set it")
        return unknown("knob", name, self.knobs)

    def check(self, values: dict[str, Any]) -> None:
        """Raises UsageError or ShapeError if the formula does not hold at these values of its symbols."""
        known = {name: value for name, value in values.items() if value is not None}
        for name, value in known.items():
            knob = self.model.knobs.get(name)  # the symbol of an assumption has no knob
            self.domain.check(self.printer.symbol(name), knob.check(value) if knob else check_size(value, name, 1))
        if len(known) == len(values):
            self.checker(values)

    @cached_property
    def text(self) -> str:
        """The whole formula on a line."""
        return self.printer.write(self.total)

    @property
    def latex(self) -> str:
        """The formula for LaTeX with amsmath, a line for each block."""
        return equation(self.metric, self.parts, self._latex)

    def _repr_latex_(self) -> str:
        return self.latex

    def _repr_html_(self) -> str:
        """A notebook's view: browsers set its MathML as they would its LaTeX."""
        of_tables = [self, *filter(None, [self.without_floors])]
        warnings = paragraphs(dict.fromkeys(map(str, self.warnings)))
        return "".join(map(Formula._math, of_tables, self.tables())) + warnings

    def _math(self, table: Table) -> str:
        rows = [(term.name, term.expression) for term in self.parts]
        if len(rows) != 1 and len(self.text) <= MAX_TOTAL_LENGTH:
            rows.append(("total", self.total))
        return math_table(table, rows, MathMLPrinter(self.display_names, self.names, leading=self.leading))

    @property
    def python(self) -> str:
        """A Python module that needs only the standard library, with one function named after the metric; its arguments
        are the knobs, by default at their current values."""
        facts = [*self.given, *self.domain.limits(reasons=False)]
        about = f"{self.metric} of {self.model.label}: {'; '.join(facts) or 'exact everywhere'}"
        return module(
            self.metric, about, self.knobs, self.where(), self.parts, multiples=self.multiples, leading=self.leading
        )

    def where(self) -> dict[str, Expr]:
        """The names in the formula, and the expression of each."""
        return self.printer.used_names(term.expression for term in self.terms)

    def lines(self) -> list[str]:
        """Notes on the formula: its names, value, domain and assumptions."""
        found = [self.found] if self.found else []
        return [*self.printer.where_line(self.where()), *self.now(), *self.domain.lines(), *found]

    def now(self) -> list[str]:
        """Its value at the current settings, if these meet the assumptions."""
        used = {symbol.name for symbol in self.expression.free_symbols}
        if not used or None in self.knobs.values():
            return []
        at = {name: value for name, value in self.knobs.items() if name in used}
        return [f"= {self():,} at {self.printer.settings(at)}"]

    def table(self) -> Table:
        """A row for each block, and their sum if it is short."""
        title = METRICS[self.metric].title
        columns = (Column("name", "block", "text"), Column("formula", title, "text"))
        rows = [{"name": term.name, "formula": self.cell(term.expression)} for term in self.parts]
        whole = self.text if len(self.text) <= MAX_TOTAL_LENGTH else "the sum of these"
        given = "".join(f", {text}" for text in self.given)
        notes = [*self.lines(), *metric_notes([self.metric], self.model.dtype, self.model.step)]
        totals = {"name": "total", "formula": whole} if len(rows) != 1 else None
        return Table(f"{title} of {self.model.label}{given}", columns, rows, totals, notes)

    def cell(self, expression: Expr) -> Worded:
        """A part of the formula in a table; in CSV as specs and Python write arithmetic."""
        plain = SpecPrinter(self.printer.display_names, self.printer.names, leading=self.printer.leading)
        return Worded(self.printer.write(expression), plain.write(expression))

    def tables(self) -> list[Table]:
        """The formula, and the one without floors."""
        first = self.table()
        if self.without_floors is None:
            return [first]
        second = self.without_floors.table()
        counts = metric_notes([self.metric], self.model.dtype, self.model.step)
        first.notes = [note for note in first.notes if note not in counts]  # the second says them for both
        return [first, second]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def _fields(self) -> dict[str, Any]:
        text, latex = self.printer.write, self._latex.write
        second = self.without_floors and self.without_floors._fields()
        return {
            "target": self.model.label, "metric": self.metric, "knobs": dict(self.model.values),
            "free": dict(self.knobs), "given": list(self.given),
            "text": self.text, "latex": self.latex, "python": self.python,
            "terms": [{"name": t.name, "text": text(t.expression), "latex": latex(t.expression)}
                      for t in self.parts],
            "where": {name: Printer(self.display_names).write(e) for name, e in self.where().items()},
            "domain": [bound.to_dict() for bound in self.domain.bounds],
            "conditions": list(self.domain.conditions), "assumptions": list(self.domain.assumed),
            **({"found": self.found} if self.found else {}),
            **({"without_floors": {key: second[key] for key in FLOOR_FREE_FIELDS}} if second else {}),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.metric} of {self.model.label} = {self.text}"


def _as_array(found: Any, shapes: Iterable[tuple[int, ...]]) -> Any:
    """The numbers as a numpy array of the shape to which these shapes broadcast."""
    import numpy

    values = found.reduced().values() if is_array(found) else found
    return numpy.array(numpy.broadcast_to(values, numpy.broadcast_shapes(*shapes)))
