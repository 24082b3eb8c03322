"""The form of a size that changes with the network's input, found from its values in several runs.

    find_form((14, 20, 42), [(("conv", 2), (28, 40, 84))])  is half of axis 2 of the output of layer conv

A form is exact arithmetic on sizes of `costcalc.dims`. It is sought among few kinds, the simplest first, and only where
the values differ enough to tell one from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import prod
from typing import Any, NamedTuple

from costcalc.dims import Size, canonical, floor_div
from costcalc.expressions.arithmetic import divide

Ref = tuple[str, str | int]  # an axis of the output of a layer; of the layer "" a letter of the input
Values = tuple[int, ...]  # of one size, in each run
Known = Sequence[tuple[Ref, Values]]

MIN_DISTINCT = 4  # values of a size through which a line with an offset is laid: through two it always fits
MAX_DIVISOR = 64  # of a size that is rounded
MAX_FACTORS = 4
MAX_COMBINED = 14  # sizes of which products are tried


class Form(NamedTuple):
    """times · ⌊(∏factors / ∏over + shift) / divisor⌋ + plus + Σalso; without a shift the division is exact."""

    factors: tuple[Any, ...]  # of Ref
    over: tuple[Any, ...] = ()
    times: int = 1
    divisor: int = 1
    shift: int | None = None
    plus: int = 0
    also: tuple[Any, ...] = ()

    def value(self, size_of: Callable[[Ref], Size]) -> Size:
        """The size, from the sizes that it is made of: ints, symbols or arrays. A Fraction if it is no whole number."""
        x = prod(map(size_of, self.factors))
        if self.over:
            x = divide(x, prod(map(size_of, self.over)))
        if self.shift is not None:
            x = self.times * floor_div(x + self.shift, self.divisor)
        elif self.divisor > 1:
            x = divide(self.times * x, self.divisor)
        elif self.times > 1:
            x = self.times * x
        return canonical(x + self.plus + sum(map(size_of, self.also)))


def find_form(values: Values, known: Known) -> Form | None:
    """The form of a size in other sizes, of which equal ones count once; None if there is none."""
    refs: dict[Values, Ref] = {}
    for ref, others in known:
        if len({*others}) > 1:
            refs.setdefault(others, ref)
    form = _found(values, tuple(refs))
    if form is None:
        return None
    names = [*refs.values()]
    factors, over, also = ([names[i] for i in part] for part in (form.factors, form.over, form.also))
    return form._replace(factors=(*factors,), over=(*over,), also=(*also,))


@lru_cache(maxsize=65536)  # repeated blocks ask again
def _found(values: Values, known: tuple[Values, ...]) -> Form | None:
    """The first form that fits; sizes are numbered as they are known."""
    for kind in (_equal, _line, _product, _quotient, _rounded, _sum):
        form = next(kind(values, known), None)
        if form is not None:
            return form
    return None


def _equal(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """d"""
    if values in known:
        yield Form((known.index(values),))


def _line(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """a·d, then a·d + b"""
    return _lines(values, [((i,), d) for i, d in enumerate(known)])


def _product(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """a·d·e·…, then with an offset"""
    few = range(min(len(known), MAX_COMBINED))
    sets = (some for count in range(2, MAX_FACTORS + 1) for some in combinations(few, count))
    return _lines(values, [(some, _times(known[i] for i in some)) for some in sets])


def _quotient(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """a·d·e/f"""
    few = range(min(len(known), MAX_COMBINED))
    for under in few:
        for count in (1, 2):
            for some in combinations([i for i in few if i != under], count):
                above = _times(known[i] for i in some)
                ratio = _ratio(_times((values, known[under])), above)
                if ratio is not None:
                    yield Form(some, (under,), ratio.numerator, ratio.denominator)


def _rounded(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """a·⌊(d + c)/k⌋ + b; first rounded up or down alone"""
    if len({*values}) < MIN_DISTINCT:
        return
    for ends in (True, False):
        for i, d in enumerate(known):
            for k in range(2, MAX_DIVISOR + 1):
                for c in (k - 1, 0) if ends else range(1, k - 1):
                    line = _line_through(values, tuple([(x + c) // k for x in d]))
                    if line is not None and line[0].denominator == 1:
                        yield Form((i,), (), line[0].numerator, k, c, line[1])


def _sum(values: Values, known: tuple[Values, ...]) -> Iterator[Form]:
    """d + e + b"""
    for i, j in combinations(range(len(known)), 2):
        rest = {v - d - e for v, d, e in zip(values, known[i], known[j])}
        if len(rest) == 1:
            yield Form((i,), plus=rest.pop(), also=(j,))


def _lines(values: Values, bases: Sequence[tuple[tuple[int, ...], Values]]) -> Iterator[Form]:
    """a·x for one of these x, then a·x + b."""
    for some, x in bases:
        ratio = _ratio(values, x)
        if ratio is not None:
            yield Form(some, (), ratio.numerator, ratio.denominator)
    for some, x in bases:
        line = _line_through(values, x)
        if line is not None:
            yield Form(some, (), line[0].numerator, line[0].denominator, None, line[1])


def _ratio(values: Values, x: Values) -> Fraction | None:
    """a, if each value is a·x."""
    v, first = values[0], x[0]
    return Fraction(v, first) if all(a * first == v * b for a, b in zip(values, x)) else None


def _line_through(values: Values, x: Values) -> tuple[Fraction, int] | None:
    """a > 0 and a whole b, if each value is a·x + b, and there are enough of them."""
    low, high = min(x), max(x)
    if len({*x}) < MIN_DISTINCT:
        return None
    i, j = x.index(low), x.index(high)
    slope = Fraction(values[j] - values[i], high - low)
    offset = values[i] - slope * low
    if slope <= 0 or offset.denominator != 1:
        return None
    p, q, b = slope.numerator, slope.denominator, offset.numerator
    return (slope, b) if all(v * q == p * one + b * q for v, one in zip(values, x)) else None


def _times(vectors: Iterator[Values] | tuple[Values, ...]) -> Values:
    return tuple(map(prod, zip(*vectors)))
