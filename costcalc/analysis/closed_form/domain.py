"""The domain of a formula, as in `holds for r ≥ 32`: the range of each knob, and what symbols leave undecided."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from costcalc.analysis.closed_form.printers import Printer
from costcalc.analysis.closed_form.undecided import Undecided, undecided_of
from costcalc.analysis.walk import Row
from costcalc.dims import MAX_SIZE, is_array, is_symbolic
from costcalc.models.knob import SMALLEST_REAL
from costcalc.models.model import Model
from costcalc.ops.check_needs import assumptions
from costcalc.ops.needs import AtLeast, Need, Whole
from costcalc.text import value_text

OF_THE_SPEC = "the spec does not allow it"
FROM_ONE = "a symbol is 1 or more; set the knob to count what is below"


@dataclass(frozen=True)
class Bound:
    """The range of a knob, and what fails just below and just above it."""

    symbol: str
    low: Any
    high: Any = None
    low_reason: str = ""
    high_reason: str = ""

    def __str__(self) -> str:
        low = value_text(self.low)
        if self.high is None:
            return f"{self.symbol} ≥ {low}"
        return f"{self.symbol} = {low}" if self.low == self.high else f"{low} ≤ {self.symbol} ≤ {value_text(self.high)}"

    def to_dict(self) -> dict[str, Any]:
        """Its entry in a JSON document."""
        return {
            "letter": self.symbol, "least": self.low, "most": self.high, "because": self.low_reason,
            "above": self.high_reason,
        }  # fmt: skip

    def __and__(self, other: Bound) -> Bound:
        """The range that both allow."""
        low = self if self.low >= other.low else other
        ends = [bound for bound in (self, other) if bound.high is not None]
        high = min(ends, key=lambda bound: bound.high, default=low)
        return Bound(self.symbol, low.low, high.high, low.low_reason, high.high_reason)


@dataclass(frozen=True)
class Domain:
    """Bounds of knobs, conditions on several symbols, and sizes assumed to be whole."""

    bounds: tuple[Bound, ...] = ()
    conditions: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`r ≥ 63`, with conditions and assumptions; `everywhere` without any."""
        return ", ".join([*map(str, self.bounds), *self.conditions, *self.assumed]) or "everywhere"

    def __and__(self, other: Domain) -> Domain:
        """The domain in which both hold."""
        bounds = {bound.symbol: bound for bound in self.bounds}
        for bound in other.bounds:
            mine = bounds.get(bound.symbol)
            bounds[bound.symbol] = bound if mine is None else mine & bound
        conditions = tuple(dict.fromkeys((*self.conditions, *other.conditions)))
        assumed = tuple(dict.fromkeys((*self.assumed, *other.assumed)))
        return Domain(tuple(bounds.values()), conditions, assumed)

    def check(self, symbol: str, value: Any) -> None:
        """Raises ShapeError for a value outside the bounds of a symbol; of an array, for the first such value."""
        message = "the formula holds for {}, not for {}{}"
        for bound in self.bounds:
            if bound.symbol == symbol:
                shown = value if is_array(value) else value_text(value)
                most = value if bound.high is None else bound.high
                low = (bound, shown, bound.low_reason and f"; {bound.low_reason}")
                high = (bound, shown, bound.high_reason and f"; {bound.high_reason}")
                at_least = AtLeast(value, bound.low, message=message, message_sizes=low)
                at_most = AtLeast(most, value, message=message, message_sizes=high)
                assumptions([at_least, at_most])

    def lines(self) -> list[str]:
        """The limits, a line each; without limits a line that says so."""
        return self.limits() or ["holds for every value of its knobs"]

    def limits(self, *, reasons: bool = True) -> list[str]:
        """Bounds, the reason for each, conditions and assumptions."""
        holds = [f"holds for {', '.join(map(str, self.bounds))}"] if self.bounds else []
        why: dict[tuple[str, str], list[str]] = {}  # ends of bounds with the same reason, on a line
        for word, end, reason in (("below", "low", "low_reason"), ("above", "high", "high_reason")):
            for bound in self.bounds:
                if reasons and (text := getattr(bound, reason)):
                    why.setdefault((word, text), []).append(f"{bound.symbol} = {getattr(bound, end)}")
        beyond = [f"{word} {' or '.join(ends)}: {text}" for (word, text), ends in why.items()]
        conditions = [f"holds {text}" for text in self.conditions]
        return [*holds, *beyond, *conditions, *(f"assumes {text}" for text in self.assumed)]


