"""What letters left open: needs of rows, asked again with values, and which way they go as a letter grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sympy import Add, Max, Min, Mul, Pow, Symbol, ceiling, floor

from costcalc.analysis.closed_form.fill import fill
from costcalc.analysis.walk import Row
from costcalc.dims import checked, is_letter, same_shape, size_text
from costcalc.dims.letters import RoundTo
from costcalc.errors import ShapeError
from costcalc.ops.base import Need, all_needs, open_needs

FITS = " does not fit into "
AT_LEAST = " must be at least "
WHOLE = " must be a whole number"
SHARES = "shares "


def check_rows(rows: Iterable[Row], values: Mapping[str, Any]) -> None:
    """Asks once more what letters left open, with values for them. Raises ShapeError with the layer that refuses."""
    for open_ in {open_.key: open_ for open_ in open_of(rows)}.values():
        try:
            open_needs(open_.asked_again(values))
        except ShapeError as error:
            reason = str(error).removeprefix(f"{open_.row.op.name}: ")
            raise ShapeError(f"the formula does not hold there; {open_.layer}: {reason}") from None


class Open(NamedTuple):
    """A need that letters left open, and the row that has it."""

    need: Any
    row: Row

    @property
    def key(self) -> str:
        """The same for the same need, wherever it stands."""
        return str(self.need[1:])

    @property
    def layer(self) -> str:
        return f"layer {str(self.row.name)!r} ({self.row.op.name})"

    @property
    def letters(self) -> frozenset[Symbol]:
        return frozenset(x for size in _flat(self.need[2:]) if is_letter(size) for x in size.free_symbols)

    @property
    def letter(self) -> str:
        """The name of its one letter."""
        return str(next(iter(self.letters)).name)

    @property
    def room(self) -> Any:
        """What is not negative where it holds, for a need that is about room; else None."""
        if FITS in self.need[1]:
            return self.need[-1] - self.need[2]
        return self.need[3] - self.need[4] if AT_LEAST in self.need[1] else None

    @property
    def direction(self) -> int:
        """1 if it holds from some value of one whole knob on, −1 if it does up to one: that value says it better.

        0 if it hangs on more than that, or if nobody can see which way it goes."""
        one = len(self.letters) == 1 and all(letter.is_integer for letter in self.letters)
        return (direction(self.room) or 0) if one and self.room is not None else 0

    def fails(self, /, **knobs: int) -> str:
        """What it says with these knobs, if it does not hold."""
        if fill(self.room, knobs) >= 0:
            return ""
        sizes = (fill(size, knobs) if is_letter(size) else size for size in self.need[2:])
        return f"{self.layer}: {self.need[1].format(*map(size_text, sizes))}"

    def asked_again(self, values: Mapping[str, Any]) -> Iterable[Need]:
        """The need with values for its letters: the op is made of them, and asked."""
        if self.need[1].startswith(SHARES):
            theirs, ours = (_filled(shape, values) for shape in self.need[3:])
            return [(same_shape(theirs, ours), *self.need[1:3], theirs, ours)]
        if is_letter(self.row.times):
            checked(fill(self.row.times, values), "times", 0)
        op = self.row.op.__class__(**{name: _filled(x, values) for name, x in vars(self.row.op).items()})
        return all_needs(op, tuple(_filled(shape, values) for shape in self.row.input_shapes))


def open_of(rows: Iterable[Row]) -> Iterator[Open]:
    """What rows could not decide."""
    for row in rows:
        for text in row.assumed:
            need = text.need
            if FITS in need[1] and getattr(row.op, "padding", None) == 0:
                need = (*need[:1], need[1].replace(", padding included", ""), *need[2:])
            yield Open(need, row)


def _filled(x: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(x, tuple):
        return tuple(_filled(one, values) for one in x)
    return fill(x, values) if is_letter(x) else x


def direction(x: Any) -> int | None:
    """1 if a formula in one positive letter never falls, −1 if it never rises, 0 if it stays; None if nobody sees."""
    if x.is_number:
        return 0
    if isinstance(x, Symbol):
        return 1
    if isinstance(x, (Add, Max, Min)):
        return _one_way(map(direction, x.args))
    if isinstance(x, (floor, ceiling)) or (isinstance(x, RoundTo) and x.args[1].is_number):
        return direction(x.args[0])
    if isinstance(x, Pow) and x.exp.is_Integer and x.exp > 0 and x.base.is_nonnegative:
        return direction(x.base)
    if isinstance(x, Mul):
        number, factors = x.as_coeff_mul()
        way = _one_way(map(direction, factors)) if all(factor.is_nonnegative for factor in factors) else None
        return way if way is None or number > 0 else -way
    return None


def _one_way(ways: Iterable[int | None]) -> int | None:
    found = {*ways} - {0}
    return None if len(found) > 1 else next(iter(found), 0)


def _flat(sizes: Any) -> Iterator[Any]:
    for size in sizes:
        if isinstance(size, tuple):
            yield from _flat(size)
        else:
            yield size
