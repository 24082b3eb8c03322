"""The moments of a step that may hold most: for arrays of sizes, which take long to add, few moments may be left.

What is held at a moment is a sum of sizes, each a whole number of times. No size is negative. So:

    A moment is left out for a later one if between them no size is taken fewer times than it is given back, and for an
    earlier one if none is taken more often: at every point of the arrays it holds no more than the other.

    A body that stands for m ≥ 1 copies changes what is held by c. A moment in its copy i, from 0 on, holds i·c more than
    in the first. That is linear in i, so the most is held in the first copy or in the last: the body is gone through
    twice, with (m − 2)·c between them. Where every size in c is taken at least as often as it is given back, the last
    copy is enough; where none is taken more often, the first.

Neither reads a number. A size of which some number is negative, as at points without a valid network, is in neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from costcalc.analysis.training.timeline import Begin, Change, End, Event, Moment
from costcalc.dims import Size

Key = Any  # None for the number 1, the id of an array, or for a size times (copies − 1) the id of `copies` and its key
Form = dict[Key, int]  # a sum of sizes: how often it has each; none is 0 times


class Rises:
    """Some moments in order: for each, what is held then more than at the one before; `tail` is what came since."""

    def __init__(self) -> None:
        self.moments: list[Form] = []
        self.tail: Form = {}

    def moment(self, mixed: set[Key]) -> None:
        """Adds a moment, unless one before holds at least as much; leaves out those that hold no more."""
        while self.moments and mixed.isdisjoint(self.tail):
            if any(times < 0 for times in self.tail.values()):
                if all(times < 0 for times in self.tail.values()):
                    return
                break
            self.tail = added(self.moments.pop(), self.tail)
        self.moments.append(self.tail)
        self.tail = {}

    def replay(self, body: Rises, mixed: set[Key]) -> None:
        """Adds the moments of one copy of a body."""
        for rise in body.moments:
            added(self.tail, rise)
            self.moment(mixed)
        added(self.tail, body.tail)

    def change(self) -> Form:
        """What is held more after all of it than before."""
        total: Form = {}
        for rise in (*self.moments, self.tail):
            added(total, rise)
        return total


def added(form: Form, more: Form, times: int = 1) -> Form:
    """The first form, with the second added to it so often."""
    for key, count in more.items():
        total = form.get(key, 0) + times * count
        if total:
            form[key] = total
        else:
            del form[key]
    return form


class HighMoments:
    """The moments at which most may be held, from the events of a step.

    `throughout` is held at all of them, and besides the sum of the `rises` up to each. `arrays` has the sizes by their
    ids, `further_copies` the copies − 1 by the ids of copies.
    """

    def __init__(self, events: Iterable[Event]):
        self.arrays: dict[int, Size] = {}
        self.further_copies: dict[int, Size] = {}
        self.forms: dict[int, Form] = {}  # of arrays, by their ids
        self.mixed: set[Key] = set()  # sizes with numbers below and above 0, alone and times copies
        self.throughout: Form = {}
        self.open: list[tuple[Rises, Size]] = [(Rises(), 1)]  # the step, and the bodies that have begun
        for event in events:
            self._add(event)
        self.rises = self.open[0][0].moments

    def _add(self, event: Event) -> None:
        rises, copies = self.open[-1]
        if event.__class__ is Change:
            added(rises.tail, self._form(event.size), event.sign)
            return
        if not self.throughout:
            self.throughout, rises.tail = rises.tail, {}
        match event:
            case Moment():
                rises.moment(self.mixed)
            case Begin(copies):
                self.open.append((Rises(), copies))
            case End():
                self.open.pop()
                self._repeat(rises, copies)

    def _form(self, size: Size) -> Form:
        """A size as a form."""
        if size.__class__ is int:
            return {None: size} if size else {}
        if (known := self.forms.get(id(size))) is None:
            self.arrays[id(size)] = size  # which keeps the id
            low, high = size.bounds
            known = dict.fromkeys(self._form(-size), -1) if low < 0 >= high else {id(size): 1}
            self.mixed.update(known if low < 0 < high else ())
            self.forms[id(size)] = known
        return known

    def _repeat(self, body: Rises, copies: Size) -> None:
        """Adds the moments of a body that stands for so many copies."""
        rises, change = self.open[-1][0], body.change()
        known = self.mixed.isdisjoint(change)
        grows, shrinks = (known and all(times * sign > 0 for times in change.values()) for sign in (1, -1))
        if not grows:
            rises.replay(body, self.mixed)
        added(rises.tail, self._further(change, copies))
        if not shrinks:
            added(rises.tail, {} if grows else change, -1)
            rises.replay(body, self.mixed)

    def _further(self, change: Form, copies: Size) -> Form:
        """What all copies but one change."""
        if copies.__class__ is int:
            return {key: (copies - 1) * times for key, times in change.items()} if copies > 1 else {}
        self.further_copies[id(copies)] = copies - 1
        further = {(id(copies), key): times for key, times in change.items()}
        self.mixed.update(product for product in further if product[1] in self.mixed)
        return further
