"""Knobs of an architecture, its presets, and the figures that others printed of it."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from costcalc.dims import LARGEST, clip, is_array, is_symbolic, to_exact_array
from costcalc.errors import Place, UsageError, did_you_mean
from costcalc.text import value_text

SMALLEST_REAL = Fraction(1, 1000)  # of a real knob of which nothing is said: it multiplies something


def read_only(entries: Mapping[str, Any]) -> MappingProxyType[str, Any]:
    """The same entries, which cannot be changed."""
    return MappingProxyType(dict(entries)) if entries else EMPTY


EMPTY: MappingProxyType[str, Any] = MappingProxyType({})  # of most layers

copyreg.dispatch_table[MappingProxyType] = lambda proxy: (read_only, (dict(proxy),))  # so that specs can be copied


class ReadOnly:
    """Something that all who load it share: its dicts can only be read."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value.__class__ is dict:
                object.__setattr__(self, name, read_only(value))


@dataclass(frozen=True)
class Knob:
    """A named size that the reader may set. Kinds: integer, real, flag, choice. Formulas write its `letter`."""

    name: str
    default: Any
    kind: str = "integer"
    low: Any = 1
    high: Any = LARGEST
    choices: tuple[str, ...] = ()
    about: str = ""
    letter: str = ""
    place: Place | None = None

    @property
    def is_size(self) -> bool:
        """Is it a number, neither a flag nor a choice?"""
        return self.kind in ("integer", "real")

    @property
    def may_be_symbol(self) -> bool:
        """Can a symbol stand for its values? A symbol is 1 or more, a real one more than 0."""
        return self.is_size and bool(self.kind == "real" or self.default >= 1)

    def check(self, value: Any) -> Any:
        """The value as this knob takes it: a symbol unchanged, an array checked point by point and made exact.

        Raises UsageError with what it takes.
        """
        if self.is_size and is_symbolic(value):
            return value
        if self.is_size and is_array(value):
            return self.check_array(value)
        if self.kind == "choice":
            if value in self.choices:
                return value
            hint = did_you_mean(str(value), self.choices, listed=False)
            raise UsageError(f"knob {self.name!r} is one of {', '.join(self.choices)}, got {clip(value)}", hint)
        if self.kind == "flag":
            if isinstance(value, bool):
                return value
            raise UsageError(f"knob {self.name!r} is true or false, got {clip(value)}")
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            article = "a whole" if self.kind == "integer" else "a"
            raise UsageError(f"knob {self.name!r} is {article} number, got {clip(value)}")
        if self.kind == "integer" and not isinstance(value, int):
            raise UsageError(f"knob {self.name!r} is a whole number, got {clip(value)}")
        if not self.low <= value <= self.high:
            low, high = value_text(self.low), value_text(self.high)
            span = f"at least {low}" if value < self.low else f"at most {high}"
            raise UsageError(f"knob {self.name!r} is {span}, got {clip(value)}")
        return value

    def check_array(self, values: Any) -> Any:
        """The array made exact, if this knob takes every number in it."""
        try:
            column = to_exact_array(values)
        except TypeError as error:
            raise UsageError(f"knob {self.name!r} is a number: {error}") from None
        if column.are_within(self.low, self.high) and (column.is_whole or self.kind == "real"):
            return column
        fraction = (column % 1 != 0) & (self.kind == "integer")
        wrong = column.first(fraction | (column < self.low) | (column > self.high))
        return column if wrong is None else self.check(wrong)


@dataclass(frozen=True, eq=False)
class Preset(ReadOnly):
    """Named settings of knobs that are a known network."""

    name: str
    settings: Mapping[str, Any]
    about: str = ""
    place: Place | None = None


@dataclass(frozen=True, eq=False)
class Published(ReadOnly):
    """A printed figure: `value` as text, for the network of `preset` and `at`, or for one `block` of it."""

    metric: str
    value: str
    source: str
    preset: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)
    block: str = ""
    thousand: int = 1000  # what the author's K is
    because: str = ""
    place: Place | None = None
    metric_place: Place | None = None
