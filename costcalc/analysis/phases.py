"""Receptive fields by phase: behind an upsampling even elements see other parts of the input than odd ones, and a join
of tensors keeps them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from costcalc.ops.reads import MAX_PLACES, Along

Number = int | Fraction | float  # math.inf: all of the axis; math.nan: not known
NOTHING: tuple[Number, Number] = (math.inf, -math.inf)  # as between the stamps of a transposed convolution


class Places(NamedTuple):
    """The first and the last position of the input that each element of a period sees. An element a period later sees
    the same, shifted by period · jump; the `jump` is an argument of the methods."""

    firsts: tuple[Number, ...]
    lasts: tuple[Number, ...]

    @classmethod
    def of(cls, places: Sequence[tuple[Number, Number]], jump: Number) -> Places:
        """From the places of one element after the other, in the shortest period that repeats."""
        period = next(n for n in range(1, len(places) + 1) if len(places) % n == 0 and _repeats(places, n, jump))
        firsts, lasts = zip(*places[:period])
        found = cls(firsts, lasts)
        return found if period <= MAX_PLACES else found.hull(jump)

    @property
    def period(self) -> int:
        """The number of elements after which places repeat."""
        return len(self.firsts)

    def at(self, i: int, jump: Number) -> tuple[Number, Number]:
        """The first and last position that element i sees."""
        n, place = divmod(i, self.period)
        moved = n * self.period * jump if n else 0
        return self.firsts[place] + moved, self.lasts[place] + moved

    def widest(self, length: int) -> Number:
        """The largest number of positions that one of the first `length` elements sees."""
        return max(0, *(last - first + 1 for first, last in [*zip(self.firsts, self.lasts)][:length]))

    def widened(self, span: Number) -> Places:
        """The places with the last position `span` further."""
        return Places(self.firsts, tuple([last + span for last in self.lasts]))

    def together(self, length: int, jump: Number) -> Places:
        """What the first `length` elements see together, as one place."""
        near = min(length, self.period)
        first = min(self.at(i, jump)[0] for i in range(near))
        last = max(self.at(length - 1 - i, jump)[1] for i in range(near))
        return Places((first,), (last,))

    def hull(self, jump: Number | None) -> Places:
        """The smallest places of period 1 that contain these; without a jump there is one element."""
        if self.period == 1 or jump is None:
            return Places(self.firsts[:1], self.lasts[:1])
        first = min(first - i * jump for i, first in enumerate(self.firsts))
        last = max(last - i * jump for i, last in enumerate(self.lasts))
        return Places((first,), (last,))


def composed(entry: Along, places: Places, jump: Number) -> Places:
    """The places of elements that read elements with these places, along an axis."""
    reads = entry.places or ((entry.start, entry.start + entry.window - 1),)
    move = len(reads) * entry.stride  # of the input, from a period of reads to the next
    period = len(reads) * (places.period // math.gcd(places.period, int(move)))
    if places.period == 1 or Fraction(move).denominator > 1 or period > MAX_PLACES:
        places, period = places.hull(jump), len(reads)
    seen = []
    for i in range(period):
        n, kind = divmod(i, len(reads))
        first, last = (int(n * move) + place if n else place for place in reads[kind])
        seen.append(_seen(first, last, entry.step, places, jump))
    return Places.of(seen, jump * entry.stride)


def _seen(first: int, last: int, step: int, places: Places, jump: Number) -> tuple[Number, Number]:
    """What every `step`-th element from the first to the last sees."""
    if last < first:
        return NOTHING
    if places.period == 1:
        return places.firsts[0] + first * jump, places.lasts[0] + last * jump
    read = range(first, last + 1, step)  # a period of them has the first and the last position
    return (
        min(places.at(i, jump)[0] for i in read[: places.period]),
        max(places.at(i, jump)[1] for i in read[-places.period :]),
    )


def joined(several: Sequence[Places], jumps: Sequence[Number | None], *, evenly: bool) -> Places:
    """The places of elements that see what each of several see; of period 1 unless they lie `evenly`."""
    period = math.lcm(*(places.period for places in several))
    if not evenly or len({*jumps}) > 1 or period > MAX_PLACES:
        several, period = [places.hull(jump) for places, jump in zip(several, jumps)], 1
    jump = jumps[0] or 0
    every = [[places.at(i, jump) for places in several] for i in range(period)]
    return Places.of([(min(f for f, _ in each), max(last for _, last in each)) for each in every], jump)


def _repeats(places: Sequence[tuple[Number, Number]], period: int, jump: Number) -> bool:
    moved = period * jump
    return all(
        first + moved == later and last + moved == latest
        for (first, last), (later, latest) in zip(places, places[period:])
    )
