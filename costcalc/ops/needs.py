"""The needs of ops, as relations between sizes.

A relation computes its truth, its messages and its claims from its sizes. Analyses read its class and sizes; no code
reads a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from fractions import Fraction
from typing import Any

from costcalc.dims import (
    Shape,
    Size,
    Truth,
    at_least,
    broadcasts,
    divides,
    equal,
    is_symbolic,
    same_shape,
    whole,
)
from costcalc.text import value_text

Claim = tuple[str, tuple[Size, ...]]  # least: x ≥ 0; whole: x is; same: a = b; stretch: a = b, or one of them is 1


class Need:
    """A relation between sizes, its `args`. `truth` is True, False, an array of these, or None if symbols decide it."""

    message: str = ""  # what is wrong where it does not hold, with gaps for `message_sizes`, by default the args
    condition: str = ""  # what must hold, with gaps for the args
    named: str = ""  # the name of the first of the args, as in `features = `
    of_layer = True  # is it about a layer, whose name messages give? Else about the network

    def __init__(self, *args: Any, message: str = "", message_sizes: tuple[Any, ...] | None = None, named: str = ""):
        self.args, self.message_sizes = args, args if message_sizes is None else message_sizes
        self.message = message or self.message
        if named:
            self.named = f"{named} = "
        self.truth: Truth = self.holds(*args)

    @staticmethod
    def holds(*args: Any) -> Truth:
        """Does it hold for these sizes?"""
        raise NotImplementedError

    def sentence(self, sizes: Any = None) -> str:
        """What is wrong where it does not hold, with these sizes in the gaps in place of `message_sizes`."""
        return self.named + self.message.format(*map(_plain, self.message_sizes if sizes is None else sizes))

    def requirement(self, write: Callable[[Any], str]) -> str:
        """What must hold, with each size as text made by `write`."""
        return self.named + self.condition.format(*map(write, self.args))

    def with_sizes(self, change: Callable[[Any], Any]) -> Need:
        """The same relation between other sizes."""
        other = copy(self)
        other.args, other.message_sizes = _changed(self.args, change), _changed(self.message_sizes, change)
        other.truth = self.holds(*other.args)
        return other

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The conditions on symbols, for pages that check them without the rules."""
        return tuple((kind, sizes) for kind, sizes in self.all_claims() if any(map(is_symbolic, sizes)))

    def all_claims(self) -> Iterator[Claim]:
        """The conditions on its sizes."""
        raise NotImplementedError

    @property
    def slack(self) -> Size | None:
        """An expression that is at least 0 where the need holds; None for needs of other kinds."""
        return None

    @property
    def key(self) -> tuple[str, str]:
        """Equal for equal relations between equal sizes."""
        return type(self).__name__, str(self.args)

    def __str__(self) -> str:
        return self.sentence()


def _plain(x: Any) -> Any:
    return value_text(x) if isinstance(x, Fraction) else x


def _changed(x: Any, change: Callable[[Any], Any]) -> Any:
    return tuple(_changed(one, change) for one in x) if isinstance(x, tuple) else change(x)


class Fact(Need):
    """A condition that ints decide: how many axes, inputs or rows there are. Symbols need another relation."""

    def __init__(self, truth: Truth, message: str, *message_sizes: Any):
        if truth is None:
            raise TypeError(f"symbols leave {message!r} open: say it as a relation of costcalc.ops.needs")
        super().__init__(truth, message=message, message_sizes=message_sizes)

    @staticmethod
    def holds(truth: Truth) -> Truth:
        """The given truth."""
        return truth


class AtLeast(Need):
    """x ≥ low"""

    message = "{} must be at least {}"
    condition = "{} is at least {}"
    holds = staticmethod(at_least)

    @property
    def slack(self) -> Size:
        """x − low"""
        x, low = self.args
        return x - low

    def all_claims(self) -> Iterator[Claim]:
        """x − low ≥ 0"""
        yield "least", (self.slack,)


class Fits(Need):
    """A window of `reach` positions fits into `size`, or passes its end by `overhang` at most."""

    message = "a window of {} does not fit into {}"
    condition = "a window of {} fits into {}"

    def __init__(self, reach: Size, size: Size, overhang: Size = 0, *, padded: bool = False, message: str = ""):
        super().__init__(reach, size, overhang, message=message)
        if padded:
            self.message, self.condition = f"{self.message}, padding included", f"{self.condition}, padding included"

    @staticmethod
    def holds(reach: Size, size: Size, overhang: Size) -> Truth:
        """size + overhang ≥ reach"""
        return at_least(size + overhang, reach)

    @property
    def slack(self) -> Size:
        """size + overhang − reach"""
        reach, size, overhang = self.args
        return size + overhang - reach

    def all_claims(self) -> Iterator[Claim]:
        """size + overhang − reach ≥ 0"""
        yield "least", (self.slack,)


class Divides(Need):
    """a is a whole multiple of b"""

    message = "{} does not divide {}"
    condition = "{} divides {}"
    holds = staticmethod(divides)

    def all_claims(self) -> Iterator[Claim]:
        """a / b is a whole number."""
        b, a = self.args
        yield "whole", (a / b,)


class Equal(Need):
    """a = b"""

    message = "{} and {} differ"
    condition = "{} = {}"
    holds = staticmethod(equal)

    def all_claims(self) -> Iterator[Claim]:
        """a = b"""
        yield "same", self.args


class SameShape(Need):
    """Two shapes are equal, axis by axis."""

    message = "shapes {} and {} differ"
    holds = staticmethod(same_shape)

    def requirement(self, write: Callable[[Any], str]) -> str:
        """a = b, for each pair of axes that symbols leave open."""
        return " and ".join(f"{write(a)} = {write(b)}" for a, b in zip(*self.args) if equal(a, b) is None)

    def all_claims(self) -> Iterator[Claim]:
        """a = b, for each pair of axes."""
        return (("same", pair) for pair in zip(*self.args))


class Broadcasts(Need):
    """a = b, or one of them is 1: two axes that meet in an elementwise operation."""

    message = "{} and {} differ, and neither is 1"
    condition = "{} = {}, or one of them is 1"
    holds = staticmethod(broadcasts)

    def all_claims(self) -> Iterator[Claim]:
        """a = b, or one of them is 1."""
        yield "stretch", self.args


class Whole(Need):
    """x is a whole number"""

    message = "{} must be a whole number"
    condition = "{} is a whole number"
    holds = staticmethod(whole)

    def all_claims(self) -> Iterator[Claim]:
        """x is a whole number."""
        yield "whole", self.args


def axes(x: Shape, low: int, what: str) -> Iterator[Need]:
    """x has at least `low` axes, called `what`."""
    yield Fact(len(x) >= low, "needs an input of shape {}, got one of {} axes", what, len(x))


def axis_exists(axis: int, x: Shape) -> Need:
    """x has this axis; a negative one counts from the end."""
    return Fact(-len(x) <= axis < len(x), "axis = {} of an input of {} axes; axes count from 0", axis, len(x))


def axes_exist(axes: tuple[int, ...], x: Shape) -> Iterator[Need]:
    """x has these axes, none of them is named twice."""
    for axis in axes:
        yield axis_exists(axis, x)
    yield Fact(len({axis % len(x) for axis in axes}) == len(axes), "axes = {} name an axis twice", axes)
