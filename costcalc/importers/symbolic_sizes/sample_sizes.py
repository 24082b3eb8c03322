"""At which sizes a network is run to find the forms of its layers.

Sizes of an axis spread widely, their remainders are mixed, and no two axes have the same ones: two numbers through
which a line fits, a side that is always odd, or a batch that equals a side would each hide what a size depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

SAMPLES = 6
BATCHES = (2, 3, 5, 7, 11, 13)  # never 1, which hides the batch among other axes of 1
SPREAD = 448  # of sizes, at least: stride 32 leaves 14 of them
STRIDE = 64  # of most networks a multiple of theirs
STEPS_APART = 14  # of a size that moves in steps, at least
LARGEST_BATCH = 65_536  # that is checked
TIMES_LARGER = 32  # than the default: the largest size that is checked


class Span(NamedTuple):
    """Sizes from `low` to `high` in steps."""

    low: int
    high: int
    step: int = 1

    def value(self, part: float) -> int:
        """The size at a part of the way from low to high."""
        first, last = -(-self.low // self.step), self.high // self.step
        return self.step * (first + round(part * (last - first)))

    @property
    def length(self) -> int:
        """How many sizes it has."""
        return max(0, self.high // self.step - (self.low - 1) // self.step)


def spans(default: int, step: int) -> Iterator[Span]:
    """Where sizes are drawn: around the default; up to it; above it. For networks that change at some size."""
    reach = max(3 * default, default + SPREAD, default + STEPS_APART * step)
    yield Span(min(default, -(-9 * default // 10)), reach, step)
    yield Span(max(2, 2 * default // 5), default, step)
    yield Span(default + 1 + default // 8, reach + default, step)


def drawn(span: Span, axes: int, count: int = SAMPLES, seed: int = 0) -> list[tuple[int, ...]]:
    """So many sizes of each of some axes; the first reach the ends. Fewer than that if the span has too few."""
    if span.length < count:
        return []
    random = Random(seed)
    columns = [_column(span, count, random) for _ in range(axes)]
    for _ in range(200):
        rows = [*zip(*columns)]
        if all(len({*row}) == axes for row in rows):
            return rows
        random.shuffle(columns[-1])
    return []


def _column(span: Span, count: int, random: Random) -> list[int]:
    """Distinct sizes, evenly spread, with mixed remainders; the ends first, since networks refuse these first."""
    found: list[int] = []
    for _ in range(200):
        jitter = [random.uniform(-0.4, 0.4) / count for _ in range(count)]
        parts = [min(1.0, max(0.0, i / (count - 1) + move)) for i, move in enumerate(jitter)]
        found = sorted({*_near_multiples([span.value(part) for part in parts], span)})
        if len(found) == count and all(_mixed([size // span.step for size in found], n) for n in (2, 3, 4)):
            break
    if len(found) < count:
        found = [span.value(i / (count - 1)) for i in range(count)]
    low, *between, high = found
    random.shuffle(between)
    return [*random.sample([high, low], 2), *between]


def _near_multiples(sizes: list[int], span: Span) -> list[int]:
    """Some sizes moved to a multiple of a large stride, and to the next and the last before one: there roundings up and
    down part."""
    moved = [*sizes]
    for i, rest in ((1, 0), (3, 1), (4, -1)):
        size = (round(sizes[i] / span.step / STRIDE) * STRIDE + rest) * span.step
        if span.low <= size <= span.high:
            moved[i] = size
    return moved


def _mixed(numbers: list[int], modulus: int) -> bool:
    """Are their remainders as many as there can be, none in more than two thirds of them?"""
    rest = [number % modulus for number in numbers]
    return len({*rest}) == modulus and max(map(rest.count, rest)) * 3 <= 2 * len(rest)


def steps_of(default: int) -> list[list[int]]:
    """Steps in which a size may move, among those that the default is a multiple of: chains from 1 to the default, each
    a multiple of the one before. In a chain, a network that takes one step takes those after it."""
    factors = _prime_factors(default)
    chains = []
    for order in (factors, factors[::-1]):
        chain = [1]
        for factor in order:
            chain.append(chain[-1] * factor)
        chains.append(chain)
    return chains if chains[0] != chains[1] else chains[:1]


def _prime_factors(number: int) -> list[int]:
    found, factor = [], 2
    while number > 1:
        while number % factor == 0:
            found.append(factor)
            number //= factor
        factor += 1
    return found
