"""The most that a training step holds at once, at every point of a grid.

What is held at a moment is a + Σ mₖ·bₖ, where body k stands for mₖ copies. Of moments with the same bₖ the largest a
counts. Moments whose a and bₖ are nowhere larger than another's are left out, if that is there where they are. The few
that are left are multiplied by copies in the blocks of a sweep, so no array of the whole grid is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    """What is held at a moment; the moment is there where all of `bodies` stand for 1 copy or more."""

    summands: list[Summand]
    bodies: list[Size]


@dataclass(frozen=True)
class HighestMoment:
    """What is held: `throughout`, and besides it the largest of some sums."""

    throughout: list[Summand]
    moments: list[Sum]

    @classmethod
    def of(cls, found: HighMoments) -> HighestMoment:
        """The largest of some moments."""
        sums = _Sums(found)
        return cls(sums.throughout(), sums.highest())

    @property
    def nbytes(self) -> int:
        """The memory that the arrays take."""
        arrays = (
            size.num
            for sum_ in (self.throughout, *(each.summands for each in self.moments))
            for size, _ in sum_
            if is_array(size)
        )
        return sum(array.nbytes for array in arrays)

    def at(self, mask: Size, block: Grid) -> Size:
        """The most that is held at the points of a block where a mask is 1; 0 elsewhere."""
        if not is_array(mask):
            return self._most(block.part)
        there = block.part(mask).num.astype(bool)
        along = [axis for axis, n in enumerate(there.shape) if n > 1]
        chosen = {axis: np.flatnonzero(there.any(axis=tuple({*range(there.ndim)} - {axis}))) for axis in along}
        if not there.any():
            return 0

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

        def sum_of(summands: list[Summand], bodies: Iterable[Size] = ()) -> Size:
            found = sum(reduce(mul, map(part, copies), part(size)) for size, copies in summands)
            return reduce(mul, (minimum(part(copies), 1) for copies in bodies), found)  # 0 where a body is not there

        return sum_of(self.throughout) + reduce(maximum, [sum_of(*moment) for moment in self.moments])


class _Sums:
    """Adds sizes up, in int64 if that cannot wrap around, else in Python's numbers."""

    def __init__(self, found: HighMoments):
        self.found = found
        forms = [found.throughout, *(rise.form for rise in found.rises)]
        sizes = {key: self._size(key) for form in forms for key in form}
        most = {key: max(map(abs, getattr(size, "bounds", (1,)))) for key, (_, size) in sizes.items()}
        total = sum(abs(times) * most[key] for form in forms for key, times in form.items())
        whole = all(size.is_whole for _, size in sizes.values() if is_array(size))
        self.dtype = np.dtype(np.int64 if whole and fit_int64((-total, total)) else object)
        self.sizes = {
            key: (bodies, size.values().astype(self.dtype, copy=False) if is_array(size) else size)
            for key, (bodies, size) in sizes.items()
        }

    def _size(self, key: Key) -> tuple[Key, Size]:
        """The copies by which a size is multiplied, as the key of their product, and the size."""
        if key.__class__ is not tuple:
            return None, 1 if key is None else self.found.arrays[key]
        copies, (by, size) = key[0], self._size(key[1])
        return (copies, by), size

    def _copies(self, by: Key) -> Iterator[Size]:
        """The copies of a product."""
        while by is not None:
            copies, by = by
            yield self.found.arrays[copies]

    def throughout(self) -> list[Summand]:
        """What is held throughout, a summand for each shape of arrays."""
        by_shape: Held = {}
        for key, times in self.found.throughout.items():
            _, size = self.sizes[key]
            shape = getattr(size, "shape", ())
            by_shape[shape] = by_shape.get(shape, 0) + times * size
        return [Summand(_exact(array)) for array in by_shape.values()]

    def highest(self) -> list[Sum]:
        """The sums of the highest moments."""
        highest: list[tuple[Held, Bodies]] = []
        for moment in self._moments():
            if not any(_is_nowhere_higher(moment, other) for other in highest):
                highest = [other for other in highest if not _is_nowhere_higher(other, moment)] + [moment]
        return [
            Sum(
                [Summand(_exact(numbers), tuple(self._copies(by))) for by, numbers in held.items()],
                [self.found.arrays[body] for body in bodies],
            )
            for held, bodies in highest
        ]

    def _moments(self) -> Iterator[tuple[Held, Bodies]]:
        """What is held at moments, and their bodies; of those in a row between which no copies change it, the
        largest."""
        rises = self.found.rises
        alone = {key for form, _ in rises for key in form if self.sizes[key][0] is None}
        now = np.zeros(np.broadcast_shapes(*(np.shape(self.sizes[key][1]) for key in alone)), self.dtype)
        largest, further, there = None, {}, rises[0].bodies
        for form, bodies in rises:
            if largest is not None and (bodies != there or not form.keys() <= alone):
                yield {None: largest, **further}, there
                largest = None
            for key, times in form.items():
                by, size = self.sizes[key]
                if by is not None:
                    further[by] = further.get(by, 0) + times * size
                elif times == 1:
                    now += size
                else:
                    now += times * size
            largest, there = now.copy() if largest is None else np.maximum(largest, now, out=largest), bodies
        yield {None: largest, **further}, there


def _is_nowhere_higher(moment: tuple[Held, Bodies], other: tuple[Held, Bodies]) -> bool:
    """Does a moment hold no more than another, which is there where it is?"""
    (held, there), (most, other_there) = moment, other
    if not other_there <= there:
        return False
    a, b = in_further_copies(held, there), in_further_copies(most, there)
    return all(np.all(a.get(by, 0) <= b.get(by, 0)) for by in {**a, **b})


def _exact(numbers: Any) -> Size:
    """A numpy array as a size, an int as it is."""
    return ExactArray(numbers) if np.ndim(numbers) else canonical(to_exact(numbers))
