"""The needs of rows that symbols leave undecided: checked again with values, and whether they are monotone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sympy import Add, Max, Min, Mul, Pow, Symbol, ceiling, floor

from costcalc.analysis.walk import Row
from costcalc.dims import is_symbolic
from costcalc.dims.substitute import substitute
from costcalc.dims.symbolic import RoundTo
from costcalc.errors import ShapeError
from costcalc.ops.check_needs import assumptions
from costcalc.ops.needs import Need
from costcalc.text import value_text


def check_rows(rows: Iterable[Row], values: Mapping[str, Any]) -> None:
    """Checks the undecided needs of rows with values for the symbols. Raises ShapeError with the layer that fails."""
    for undecided in {one.need.key: one for one in undecided_of(rows)}.values():
        try:
            assumptions([undecided.need.with_sizes(lambda x: substitute(x, values) if is_symbolic(x) else x)])
        except ShapeError as error:
            raise ShapeError(f"the formula does not hold there; {undecided.said(str(error))}") from None


class Undecided(NamedTuple):
    """An undecided need, and its row."""

    need: Need
    row: Row

    @property
    def layer(self) -> str:
        """The layer as messages name it."""
        return f"layer {str(self.row.name)!r} ({self.row.op.name})"

    @property
    def symbols(self) -> frozenset[Symbol]:
        """The symbols in it."""
        return frozenset(
            x for _, sizes in self.need.claims for size in sizes if is_symbolic(size) for x in size.free_symbols
        )

    @property
    def monotone(self) -> int:
        """1 if it holds from some value of its one integer knob on, −1 if it holds up to one; 0 if it has several
        symbols or is not known to be monotone."""
        one = len(self.symbols) == 1 and all(symbol.is_integer for symbol in self.symbols)
        return (monotonicity(self.need.slack) or 0) if one and self.need.slack is not None else 0

    @property
    def knob(self) -> str:
        """The name of its one symbol."""
        return str(next(iter(self.symbols)).name)

    def fails(self, /, **knobs: int) -> str:
        """The message at these values of the knob; empty where the need holds."""
        if substitute(self.need.slack, knobs) >= 0:
            return ""
        sizes = (substitute(size, knobs) if is_symbolic(size) else size for size in self.need.message_sizes)
        return self.said(self.need.sentence(map(value_text, sizes)))

    def said(self, sentence: str) -> str:
        """A sentence about its need, with the layer that has it."""
        return f"{self.layer}: {sentence}" if self.need.of_layer else sentence


def undecided_of(rows: Iterable[Row]) -> Iterator[Undecided]:
    """The undecided needs of rows."""
    return (Undecided(need, row) for row in rows for need in row.assumed)


def monotonicity(x: Any) -> int | None:
    """1 if a formula in one positive symbol never falls, −1 if it never rises, 0 if it is constant; None if unknown."""
    if x.is_number:
        return 0
    if isinstance(x, Symbol):
        return 1
    if isinstance(x, (Add, Max, Min)):
        return _common(map(monotonicity, x.args))
    if isinstance(x, (floor, ceiling)) or (isinstance(x, RoundTo) and x.args[1].is_number):
        return monotonicity(x.args[0])
    if isinstance(x, Pow) and x.exp.is_Integer and x.exp > 0 and x.base.is_nonnegative:
        return monotonicity(x.base)
    if isinstance(x, Mul):
        number, factors = x.as_coeff_mul()
        way = _common(map(monotonicity, factors)) if all(factor.is_nonnegative for factor in factors) else None
        return way if way is None or number > 0 else -way
    return None


def _common(ways: Iterable[int | None]) -> int | None:
    found = {*ways} - {0}
    return None if len(found) > 1 else next(iter(found), 0)
