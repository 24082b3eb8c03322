"""The moments of a step that may hold most. Arrays of sizes take long to add, so few moments are left.

What is held at a moment is a sum of sizes, each a whole number of times. So is by how much it differs from another, and
bounds of the sizes give bounds of the difference. A moment is left out if another holds no less at any point of the
arrays, and exists wherever it does: a moment of a body exists where the body stands for 1 copy or more.

A body that stands for m copies changes what is held by c. Its moments in copy i, from 0 on, hold i·c more than in the
first. That is linear in i, so most is held in the first copy or in the last, and only these two are examined: the last
alone if c is nowhere negative, the first alone if it is nowhere positive. After the body, m·c more is held than before.

No number of an array is read. Where a moment of a body exists, m·c = c + (m − 1)·c, and m − 1 is not negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from costcalc.analysis.training.timeline import Begin, Change, End, Event, Moment
from costcalc.dims import Size, is_array
from costcalc.dims.bounds import Bounds, of_product

Key = Any  # None for 1; the id of an array; or a pair for a product: the id of the copies of a body, and a key
Form = dict[Key, int]  # a sum of sizes: how often it has each; none is 0 times
Bodies = frozenset[int]  # by the ids of their copies
NO_BODIES: Bodies = frozenset()


class Rise(NamedTuple):
    """By how much more is held at a moment than at the one before; it exists where all `bodies` have a copy."""

    form: Form
    bodies: Bodies


class Rises:
    """Some moments in order; `tail` is by how much more is held since the last."""

    def __init__(self) -> None:
        self.moments: list[Rise] = []
        self.tail: Form = {}

    def change(self) -> Form:
        """By how much more is held after all of them than before."""
        total: Form = {}
        for form in (*(rise.form for rise in self.moments), self.tail):
            added(total, form)
        return total


def added(form: Form, more: Form, times: int = 1) -> Form:
    """The first form, with the second added to it so often."""
    for key, count in more.items():
        total = form.get(key, 0) + times * count
        if total:
            form[key] = total
        else:
            form.pop(key, None)
    return form


def in_further_copies(terms: dict[Key, Any], bodies: Bodies) -> dict[Key, Any]:
    """A sum, as how much it has of each key, in which the ids of some copies stand for these − 1."""
    if not bodies:
        return terms
    total: dict[Key, Any] = {}
    for key, times in terms.items():
        for each in _summands(key, bodies):
            total[each] = total.get(each, 0) + times
    return total


def _summands(key: Key, bodies: Bodies) -> list[Key]:
    """m·c is (m − 1)·c and c."""
    if key.__class__ is not tuple:
        return [key]
    copies, key = key
    alone = _summands(key, bodies)
    return [*((copies, each) for each in alone), *(alone if copies in bodies else ())]


class HighMoments:
    """The moments at which most may be held, from the events of a step.

    `throughout` is held at all of them, and besides the sum of the `rises` up to each. `arrays` has sizes and copies by
    their ids.
    """

    def __init__(self, events: Iterable[Event]):
        self.arrays: dict[int, Size] = {}
        self.bounds: dict[Key, Bounds] = {None: (1, 1)}
        self.throughout: Form = {}
        self.begun: list[tuple[Rises, Size]] = [(Rises(), 1)]  # the step, and the bodies that have begun
        for event in events:
            rises, copies = self.begun[-1]
            if event.__class__ is Change:
                self._change(rises.tail, event.size, event.sign)
                continue
            if not self.throughout:
                self.throughout, rises.tail = rises.tail, {}
            match event:
                case Moment():
                    self._moment(rises, NO_BODIES)
                case Begin(copies):
                    self.begun.append((Rises(), copies))
                case End():
                    self.begun.pop()
                    self._repeat(self.begun[-1][0], rises, copies)
        self.rises = self.begun[0][0].moments

    def _change(self, form: Form, size: Size, times: int) -> None:
        """Adds a size to a form so often."""
        if size.__class__ is int:
            added(form, {None: size}, times)
            return
        if id(size) not in self.arrays:
            self.arrays[id(size)], self.bounds[id(size)] = size, size.bounds  # the array keeps its id
        added(form, {id(size): 1}, times)

    def _moment(self, rises: Rises, bodies: Bodies) -> None:
        """Adds a moment, unless the one before it holds as much; leaves out those before that hold no more."""
        while rises.moments:
            before = rises.moments[-1].bodies
            if bodies <= before and self._bounds(rises.tail, before)[0] >= 0:
                rises.tail = added(rises.moments.pop().form, rises.tail)
            elif before <= bodies and self._bounds(rises.tail, bodies)[1] <= 0:
                return
            else:
                break
        rises.moments.append(Rise(rises.tail, bodies))
        rises.tail = {}

    def _bounds(self, form: Form, bodies: Bodies) -> Bounds:
        """Bounds of a form where some bodies stand for 1 copy or more."""
        low = high = 0
        for key, times in in_further_copies(form, bodies).items():
            least, most = self.bounds.get(key) or self._bounds_of_product(*key)
            if times < 0:
                least, most = most, least
            low, high = low + times * least, high + times * most
        return low, high

    def _repeat(self, rises: Rises, body: Rises, copies: Size) -> None:
        """Adds the moments of a body that stands for so many copies."""
        change = body.change()
        low, high = self._bounds(change, NO_BODIES)
        bodies = frozenset([id(copies)] if is_array(copies) else ())
        if low < 0:  # the first copy
            self._replay(rises, body, bodies)
            added(rises.tail, change, -1)
        added(rises.tail, self._times(change, copies))
        if high > 0 or low >= 0:  # the last
            added(rises.tail, change, -1)
            self._replay(rises, body, bodies)

    def _replay(self, rises: Rises, body: Rises, copies: Bodies) -> None:
        """Adds the moments of one copy of a body."""
        for form, bodies in body.moments:
            added(rises.tail, form)
            self._moment(rises, bodies | copies)
        added(rises.tail, body.tail)

    def _times(self, change: Form, copies: Size) -> Form:
        """A change so many times."""
        if not is_array(copies):
            return {key: copies * times for key, times in change.items()}
        self.arrays[id(copies)] = copies
        return {(id(copies), key): times for key, times in change.items()}

    def _bounds_of_product(self, copies: int, key: Key) -> Bounds:
        """Bounds of a size times copies, or times the copies − 1."""
        most = max(0, self.arrays[copies].bounds[1])
        found = of_product((0, most), self.bounds.get(key) or self._bounds_of_product(*key))
        self.bounds[copies, key] = found
        return found
