"""Where a formula holds: the smallest value of a knob that the rules let through, and what letters could not decide."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Symbol

from costcalc.analysis.closed_form.mathtext import Writer
from costcalc.analysis.walk import Row, walk
from costcalc.dims import LARGEST, is_letter, size_text
from costcalc.errors import CostcalcError
from costcalc.spec.bind import bind
from costcalc.spec.network import Network

FITS = " does not fit into "
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

    def lines(self) -> list[str]:
        """What a reader must know before filling in numbers."""
        holds = [f"holds for {self}"] if self.bounds else []
        below = [f"below {b.letter} = {b.least}: {b.because}" for b in self.bounds if b.because]
        return (
            holds + below + [f"holds {text}" for text in self.conditions] + [f"assumes {text}" for text in self.assumed]
        )


def find_domain(
    net: Network, rows: Iterable[Row], free: dict[str, Any], assumed: Iterable[str], writer: Writer
) -> Domain:
    """The domain of a formula in the letters `free` (by name), from the rows whose needs letters left open."""
    needs: dict[Any, Any] = {}
    for row in rows:
        for same, need in _open_needs(row) if row.assumed else ():
            needs.setdefault(same, need)
    bounded = {next(iter(letters)).name for letters, need in needs.values() if _is_bound(letters, need)}
    conditions = [_condition(need, writer) for letters, need in needs.values() if not _is_bound(letters, need)]
    found = [_bound(net, name, name in bounded, writer) for name in free]
    return Domain(tuple(b for b in found if b), tuple(dict.fromkeys(conditions)), tuple(_fewest(assumed, writer)))


def _open_needs(row: Row) -> Iterator[tuple[Any, Any]]:
    """What a row could not decide, with its letters; needs of the same difference are one."""
    for need in row.op.needs(*row.input_shapes):
        if need[0] is None:
            letters = frozenset(letter for size in _flat(need[2:]) if is_letter(size) for letter in size.free_symbols)
            if FITS in need[1] and getattr(row.op, "padding", None) == 0:
                need = (*need[:1], need[1].replace(", padding included", ""), *need[2:])
            yield need[3] - need[2] if FITS in need[1] else str(need[1:]), (letters, need)


def _flat(sizes: Any) -> Iterator[Any]:
    for size in sizes:
        if isinstance(size, tuple):
            yield from _flat(size)
        else:
            yield size


def _is_bound(letters: frozenset[Symbol], need: Any) -> bool:
    """Is it about the least value of one whole knob? Then that value says it better."""
    return len(letters) == 1 and all(letter.is_integer for letter in letters) and FITS in need[1]


def _condition(need: Any, writer: Writer) -> str:
    reason = need[1].format(*(writer.write(size) if is_letter(size) else size for size in need[2:]))
    for negative, positive in POSITIVE:
        if negative in reason:
            return f"where {reason.replace(negative, positive)}"
    return f"unless {reason}"


def _bound(net: Network, name: str, by_rules: bool, writer: Writer) -> Bound | None:
    knob = net.spec.knobs[name]
    most = knob.high if knob.high < LARGEST else None
    if knob.kind == "real":
        return Bound(writer.letter(name), knob.low, most) if knob.low > SOME or most is not None else None
    least, because = least_value(net, name) if by_rules else (1, "")
    if knob.low > least:
        least, because = knob.low, ""
    return Bound(writer.letter(name), least, most, because) if least > 1 or most is not None or knob.low < 1 else None


def least_value(net: Network, name: str) -> tuple[int, str]:
    """The smallest value of a whole knob with which the rules build the network, the others as they are; and what
    goes wrong below it. The spec's own `min` is not asked."""
    low, high, because = 0, net.knobs[name], ""
    refused(net, name, high, raises=True)
    while high - low > 1:
        middle = (low + high) // 2
        problem = refused(net, name, middle)
        if problem:
            low, because = middle, problem
        else:
            high = middle
    return high, because


def refused(net: Network, name: str, value: Any, *, raises: bool = False) -> str:
    """Why the network cannot be built with this value of a knob; nothing if it can."""
    try:
        deque(walk(bind(net.spec, {**net.knobs, name: value}, max_layers=net.max_layers)), maxlen=0)
    except CostcalcError as error:
        if raises:
            raise
        return re.sub(r"^.*?(?=layer ')", "", str(error).split("\n")[0])
    return ""


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
