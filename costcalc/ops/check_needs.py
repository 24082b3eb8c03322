"""Checks the needs of an op: which points are valid, which needs symbols leave undecided, and what fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from costcalc.dims import Shape, Size, Truth, at_first_point, clip, first_failure, is_array, is_symbolic
from costcalc.errors import ShapeError
from costcalc.ops.base import field_kinds
from costcalc.ops.needs import AtLeast, Need, Whole

PLAIN_TYPES = frozenset([int, bool, str, float])  # of fields that have no symbols


def needs_of(self: Any, ins: tuple[Shape, ...]) -> Iterator[Need]:
    """The needs of an op, and of its fields that are symbols. Fields that are numbers were checked when set."""
    given = self.needs(*ins)
    if not hasattr(given, "__iter__"):
        raise _no_need(self, given)
    for need in given:
        if not isinstance(need, Need):
            raise _no_need(self, need)
        yield need
        if need.truth is False:  # those after it may read axes that are not there
            return
    for name, value in self.__dict__.items():
        if value.__class__ in PLAIN_TYPES:  # nearly all fields; faster than looking for symbols
            continue
        for size in value if value.__class__ is tuple else (value,):
            if is_symbolic(size):
                kind = field_kinds(self.__class__)[name]
                if kind.is_size:
                    yield from size_needs(name, size, kind.low)


def _no_need(self: Any, given: Any) -> ShapeError:
    wanted = "must return relations of costcalc.ops.needs"
    return ShapeError(f"op {self.__class__.__name__}: needs() {wanted}; got {clip(given)}")


def size_needs(name: str, size: Size, low: int) -> Iterator[Need]:
    """The needs of a symbol as a size: whole, and at least `low`."""
    if not {0: size.is_nonnegative, 1: size.is_positive}.get(low):  # a whole number above 0 is 1 or more
        yield AtLeast(size, low, named=name)
    yield Whole(size, named=name)


def assumptions(needs: Iterable[Need]) -> list[Need]:
    """The needs that symbols leave undecided. Raises ShapeError for a need that fails, even at a single point."""
    needs = [*needs]
    valid, undecided = check(needs)
    if valid is not True:
        for need in needs:
            if is_array(need.truth) and not need.truth.all():
                raise ShapeError(need.sentence(first_failure(need.truth, need.message_sizes)))
    return undecided


def check(needs: Iterable[Need]) -> tuple[Truth, list[Need]]:
    """The mask of valid points, and the undecided needs. Raises ShapeError for a need that fails at all points."""
    valid: Truth = True
    undecided: list[Need] = []
    for need in needs:
        truth = need.truth
        if truth is True:
            continue
        if truth is None:
            undecided.append(need)
        elif truth is False:
            raise ShapeError(need.sentence(at_first_point(need.message_sizes)))
        else:
            valid = valid & truth
    return valid, undecided