def find_domain(
    model: Model,
    rows: Iterable[Row],
    free: dict[str, Any],
    assumed: Iterable[Need],
    below: Iterable[str],
    printer: Printer,
) -> Domain:
    """The domain of a formula in the symbols `free` (by name), from the undecided needs of rows.

    `assumed` are the undecided needs of building the graph; `below` lists knobs that stay numbers, being less than 1.
    """
    needs: dict[Any, Undecided] = {}
    for one in undecided_of(rows):
        needs.setdefault(one.need.slack if one.need.slack is not None else one.need.key, one)
    by_knob: dict[str, list[Undecided]] = {name: [] for name in free}
    whole = {need.args[0]: Whole(*need.args) for need in assumed}
    conditions: dict[str, None] = {}
    for one in needs.values():
        if one.monotone:
            by_knob[one.knob].append(one)
        elif isinstance(one.need, Whole):
            whole.setdefault(one.need.args[0], Whole(*one.need.args))
        else:
            conditions[f"where {one.need.requirement(partial(_shown, printer))}"] = None
    found = [_bound(model, name, limits, printer) for name, limits in by_knob.items()]
    texts = (need.requirement(partial(_shown, printer)) for need in _fewest(whole))
    return Domain(tuple(b for b in found if b), tuple(conditions), (*texts, *below))


def _shown(printer: Printer, size: Any) -> str:
    return printer.write(size) if is_symbolic(size) else str(size)


def _bound(model: Model, name: str, limits: list[Undecided], printer: Printer) -> Bound | None:
    """The bound of a knob, from its range in the spec and the needs that limit it; None if it has no limits."""
    knob, now = model.knobs[name], model.values[name]
    if knob.kind == "real":
        least, because = knob.low, OF_THE_SPEC if knob.low > SMALLEST_REAL else ""
    else:
        least, because = least_value(name, now, [limit for limit in limits if limit.monotone > 0])
        if knob.low > least:
            least, because = knob.low, OF_THE_SPEC
        elif least == 1 > knob.low:
            because = FROM_ONE
    most, above = (knob.high, OF_THE_SPEC) if knob.high < MAX_SIZE else (None, "")
    greatest, why = greatest_value(name, now, [limit for limit in limits if limit.monotone < 0])
    if greatest is not None and (most is None or greatest < most):
        most, above = greatest, why
    return Bound(printer.symbol(name), least, most, because, above) if because or most is not None else None


def least_value(name: str, now: int, limits: list[Undecided]) -> tuple[int, str]:
    """The smallest value of an integer knob at which these needs hold, and the message of the one that fails below it.

    All of them hold from the value `now` on, or from a larger one."""
    first, last = (now, MAX_SIZE) if _why(name, now, limits) else (1, now)  # an imported network may hold above it
    least = first + bisect_left(range(first, last), True, key=lambda value: not _why(name, value, limits))
    return least, _why(name, least - 1, limits) if least > 1 else ""


def greatest_value(name: str, now: int, limits: list[Undecided]) -> tuple[int | None, str]:
    """The largest such value, None without one, and the message of the need that fails above it."""
    if not _why(name, MAX_SIZE, limits):
        return None, ""
    first, last = (1, now) if _why(name, now, limits) else (now + 1, MAX_SIZE)  # an imported network may hold below it
    most = first - 1 + bisect_left(range(first, last), True, key=lambda value: bool(_why(name, value, limits)))
    return most, _why(name, most + 1, limits)


def _why(name: str, value: int, limits: list[Undecided]) -> str:
    """The message of the first need that fails at a value of the knob; empty if all hold."""
    return next((text for limit in limits if (text := limit.fails(**{name: value}))), "")


def _fewest(wholes: Mapping[Any, Need]) -> Iterator[Need]:
    """The assumptions that do not follow from another: 64·w is whole if 32·w is."""
    known = [size.as_coeff_Mul() for size in wholes]
    for size, need in wholes.items():
        factor, rest = size.as_coeff_Mul()
        if not any(rest == other and factor != n and (factor / n).is_Integer for n, other in known):
            yield need
