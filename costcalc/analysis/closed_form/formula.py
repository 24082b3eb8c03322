"""The closed form of a cost: the rules walked with symbols for knobs, collected by block.

derive(costcalc.load("efficientnet"), "macs").lines()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sympy import Add, Expr, Symbol, sympify

from costcalc.analysis.closed_form.code import equation, module
from costcalc.analysis.closed_form.deadline import SECONDS, time_limit
from costcalc.analysis.closed_form.domain import Domain, find_domain
from costcalc.analysis.closed_form.printers import LatexPrinter, Printer
from costcalc.analysis.closed_form.terms import factored, grouping_keys, merge_terms, multiply_out
from costcalc.analysis.closed_form.undecided import check_rows
from costcalc.analysis.cost import by_row, warnings_of
from costcalc.analysis.metrics import LEAVING, METRICS, has_formula, metric_of, what_they_count
from costcalc.analysis.unrolled import repeat_assumptions
from costcalc.analysis.walk import Row, walk
from costcalc.dims import check_size, is_array, is_symbolic
from costcalc.dims.kinds import canonical, to_exact
from costcalc.dims.size_checks import to_exact_array
from costcalc.dims.substitute import substitute
from costcalc.dtype import Dtype
from costcalc.errors import Problem, UnknownName, unknown
from costcalc.models.knob_texts import parse_settings
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import value_text

OF_THE_SECOND = ("given", "free", "text", "latex", "python", "terms", "where", "domain")
LINE = 160  # characters of a total shown beside its parts


@dataclass(frozen=True)
class Term:
    """One block's part of a formula."""

    name: str
    expression: Expr


def nothing_simpler() -> Formula | None:
    """Returns None: the formula has no floors to remove."""
    return None


