"""The moments of a step that may hold most: for arrays of sizes, which take long to add, few moments are left.

What is held at a moment is a sum of sizes, each a whole number of times. No size is negative, and no body stands for
fewer than 0 copies. So:

    A moment is left out for a later one if from it to that no size, alone or times copies, is given back more often
    than it is taken; and for an earlier one if none is taken more often. At every point of the arrays it holds no more
    than the other. The other must be there as well: a moment of a body is there where the body stands for 1 or more.

    A body that stands for m copies changes what is held by c. Its moments in copy i, from 0 on, hold i·c more than in
    the first. That is linear in i, so most is held in the first copy or in the last, and the body is gone through for
    these. After it m·c more is held than before. If every size in c is taken more often than it is given back, the last
    copy is enough, and if none is, the first.

Neither reads a number of an array. A size that is negative at some points, which have no valid network, is in neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from costcalc.analysis.training.timeline import Begin, Change, End, Event, Moment
from costcalc.dims import Size, is_array

Key = Any  # None for 1; the id of an array; or a pair for a product: the id of the copies of a body, and a key
Form = dict[Key, int]  # a sum of sizes: how often it has each; none is 0 times
Bodies = frozenset[int]  # by the ids of their copies


class Rise(NamedTuple):
    """What is held at a moment more than at the one before; the moment is there where all `bodies` are."""

    form: Form
    bodies: Bodies


class Rises:
    """Some moments in order; `tail` is what is held more since the last."""

    def __init__(self) -> None:
        self.moments: list[Rise] = []
        self.tail: Form = {}

    def moment(self, bodies: Bodies, mixed: set[Key]) -> None:
        """Adds a moment, unless the one before it holds as much; leaves out those before that hold no more."""
        while self.moments and mixed.isdisjoint(self.tail):
            before = self.moments[-1].bodies
            if min(self.tail.values(), default=0) < 0:
                if max(self.tail.values()) < 0 and before <= bodies:
                    return
                break
            if not bodies <= before:
                break
            self.tail = added(self.moments.pop().form, self.tail)
        self.moments.append(Rise(self.tail, bodies))
        self.tail = {}

    def replay(self, body: Rises, copies: Bodies, mixed: set[Key]) -> None:
        """Adds the moments of one copy of a body."""
        for form, bodies in body.moments:
            added(self.tail, form)
            self.moment(bodies | copies, mixed)
        added(self.tail, body.tail)

    def change(self) -> Form:
        """What is held more after all of it than before."""
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
            del form[key]
    return form


class HighMoments:
    """The moments at which most may be held, from the events of a step.

    `throughout` is held at all of them, and besides the sum of the `rises` up to each. `sizes` and `copies` have the
    arrays by their ids.
    """

    def __init__(self, events: Iterable[Event]):
        self.sizes: dict[int, Size] = {}
        self.copies: dict[int, Size] = {}
        self.forms: dict[int, Form] = {}  # of sizes
        self.mixed: set[Key] = set()  # sizes with numbers below and above 0, alone and times copies
        self.throughout: Form = {}
        self.begun: list[tuple[Rises, Size]] = [(Rises(), 1)]  # the step, and the bodies that have begun
        for event in events:
            self._add(event)
        self.rises = self.begun[0][0].moments

    def _add(self, event: Event) -> None:
        rises, copies = self.begun[-1]
        if event.__class__ is Change:
            added(rises.tail, self._form(event.size), event.sign)
            return
        if not self.throughout:
            self.throughout, rises.tail = rises.tail, {}
        match event:
            case Moment():
                rises.moment(frozenset(), self.mixed)
            case Begin(copies):
                self.begun.append((Rises(), copies))
            case End():
                self.begun.pop()
                self._repeat(rises, copies)

    def _form(self, size: Size) -> Form:
        """A size as a form."""
        if not is_array(size):
            return {None: size} if size else {}
        if (known := self.forms.get(id(size))) is None:
            self.sizes[id(size)] = size  # which keeps the id
            low, high = size.bounds
            known = dict.fromkeys(self._form(-size), -1) if low < 0 >= high else {id(size): 1}
            self.mixed.update(known if low < 0 < high else ())
            self.forms[id(size)] = known
        return known

    def _repeat(self, body: Rises, copies: Size) -> None:
        """Adds the moments of a body that stands for so many copies."""
        rises, change = self.begun[-1][0], body.change()
        known = self.mixed.isdisjoint(change)
        grows, shrinks = (known and all(times * sign > 0 for times in change.values()) for sign in (1, -1))
        bodies = frozenset([id(copies)] if is_array(copies) else ())
        if not grows:
            rises.replay(body, bodies, self.mixed)
            added(rises.tail, change, -1)
        added(rises.tail, self._times(change, copies))
        if not shrinks:
            added(rises.tail, change, -1)
            rises.replay(body, bodies, self.mixed)

    def _times(self, change: Form, copies: Size) -> Form:
        """A change so many times."""
        if not is_array(copies):
            return {key: copies * times for key, times in change.items()}
        self.copies[id(copies)] = copies
        product = {(id(copies), key): times for key, times in change.items()}
        self.mixed.update(both for both in product if both[1] in self.mixed)
        return product
