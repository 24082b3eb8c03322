"""Where a formula holds: the smallest value of a knob that the rules let through, and what letters could not decide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from sympy import Symbol

from costcalc.analysis.closed_form.fill import fill
from costcalc.analysis.closed_form.mathtext import Writer
from costcalc.analysis.walk import Row
from costcalc.dims import LARGEST, is_letter, size_text
from costcalc.errors import ShapeError
from costcalc.ops.base import all_needs
from costcalc.spec.network import Network

FITS = " does not fit into "
AT_LEAST = " must be at least 1"
POSITIVE = ((FITS, " fits into "), (" does not divide ", " divides "))
SOME = Fraction(1, 1000)  # the least of a real knob of which the spec says nothing


@dataclass(frozen=True)
class Bound:
    """Where a knob may be. `because` says what goes wrong just below `least`, if the rules and not the spec set it."""

    letter: str
    least: Any
    most: Any = None
    because: str = ""

    def __str__(self) -> str:
        low = size_text(self.least)
        return f"{self.letter} ≥ {low}" if self.most is None else f"{low} ≤ {self.letter} ≤ {size_text(self.most)}"


@dataclass(frozen=True)
class Domain:
    """Bounds of knobs, conditions on several letters, and what was assumed to be whole."""

    bounds: tuple[Bound, ...] = ()
    conditions: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`r ≥ 63`, or `` if it holds everywhere."""
        return ", ".join(map(str, self.bounds))

    def check(self, letter: str, value: Any) -> None:
        """Raises ShapeError if a letter may not have this value."""
        for bound in self.bounds:
            if bound.letter == letter and not bound.least <= value <= (bound.most or value):
                why = f"; {bound.because}" if bound.because and value < bound.least else ""
                raise ShapeError(f"the formula holds for {bound}, not for {size_text(value)}{why}")

    def lines(self) -> list[str]:
        """What a reader must know before filling in numbers, if only that there is nothing to know."""
        return self.limits() or ["holds for every value of its knobs"]

    def limits(self) -> list[str]:
        """Where it does not hold, and what it assumes."""
        holds = [f"holds for {self}"] if self.bounds else []
        below = [f"below {b.letter} = {b.least}: {b.because}" for b in self.bounds if b.because]
        conditions = [f"holds {text}" for text in self.conditions]
        return holds + below + conditions + [f"assumes {text}" for text in self.assumed]


def find_domain(
    net: Network, rows: Iterable[Row], free: dict[str, Any], assumed: Iterable[str], writer: Writer
) -> Domain:
    """The domain of a formula in the letters `free` (by name), from the rows whose needs letters left open."""
    needs: dict[Any, Open] = {}
    for row in rows:
        for open_ in _open_needs(row) if row.assumed else ():
            needs.setdefault(open_.same, open_)
    by_letter: dict[str, list[Open]] = {name: [] for name in free}
    for open_ in needs.values():
        if open_.is_bound:
            by_letter[next(iter(open_.letters)).name].append(open_)
    conditions = [_condition(open_.need, writer) for open_ in needs.values() if not open_.is_bound]
    conditions += [f"unless it {text}" for row in rows for text in row.assumed if text.startswith("shares ")]
    found = [_bound(net, name, limits, writer) for name, limits in by_letter.items()]
    return Domain(tuple(b for b in found if b), tuple(dict.fromkeys(conditions)), tuple(_fewest(assumed, writer)))


class Open(NamedTuple):
    """A need that letters left open. Needs of the `same` difference are one; it holds where that is at least 0."""

    same: Any
    letters: frozenset[Symbol]
    need: Any
    layer: str

    @property
    def is_bound(self) -> bool:
        """Is it about the least value of one whole knob? Then that value says it better."""
        whole = len(self.letters) == 1 and all(letter.is_integer for letter in self.letters)
        return whole and any(sign in self.need[1] for sign in (FITS, AT_LEAST))

    def fails(self, **knobs: int) -> str:
        """What it says with these knobs, if it does not hold."""
        if fill(self.same, knobs) >= 0:
            return ""
        sizes = (fill(size, knobs) if is_letter(size) else size for size in self.need[2:])
        return f"{self.layer}: {self.need[1].format(*map(size_text, sizes))}"


def _open_needs(row: Row) -> Iterator[Open]:
    """What a row could not decide, with its letters."""
    for need in all_needs(row.op, row.input_shapes):
        if need[0] is None:
            letters = frozenset(letter for size in _flat(need[2:]) if is_letter(size) for letter in size.free_symbols)
            if FITS in need[1] and getattr(row.op, "padding", None) == 0:
                need = (*need[:1], need[1].replace(", padding included", ""), *need[2:])
            same = need[-1] - need[2] if FITS in need[1] else need[3] - 1 if AT_LEAST in need[1] else str(need[1:])
            yield Open(same, letters, need, f"layer {str(row.name)!r} ({row.op.name})")


def _flat(sizes: Any) -> Iterator[Any]:
    for size in sizes:
        if isinstance(size, tuple):
            yield from _flat(size)
        else:
            yield size


def _condition(need: Any, writer: Writer) -> str:
    reason = need[1].format(*(writer.write(size) if is_letter(size) else size for size in need[2:]))
    for negative, positive in POSITIVE:
        if negative in reason:
            return f"where {reason.replace(negative, positive)}"
    return f"unless {reason}"


def _bound(net: Network, name: str, limits: list[Open], writer: Writer) -> Bound | None:
    knob = net.spec.knobs[name]
    most = knob.high if knob.high < LARGEST else None
    if knob.kind == "real":
        return Bound(writer.letter(name), knob.low, most) if knob.low > SOME or most is not None else None
    least, because = least_value(name, net.knobs[name], limits)
    if knob.low > least:
        least, because = knob.low, ""
    return Bound(writer.letter(name), least, most, because) if least > 1 or most is not None or knob.low < 1 else None


def least_value(name: str, now: int, limits: list[Open]) -> tuple[int, str]:
    """The smallest value of a whole knob with which all of these needs hold, as they do with its value `now`; and what
    goes wrong just below it. A window that fits, fits into whatever is larger."""
    low, high = 0, now
    while high - low > 1:
        middle = (low + high) // 2
        if any(limit.fails(**{name: middle}) for limit in limits):
            low = middle
        else:
            high = middle
    return high, next((text for limit in limits if low and (text := limit.fails(**{name: low}))), "")


WHOLE = re.compile(r"(\d+)\*(\w+) is a whole number")


def _fewest(assumed: Iterable[str], writer: Writer) -> Iterator[str]:
    """Assumptions without those that follow from another: 64·w is whole if 32·w is."""
    texts = list(assumed)
    known = [(int(match[1]), match[2]) for match in map(WHOLE.fullmatch, texts) if match]
    for text in texts:
        match = WHOLE.fullmatch(text)
        if match is None:
            yield text
        elif not any(int(match[1]) % n == 0 and n < int(match[1]) and match[2] == letter for n, letter in known):
            yield f"{match[1]}·{writer.letter(match[2])} is a whole number"
