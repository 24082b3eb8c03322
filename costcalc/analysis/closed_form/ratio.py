"""The ratio of two costs as algebra, such as 1/n_c' + 1/f², and where the two are equal.

ratio(costcalc.load("conv_depthwise_separable"), costcalc.load("conv_normal"), "macs").text
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from sympy import Expr

from costcalc.analysis.closed_form.deadline import SECONDS, time_limit
from costcalc.analysis.closed_form.derive import derive, find_layers, too_large
from costcalc.analysis.closed_form.formula import Formula
from costcalc.analysis.closed_form.latex import LatexPrinter, align, escaped
from costcalc.analysis.closed_form.linear_break_even import LinearBreakEven, break_evens, quotient
from costcalc.analysis.closed_form.printers import Printer
from costcalc.analysis.closed_form.python_module import module
from costcalc.analysis.closed_form.terms import Sum, common_factor, divide, merge_terms
from costcalc.analysis.columns import metric_cell
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.warnings import warnings_of
from costcalc.dims import canonical, is_rational, size_symbol, whole
from costcalc.dims.substitute import substitute
from costcalc.errors import CostcalcError, Problem, UsageError
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table
from costcalc.text import times_text, value_text

MAX_LINE_LENGTH = 100  # characters of algebra on a line


@dataclass(frozen=True, eq=False, repr=False)
class Ratio(Result):
    """The cost of `model` over that of `other`, in the symbols both have; symbols of one name are one knob."""

    model: Model
    other: Model
    metric: str
    expression: Expr
    knobs: dict[str, Any]
    display_names: dict[str, str]
    names: dict[Any, str]
    break_evens: tuple[LinearBreakEven, ...] = ()
    formulas: tuple[Formula, ...] = ()  # of the two

    def __call__(self, **knobs: Any) -> Any:
        """The exact ratio at these values: an int or a Fraction; for numpy arrays an array of them.

        Raises as a Formula does, and UsageError where `other` costs nothing.
        """
        for name in knobs:
            if name not in self.knobs:
                raise self.formulas[0].not_free(name)
        over, under = (f(**{name: knobs[name] for name in knobs if name in f.knobs}) for f in self.formulas)
        if is_rational(over) and is_rational(under):
            return canonical(self._quotient(over, under))
        import numpy as np

        return np.frompyfunc(self._quotient, 2, 1)(over, under)

    def _quotient(self, over: Any, under: Any) -> Fraction:
        if not under:
            raise UsageError(f"{self.other.label} has no {self.metric} there to compare with")
        return Fraction(over) / Fraction(under)

    @cached_property
    def printer(self) -> Printer:
        """Writes expressions with the symbols of the knobs, simple terms first."""
        return Printer(self.display_names, self.names, simple_first=True)

    @property
    def sides(self) -> list[str]:
        """The names of the two, with their settings if the names are equal."""
        short = [model.label.partition("@")[0] for model in (self.model, self.other)]
        return short if short[0] != short[1] else [self.model.label, self.other.label]

    @cached_property
    def text(self) -> str:
        """The ratio on a line."""
        return self.printer.write(self.expression)

    @property
    def latex(self) -> str:
        """The ratio as an `align*` of amsmath."""
        sides = [rf"\text{{{escaped(side)}}}" for side in self.sides]
        latex = LatexPrinter(self.display_names, self.names, simple_first=True)
        line = rf"\frac{{{sides[0]}}}{{{sides[1]}}} &= {latex.write(self.expression)}"
        return align([line], [self.expression], latex)

    def _repr_latex_(self) -> str:
        return self.latex

    @property
    def python(self) -> str:
        """A Python module with one function of the knobs, `ratio`, which returns an int or a Fraction."""
        about = f"{self.metric} of {self.model.label} / {self.metric} of {self.other.label}"
        used = {name: self.knobs[name] for name in self._used()}
        return module("ratio", about, used, self._names(), [("", self.expression)])

    @property
    def fits_on_a_line(self) -> bool:
        """Is it short enough for one line?"""
        return len(self.text) <= MAX_LINE_LENGTH

    @property
    def value(self) -> Any:
        """The ratio at the current settings, exactly: an int or a Fraction."""
        return substitute(self.expression, self.knobs)

    def lines(self) -> list[str]:
        """The ratio, its value, its break-evens and its domain, a line each."""
        lines = [f"{METRICS[self.metric].title} of {' / '.join(self.sides)} = {self.text}", self._now()]
        lines += [*self._apart(), *map(self.sentence, self.break_evens)]
        return [*lines, *self.printer.where_line(self._names()), *self.limits()]

    def _now(self) -> str:
        value = self.value
        at = self.printer.settings(self._used())
        fewer = f" (÷{times_text(1 / Fraction(value))})" if 0 < value < 1 else ""
        times = f" (×{times_text(value)})" if value > 1 else fewer
        exact = (
            f"{value.numerator:,}/{value.denominator:,} = "
            if isinstance(value, Fraction) and value.denominator < 10**9
            else ""
        )
        return f"= {exact}{float(value):.4g}{times}" + (f" at {at}" if at else "")

    def _apart(self) -> Iterator[str]:
        """A line for each knob that stayed a number and differs between the two."""
        for name, value in self.model.values.items():
            theirs = self.other.values.get(name, value)
            if name not in self.knobs and theirs != value and self.model.knobs[name].is_size:
                first, second = self.sides
                yield f"{self.printer.symbol(name)} = {value_text(value)} in {first}, {value_text(theirs)} in {second}"

    def _used(self) -> dict[str, Any]:
        used = {symbol.name for symbol in self.expression.free_symbols}
        return {name: value for name, value in self.knobs.items() if name in used}

    def _names(self) -> dict[str, Expr]:
        return self.printer.used_names([self.expression])

    def sentence(self, even: LinearBreakEven) -> str:
        """`fewer MACs while b < k²·c_in·c_out/(c_in + k²·c_out) = 154.84; b is 16`"""
        symbol, value = self.printer.symbol(even.knob), even.value
        number = f"{value:,}" if whole(value) else f"{float(value):,.6g} ({value.numerator:,}/{value.denominator:,})"
        bound = self.printer.write(even.expression)
        if len(bound) > MAX_LINE_LENGTH:
            bound = number
        same = "" if bound == number else f" = {number}"
        fewer = f"fewer {METRICS[self.metric].title} while {symbol} {even.sign} {bound}{same}"
        return f"{fewer}; {symbol} is {value_text(even.current)}"

    def tables(self) -> list[Table]:
        """The ratio as a table of one row."""
        columns = (Column("metric", "", "text"), Column("text", "ratio", "text"))
        row = {"metric": metric_cell(self.metric), "text": self.text}
        return [Table(f"{self.model.label} / {self.other.label}", columns, [row], None, self.lines()[1:])]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(model.label, warnings_of(model)) for model in (self.model, self.other)]

    def _fields(self) -> dict[str, Any]:
        value = Fraction(self.value)
        return {
            "target": self.model.label, "over": self.other.label, "metric": self.metric, "knobs": dict(self.knobs),
            "text": self.text, "latex": self.latex, "python": self.python,
            "value": {"numerator": value.numerator, "denominator": value.denominator, "decimal": float(value)},
            "break_evens": [
                {"knob": e.knob, "sign": e.sign, "text": self.printer.write(e.expression), "value": float(e.value),
                 "current": e.current} for e in self.break_evens
            ],
            "domain": self.limits(),
        }  # fmt: skip

    def _summary(self) -> str:
        return self.lines()[0]

    def limits(self) -> list[str]:
        """The limits within which both formulas hold."""
        first, second = self.formulas
        return (first.domain & second.domain).limits()


def ratio(model: Model, other: Model, metric: str = "macs") -> Ratio:
    """The cost of `model` over that of `other`, as algebra. Knobs that a target sets, and those in which the two
    differ, are numbers; all others are symbols.

    Raises UnknownName for an unknown metric, CostcalcError if `other` costs nothing or a formula is too large.
    """
    for one in (model, other):
        find_layers(one)
    with time_limit(SECONDS, too_large(model, SECONDS)):
        first, second = derive(model, metric), derive(other, metric)
        apart = {name for name, value in first.knobs.items() if second.knobs.get(name, value) != value}
        if apart:
            first, second = (derive(one.model, metric, free=set(one.knobs) - apart) for one in (first, second))
        return _ratio(first, second)


def _ratio(first: Formula, second: Formula) -> Ratio:
    model, other, metric = first.model, second.model, first.metric
    over, under = (_one_kind(formula, {**first.knobs, **second.knobs}, (model, other)) for formula in (first, second))
    if not under:
        raise CostcalcError(f"{other.label} has no {metric} to compare with")
    shared = common_factor([*over, *under])
    over, under = ({divide(p, shared): n for p, n in one.items()} for one in (over, under))
    knobs = {**second.knobs, **first.knobs}
    display_names = {**second.display_names, **first.display_names}
    names = _unlike({**second.names, **first.names}) if model.name == other.name else {}
    evens = tuple(break_evens(over, under, knobs))
    return Ratio(model, other, metric, quotient(over, under), knobs, display_names, names, evens, (first, second))


def _unlike(names: dict[Any, str]) -> dict[Any, str]:
    """The names that stand for one size alone: the two models may give one name to different sizes."""
    times = Counter(names.values())
    return {expression: name for expression, name in names.items() if times[name] == 1}


def _one_kind(formula: Formula, knobs: Any, models: tuple[Model, Model]) -> Sum:
    """The formula's terms; the symbol of a knob that is real in one of the models is real in both."""
    real = {name for name in knobs for model in models if name in model.knobs and model.knobs[name].kind == "real"}
    same = {
        symbol: size_symbol(symbol.name, real=True) for symbol in formula.expression.free_symbols if symbol.name in real
    }
    return merge_terms(term.expression.xreplace(same) for term in formula.terms)
