"""Networks beside each other on a page: ratios, the ratio of two as algebra, and where two cost the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costcalc.analysis.closed_form.linear_break_even import LinearBreakEven
from costcalc.analysis.closed_form.mathml import MathMLPrinter
from costcalc.analysis.closed_form.printers import symbol_parts
from costcalc.analysis.compare import Comparison, compare_models
from costcalc.analysis.metrics import METRICS
from costcalc.dims import whole
from costcalc.models.model import Model
from costcalc.report.page.javascript import function
from costcalc.report.page.shared_sliders import Slider
from costcalc.table import Table, cell
from costcalc.text import rounded, value_text


@dataclass(frozen=True)
class Even:
    """Where two networks cost the same, in words: `b`, `<`, `154.839 (4,800/31)`, as a formula, and the knob now."""

    knob: str
    sign: str
    bound: str
    now: str
    math: str
    place: int | None  # of the slider of the knob


@dataclass(frozen=True, eq=False)
class ComparisonView:
    """The comparison of several networks by one metric."""

    comparison: Comparison
    sliders: Sequence[Slider] = ()

    @classmethod
    def of(
        cls, models: Sequence[Model], by: str, baseline: str | None, depth: int | None, algebra: bool | None
    ) -> ComparisonView:
        """Raises what `compare` raises."""
        return cls(compare_models(models, by=by, baseline=baseline, depth=depth, algebra=algebra))

    @property
    def break_evens(self) -> Sequence[LinearBreakEven]:
        """Where the two networks of a comparison cost the same, as formulas."""
        return self.comparison.algebra.break_evens if self.comparison.algebra else ()

    @property
    def reach(self) -> dict[str, Any]:
        """How far the sliders of knobs reach, so that the networks cost the same before their end."""
        return {
            even.knob: even.value + (even.value - even.current) / 4 for even in self.break_evens if even.sign == "<"
        }

    @property
    def cheaper(self) -> str:
        """The network that costs less below a break-even."""
        return self.comparison.algebra.sides[0] if self.comparison.algebra else ""

    def factor(self, number: int, metric: str) -> str:
        """`÷9.68`: a network's cost to the baseline's."""
        found = self.comparison.ratio(self.comparison.costs[number], metric)
        return "" if found is None or number == self.comparison.baseline else cell(found, "factor")

    def tables(self) -> list[Table]:
        """Where the difference is made, without the lines of the algebra."""
        tables = self.comparison.tables()[1:]
        if self.comparison.algebra and tables:
            tables[-1].notes = tables[-1].notes[len(self.comparison.algebra.lines()) :]
        return tables

    def algebra(self) -> tuple[str, str, str, str] | None:
        """The ratio of the two as MathML, and its value: the metric, the names of the two, and the formula."""
        found = self.comparison.algebra
        if found is None:
            return None
        math = MathMLPrinter(found.display_names, found.names, simple_first=True)
        first, second = found.sides
        return METRICS[found.metric].title, first, second, math.write(found.expression)

    def algebra_notes(self) -> list[str]:
        """The value of the ratio and the limits within which it holds."""
        found = self.comparison.algebra
        return [*(f"{line}, as they are set" for line in found.lines()[1:2]), *found.limits()] if found else []

    def evens(self, sliders: Sequence[Slider]) -> list[Even]:
        """Where the two cost the same."""
        found = self.comparison.algebra
        math = MathMLPrinter(found.display_names, found.names, simple_first=True) if found else None
        return [
            Even(
                plain_symbol(found.display_names.get(even.knob, even.knob)), even.sign, bound_text(even.value),
                value_text(even.current),
                math.write(even.expression), self._place(even.knob, sliders),
            )
            for even in self.break_evens if math
        ]  # fmt: skip

    def _place(self, knob: str, sliders: Sequence[Slider]) -> int | None:
        return next((at for at, slider in enumerate(sliders) if slider.name == knob), None)

    def code(self, sliders: Sequence[Slider]) -> str:
        """The bounds as JavaScript; null if a knob has several sliders."""
        several = any(slider.whose for slider in sliders)
        known: Mapping[str, int] = {slider.name: at for at, slider in enumerate(sliders)}
        symbols = {symbol for even in self.break_evens for symbol in even.expression.free_symbols}
        if several or not self.break_evens or any(symbol.name not in known for symbol in symbols):
            return "null"
        return function([even.expression for even in self.break_evens], {s: known[s.name] for s in symbols})


def bound_text(value: Any) -> str:
    """`154.839 (4,800/31)`: a value to six digits, and exactly."""
    if whole(value):
        return f"{int(value):,}"
    return f"{significant(value)} ({value.numerator:,}/{value.denominator:,})"


def significant(value: Any, digits: int = 6) -> str:
    """A number above 0 to so many digits, whole ones in full."""
    number = float(value)
    before = len(str(int(number))) if number >= 1 else 1
    text = rounded(value, max(0, digits - before))
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_symbol(name: str) -> str:
    """A symbol in running text."""
    head, below, primes = symbol_parts(name)
    return f"{head}{chr(39) * primes}" + (f"_{below}" if below else "")