@dataclass(frozen=True, eq=False, repr=False)
class Formula(Result):
    """A cost as a function of knobs: `f(r=256)` is the exact count there, `f.expression` the sympy expression.

    `knobs` maps each symbol to its value at the current settings (None if it cannot have it under the assumptions),
    `names` expressions to the names that their spec gives them, `given` says under which assumptions floors were
    removed.
    """

    model: Model
    metric: str
    terms: tuple[Term, ...]
    knobs: dict[str, Any]
    spatial: frozenset[Symbol] = frozenset()
    display_names: dict[str, str] = field(default_factory=dict)
    names: dict[Any, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    multiples: dict[str, Any] = field(default_factory=dict)  # knob -> what must divide it
    polynomial_in: frozenset[Symbol] = frozenset()  # symbols in which the total is multiplied out
    domain_finder: Callable[[], Domain] = Domain
    checker: Callable[[dict[str, Any]], None] | None = None  # raises ShapeError where what was open does not hold
    simpler: Callable[[], Formula | None] = nothing_simpler

    @cached_property
    def expression(self) -> Expr:
        """The sum of all terms as sympy adds it: like terms merged, nothing multiplied out."""
        return Add(*(term.expression for term in self.terms))

    @cached_property
    def total(self) -> Expr:
        """The sum of all terms with what they share in front, collected by image size."""
        total = merge_terms(term.expression for term in self.terms)
        for symbol in sorted(self.polynomial_in, key=str):
            total = multiply_out(total, symbol)
        return factored(total, grouping_keys(self.spatial | self.polynomial_in), numbers=False)

    @cached_property
    def parts(self) -> tuple[Term, ...]:
        """The terms as a reader wants them: what is common in front, collected by image size. Zeros left out."""
        keys = grouping_keys(self.spatial)
        pairs = ((term.name, factored(merge_terms([term.expression]), keys)) for term in self.terms)
        return tuple(Term(name, expression) for name, expression in pairs if expression != 0)

    @cached_property
    def domain(self) -> Domain:
        """Where it holds."""
        return self.domain_finder()

    @cached_property
    def printer(self) -> Printer:
        """Writes expressions with the symbols and names of this formula."""
        return Printer(self.display_names, self.names, leading=self.leading)

    @property
    def leading(self) -> list[str]:
        """The symbols that terms are sorted by first: image sizes."""
        return [symbol.name for symbol in self.spatial | self.polynomial_in]

    @cached_property
    def without_floors(self) -> Formula | None:
        """The same where floors and ceilings vanish, as for `r = 32·k`; None if none are left to remove."""
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
                raise self._not_free(name)
            values[name] = self._exact(name, value)
        self.check(values)
        shapes = [value.shape for value in values.values() if is_array(value)]
        found = substitute(self.expression, {name: value for name, value in values.items() if value is not None})
        return _as_array(found, shapes) if shapes else found

    def _exact(self, name: str, value: Any) -> Any:
        """A value of a knob, exact; a text is read as behind an @."""
        if isinstance(value, str) and name in self.model.knobs:
            return parse_settings([f"{name}={value}"], self.model.knobs, self.model.name)[name]
        return to_exact_array(value) if is_array(value) and value.ndim else canonical(to_exact(value))

    def _not_free(self, name: str) -> UnknownName:
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
            knob = self.model.knobs.get(name)  # none of a symbol that an assumption brought
            self.domain.check(
                self.display_names.get(name, name), knob.check(value) if knob else check_size(value, name, 1)
            )
        if self.checker and len(known) == len(values):
            self.checker(values)

    @cached_property
    def text(self) -> str:
        """The whole formula on a line."""
        return self.printer.write(self.total)

    @property
    def latex(self) -> str:
        """The formula for LaTeX with amsmath, a line for each block."""
        parts = [(term.name, term.expression) for term in self.parts]
        latex = LatexPrinter(self.display_names, self.names, leading=self.leading)
        return equation(self.metric, parts, self.where(), latex, LatexPrinter(self.display_names))

    def _repr_latex_(self) -> str:
        return self.latex

    @property
    def python(self) -> str:
        """A Python module with one function, named after the metric; its arguments are the knobs, set as they are now.
        It needs nothing but the standard library."""
        facts = [*self.given, *self.domain.limits(reasons=False)]
        about = f"{self.metric} of {self.model.label}: {'; '.join(facts) or 'exact everywhere'}"
        terms = [(term.name, term.expression) for term in self.parts]
        return module(
            self.metric, about, self.knobs, self.where(), terms, multiples=self.multiples, leading=self.leading
        )

    def where(self) -> dict[str, Expr]:
        """The names used, and what they stand for."""
        used = set().union(*(term.expression.atoms(*{type(e) for e in self.names}) for term in self.terms), set())
        return {name: expression for expression, name in self.names.items() if expression in used}

    def lines(self) -> list[str]:
        """Notes on the formula: its names, value, domain and assumptions."""
        plain = Printer(self.display_names)
        where = ", ".join(f"{name} = {plain.write(e)}" for name, e in self.where().items())
        return [*([f"where {where}"] if where else []), *self.now(), *self.domain.lines()]

    def now(self) -> list[str]:
        """Its value at the current settings, if these meet the assumptions."""
        used = {symbol.name for symbol in self.expression.free_symbols}
        if not used or None in self.knobs.values():
            return []
        at = (
            f"{self.display_names.get(name, name)} = {value_text(n)}" for name, n in self.knobs.items() if name in used
        )
        return [f"= {self():,} at {', '.join(at)}"]

    def table(self) -> Table:
        """A row for each block, and their sum where it is short."""
        columns = (Column("name", "block", "text"), Column("formula", label(self.metric), "text"))
        rows = [{"name": term.name, "formula": self.printer.write(term.expression)} for term in self.parts]
        whole = self.text if len(self.text) <= LINE else "the sum of these"
        given = "".join(f", {text}" for text in self.given)
        notes = [*self.lines(), *what_they_count([self.metric], self.model.dtype)]
        totals = {"name": "total", "formula": whole} if len(rows) != 1 else None
        return Table(f"{label(self.metric)} of {self.model.label}{given}", columns, rows, totals, notes)

    def tables(self) -> list[Table]:
        """The formula, and beside it the one without floors."""
        first = self.table()
        if self.without_floors is None:
            return [first]
        second = self.without_floors.table()
        counts = what_they_count([self.metric], self.model.dtype)
        first.notes = [note for note in first.notes if note not in counts]  # the second says them for both
        return [first, second]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def _fields(self) -> dict[str, Any]:
        latex = LatexPrinter(self.display_names, self.names, leading=self.leading)
        return {
            "target": self.model.label, "metric": self.metric, "knobs": dict(self.model.values),
            "free": dict(self.knobs), "given": list(self.given),
            "text": self.text, "latex": self.latex, "python": self.python,
            "terms": [{"name": t.name, "text": self.printer.write(t.expression), "latex": latex.write(t.expression)}
                      for t in self.parts],
            "where": {name: Printer(self.display_names).write(e) for name, e in self.where().items()},
            "domain": [bound.to_dict() for bound in self.domain.bounds],
            "conditions": list(self.domain.conditions), "assumptions": list(self.domain.assumed), **self._second(),
        }  # fmt: skip

    def _second(self) -> dict[str, Any]:
        if self.without_floors is None:
            return {}
        fields = self.without_floors._fields()
        return {"without_floors": {key: fields[key] for key in OF_THE_SECOND}}

    def _summary(self) -> str:
        return f"{self.metric} of {self.model.label} = {self.text}"


def _as_array(found: Any, shapes: Iterable[tuple[int, ...]]) -> Any:
    """The numbers as a numpy array of the shape that arrays of these shapes make together."""
    import numpy

    values = found.reduced().values() if is_array(found) else found
    return numpy.array(numpy.broadcast_to(values, numpy.broadcast_shapes(*shapes)))


def label(metric: str) -> str:
    """A metric as it is shown."""
    return METRICS[metric].title


def derive(
    model: Model, metric: str = "macs", *, free: Iterable[str] | None = None, seconds: float = SECONDS
) -> Formula:
    """The closed form of a metric of a network.

    Letters are the whole and real knobs that are not set, or those in `free`, set or not. Raises UnknownName for
    another metric, UsageError for one that has no closed form, CostcalcError for a formula that is too large or not
    done after so many seconds.
    """
    metric_of(metric, wanted=has_formula)
    return formula_of(model, metric, *walked(model, free, seconds))


def walked(model: Model, free: Iterable[str] | None = None, seconds: float = SECONDS) -> tuple[Any, list[Row]]:
    """The layer graph with symbols for knobs, and its rows. All closed forms of a model are made from them.

    Raises UsageError for a knob that is not numeric and not in `free`: the symbols are ours.
    """
    model.needs_numbers("what is set in a closed form", but={*free} if free else ())
    with time_limit(seconds, too_large(model, seconds)) as deadline:
        graph = _with_letters(model, free)
        rows = []
        for row in walk(graph):
            rows.append(row)
            deadline.check()
    return graph, rows


def formula_of(model: Model, metric: str, graph: Any, rows: list[Row]) -> Formula:
    """The closed form of a metric, from the result of `walked`."""
    rows = with_needs_of(metric, graph, rows)
    terms = tuple(_by_block(rows, _values(metric, graph, rows, model.dtype)))
    values = graph.graph["knobs"]
    display_names = {name: knob.letter or name for name, knob in model.knobs.items()}
    knobs = {name: model.values[name] for name, value in values.items() if is_symbolic(value)}
    below = [n for n in model.size_knobs if n not in model.settings and not model.knobs[n].may_be_symbol]
    numbers = [f"{display_names[name]} = {value_text(values[name])}, for a symbol is 1 or more" for name in below]
    return Formula(
        model, metric, terms, knobs, _spatial(rows), display_names, _names(model, values),
        domain_finder=lambda: find_domain(model, rows, knobs, graph.graph["assumed"], numbers, Printer(display_names)),
        checker=lambda values: check_rows(rows, values),
    )  # fmt: skip


def with_needs_of(metric: str, graph: Any, rows: list[Row]) -> list[Row]:
    """The rows; the first also carries the assumptions of this metric's closed form."""
    more = repeat_assumptions(graph) if METRICS[metric].layers and rows else []
    return [rows[0]._replace(assumed=(*rows[0].assumed, *more)), *rows[1:]] if more else rows


def too_large(model: Model, seconds: float) -> str:
    """The message for a formula that takes too long."""
    free = ", ".join(name for name in model.size_knobs if name not in model.settings)
    settings = f"set some of its knobs ({free}): --set knob=value" if free else "count it with `costcalc show`"
    return f"the closed form of {model.label} is too large: not done after {seconds:g} s; {settings}"


def _with_letters(model: Model, free: Iterable[str] | None) -> Any:
    """The layer graph with symbols for the knobs that are not set, or for those in `free`."""
    if free is None:
        return model.layers(free=model.knobs)
    settings = model.values_but({*free})
    return model.with_only(settings, model.label).layers(free=free)


def _values(name: str, graph: Any, rows: Sequence[Row], dtype: Dtype) -> list[Any]:
    """The metric of each row; their sum is the metric of the model."""
    metric = METRICS[name]
    if metric.layers:
        values = by_row(name, graph, rows, dtype)
        return [values[row.name] for row in rows]
    read = {source for row in rows for source in row.inputs} if metric.together == LEAVING else set()
    value = metric.of_row(dtype)
    return [0 if row.name in read else value(row) for row in rows]


def _by_block(rows: Iterable[Row], values: Iterable[Any]) -> Iterable[Term]:
    blocks: dict[str, list[Any]] = {}
    for row, value in zip(rows, values):
        blocks.setdefault(str(row.name).partition(".")[0], []).append(value)
    for name, costs in blocks.items():
        yield Term(name, Add(*map(sympify, costs)))


def _spatial(rows: Iterable[Row]) -> frozenset[Symbol]:
    """The symbols of the image sizes: axes of the inputs after batch and channels."""
    axes = [size for row in rows if row.op.is_input for size in row.output_shape[2:] if is_symbolic(size)]
    return frozenset(symbol for size in axes for symbol in size.free_symbols)


def _names(model: Model, values: dict[str, Any]) -> dict[Any, str]:
    """Names that the model gives to roundings: `c7` for round_to(192*w, 8)."""
    names: dict[Any, str] = {}
    for name, size in model.architecture.named_sizes(values).items():
        if is_symbolic(size) and size.is_Function:
            names.setdefault(size, name)
    return names
