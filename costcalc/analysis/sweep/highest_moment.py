"""The most that a training step holds at once, at every point of a grid.

What is held at a moment is a + Σ mₖ·bₖ, where body k stands for mₖ copies. Of moments with the same bₖ the largest a
counts. A moment is left out if another exists wherever it does, with a and bₖ nowhere smaller. The few that are left
are multiplied by copies in the blocks of a sweep, so no array of the whole grid is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.training.high_moments import Bodies, HighMoments, Key, in_further_copies
from costcalc.dims import Size, canonical, is_array, maximum, minimum, to_exact
from costcalc.dims.bounds import fit_int64
from costcalc.dims.exact_array import ExactArray

Held = dict[Key, Any]  # sums of sizes, as numpy arrays or ints, by the key of the copies that multiply them


class Summand(NamedTuple):
    """A size, and the copies by which it is multiplied."""

    size: Size
    copies: tuple[Size, ...] = ()


class Sum(NamedTuple):
    """The sum that is held at a moment, which exists where all of `bodies` stand for 1 copy or more."""

    summands: list[Summand]
    bodies: list[Size]


@dataclass(frozen=True)
class HighestMoment:
    """The memory held at the highest moment: `throughout`, and the largest of some sums."""

    throughout: list[Summand]
    moments: list[Sum]

    @classmethod
    def of(cls, found: HighMoments) -> HighestMoment:
        """The highest of some moments; 0 if there are none."""
        if not found.rises:
            return cls([], [Sum([], [])])
        sums = _Sums(found)
        return cls(sums.throughout(), sums.highest())

    @property
    def nbytes(self) -> int:
        """The memory that the arrays take."""
        summands = [*self.throughout, *(summand for moment in self.moments for summand in moment.summands)]
        arrays = {id(size): size.num.nbytes for size, _ in summands if is_array(size)}
        return sum(arrays.values())

    def at(self, mask: Size, block: Grid) -> Size:
        """The most that is held at the points of a block where a mask is 1; 0 elsewhere."""
        if not is_array(mask):
            return self._most(block.part)
        there = block.part(mask).num != 0
        if not there.any():
            return 0
        along = [axis for axis, n in enumerate(there.shape) if n > 1]
        chosen = {axis: np.flatnonzero(there.any(axis=tuple({*range(there.ndim)} - {axis}))) for axis in along}

        def part(size: Size) -> Size:
            if not is_array(size):
                return size
            num = block.part(size).num
            for axis in along:
                num = num.take(chosen[axis], axis) if num.shape[axis] > 1 else num
            return ExactArray(num, size.den, size.bounds)

        most = self._most(part) * part(mask)
        places = [chosen.get(axis, np.arange(n)) for axis, n in enumerate(most.shape)]
        num = np.zeros([max(sizes) for sizes in zip(there.shape, most.shape)], most.dtype)
        num[np.ix_(*places)] = most.num
        return ExactArray(num, most.den, (min(most.bounds[0], 0), most.bounds[1]))

    def _most(self, part: Callable[[Size], Size]) -> Size:
        """The largest sum, of parts of the sizes."""
        products: dict[int, Size] = {}

        def product(summand: Summand) -> Size:
            if id(summand) not in products:  # moments share summands
                products[id(summand)] = reduce(mul, map(part, summand.copies), part(summand.size))
            return products[id(summand)]

        def held(moment: Sum) -> Size:
            there = (minimum(part(copies), 1) for copies in moment.bodies)  # 0 where the moment does not exist
            return reduce(mul, there, sum(map(product, moment.summands)))

        return sum(map(product, self.throughout)) + reduce(maximum, map(held, self.moments))


class _Sums:
    """Adds sizes up, in int64 if that cannot wrap around, else in Python's numbers."""

    def __init__(self, found: HighMoments):
        self.found = found
        self.summands: dict[tuple[int, Key], tuple[Summand, Any]] = {}
        forms = [found.throughout, *(rise.form for rise in found.rises)]
        sizes = {key: self._size(key) for form in forms for key in form}
        most = {key: max(map(abs, size.bounds)) if is_array(size) else 1 for key, (_, size) in sizes.items()}
        total = sum(abs(times) * most[key] for form in forms for key, times in form.items())
        whole = all(size.is_whole for _, size in sizes.values() if is_array(size))
        self.dtype = np.dtype(np.int64 if whole and fit_int64((-total, total)) else object)
        self.sizes = {
            key: (copies, size.values().astype(self.dtype, copy=False) if is_array(size) else size)
            for key, (copies, size) in sizes.items()
        }

    def _size(self, key: Key) -> tuple[Key, Size]:
        """The copies by which a size is multiplied, as a key of their product or None; and the size."""
        if key.__class__ is not tuple:
            return None, 1 if key is None else self.found.arrays[key]
        copies, size = self._size(key[1])
        return (key[0], copies), size

    def throughout(self) -> list[Summand]:
        """What is held throughout: a summand for each shape of arrays."""
        by_shape: dict[tuple[int, ...], Any] = {}
        for key, times in self.found.throughout.items():
            _, size = self.sizes[key]
            by_shape[np.shape(size)] = by_shape.get(np.shape(size), 0) + times * size
        return [Summand(_exact(numbers)) for numbers in by_shape.values()]

    def highest(self) -> list[Sum]:
        """The sums of the highest moments."""
        highest: list[tuple[Held, Bodies]] = []
        for moment in self._moments():
            if not any(_is_nowhere_higher(moment, other) for other in highest):
                highest = [other for other in highest if not _is_nowhere_higher(other, moment)] + [moment]
        arrays = self.found.arrays
        return [
            Sum([self._summand(*each) for each in held.items()], [arrays[copies] for copies in bodies])
            for held, bodies in highest
        ]

    def _moments(self) -> Iterator[tuple[Held, Bodies]]:
        """What is held at moments, and their bodies; of those in a row that differ in a alone, the largest."""
        rises = self.found.rises
        alone = {key for form, _ in rises for key in form if self.sizes[key][0] is None}
        now = np.zeros(np.broadcast_shapes(*(np.shape(self.sizes[key][1]) for key in alone)), self.dtype)
        held: Held = {}
        largest, there = None, rises[0].bodies
        for form, bodies in rises:
            if largest is not None and (bodies != there or not form.keys() <= alone):
                yield {None: largest, **held}, there
                largest = None
            there = bodies
            for key, times in form.items():
                copies, size = self.sizes[key]
                if copies is None:
                    now += size if times == 1 else times * size
                else:
                    held[copies] = held.get(copies, 0) + times * size
            largest = now.copy() if largest is None else np.maximum(largest, now, out=largest)
        yield {None: largest, **held}, there

    def _summand(self, copies: Key, numbers: Any) -> Summand:
        """Numbers that are multiplied by copies; those of several moments once."""
        key = id(numbers), copies
        if key not in self.summands:
            self.summands[key] = Summand(_exact(numbers), tuple(self._arrays(copies))), numbers  # which keep their id
        return self.summands[key][0]

    def _arrays(self, copies: Key) -> Iterator[Size]:
        """The copies whose product has this key."""
        while copies is not None:
            first, copies = copies
            yield self.found.arrays[first]


def _is_nowhere_higher(moment: tuple[Held, Bodies], other: tuple[Held, Bodies]) -> bool:
    """Does a moment hold no more than another that exists wherever it does?"""
    (a, bodies), (b, of_other) = moment, other
    if not of_other <= bodies:
        return False
    a, b = in_further_copies(a, bodies), in_further_copies(b, bodies)
    return all(np.all(a.get(copies, 0) <= b.get(copies, 0)) for copies in {**a, **b})


def _exact(numbers: Any) -> Size:
    """Numbers of numpy as a size."""
    return ExactArray(numbers) if np.ndim(numbers) else canonical(to_exact(numbers))
