"""Ints that remember their factors: `28·28·32 · 5·5·16`."""

from __future__ import annotations

import math
from typing import Any


class FactoredInt(int):
    """An int with its factors in groups; `costcalc explain` feeds such ints to the rules.

    The elements of an image (n, c, h, w) are written as in lectures, h·w·c.
    """

    groups: tuple[tuple[str, ...], ...]
    closed: bool  # the next factor opens a new group
    image: bool

    def __new__(cls, value: int, groups: Any = None, *, closed: bool = False, image: bool = False) -> FactoredInt:
        self = super().__new__(cls, value)
        self.groups = ((f"{value}",),) if groups is None else groups
        self.closed = closed
        self.image = image
        return self

    @property
    def text(self) -> str:
        """Factors joined by `·`, groups by ` · `."""
        return " · ".join("·".join(group) for group in self.groups)

    @classmethod
    def elements(cls, shape: tuple[Any, ...]) -> FactoredInt:
        """The product of a shape as a group of its own, without a batch of 1."""
        batch, *rest = shape
        if len(rest) >= 3 and any(getattr(axis, "image", False) for axis in shape):
            rest = [*rest[1:], rest[0]]
        axes = [*([batch] if batch != 1 else []), *rest]
        texts = tuple(_factored(axis).text for axis in axes)
        return cls(math.prod(map(int, shape)), (texts or ("1",),), closed=True)

    @classmethod
    def quotient(cls, a: int, b: int) -> FactoredInt:
        """a / b as one factor: `(96/2)`, or `a` alone when b is 1."""
        first, second = _factored(a), _factored(b)
        if int(second) == 1:
            return first
        return cls(int(a) // int(b), ((f"({first.text}/{second.text})",),))

    def __mul__(self, other: int) -> FactoredInt:
        right = _factored(other)
        value = int(self) * int(other)
        if self.closed or right.closed:
            return FactoredInt(value, self.groups + right.groups, closed=right.closed)
        return FactoredInt(value, (*self.groups[:-1], self.groups[-1] + right.groups[0], *right.groups[1:]))

    def __rmul__(self, other: int) -> FactoredInt:
        return self if other == 1 else FactoredInt(other) * self

    def __add__(self, other: int) -> FactoredInt:
        return self if other == 0 else _sum(self, _factored(other))

    def __radd__(self, other: int) -> FactoredInt:
        return self if other == 0 else _sum(_factored(other), self)


def _factored(n: int) -> FactoredInt:
    return n if isinstance(n, FactoredInt) else FactoredInt(n)


def _sum(a: FactoredInt, b: FactoredInt) -> FactoredInt:
    return FactoredInt(int(a) + int(b), ((f"({a.text} + {b.text})",),))
