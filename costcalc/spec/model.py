"""A spec as parsed: sizes are still expressions, blocks still macros.

Reported stands in the place of what is wrong. Only `validate` meets it, as it looks for what else is wrong.
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from os import urandom
from types import MappingProxyType
from typing import Any

from costcalc.dims import LARGEST, size_text
from costcalc.dims.given import is_column, is_letter, shortened
from costcalc.dims.size_checks import exact_column
from costcalc.errors import Place, UsageError, did_you_mean
from costcalc.spec.expressions import Expression

Value = Any  # Expression, or a tuple of Values
UNKNOWN = "?"  # the kind of an item whose kind is not known
UNREAD = ""  # the field of an item, Reported, that stands for all that could not be read of it


def unique(name: str, place: Place) -> str:
    """A unique name for a layer whose own name is no name, or the name of two layers."""
    return f"{name}{UNKNOWN}{place.line}:{place.column}"


def as_written(name: str) -> str:
    """A name without what made it unique."""
    return re.sub(r"\?\d+:\d+", "", name) if UNKNOWN in name else name


def read_only(entries: Mapping[str, Any]) -> MappingProxyType[str, Any]:
    """A read-only copy."""
    return MappingProxyType(dict(entries)) if entries else NOTHING


NOTHING: MappingProxyType[str, Any] = MappingProxyType({})  # of most layers

copyreg.dispatch_table[MappingProxyType] = lambda proxy: (read_only, (dict(proxy),))  # so that specs can be copied


class ReadOnly:
    """Part of a spec that all networks of it share: its dicts are read-only."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value.__class__ is dict:
                object.__setattr__(self, name, read_only(value))


@dataclass(frozen=True)
class Knob:
    """A named size the reader may set. Kinds: integer, real, flag, choice."""

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
        """Can it be a symbol?"""
        return self.kind in ("integer", "real")

    def check(self, value: Any) -> Any:
        """The value as this knob takes it: a symbol as it is, an array point by point and exact from then on.

        Raises UsageError with what it takes.
        """
        if self.is_size and is_letter(value):
            return value
        if self.is_size and is_column(value):
            return self.check_column(value)
        if self.kind == "choice":
            if value in self.choices:
                return value
            hint = did_you_mean(str(value), self.choices, listed=False)
            raise UsageError(f"knob {self.name!r} is one of {', '.join(self.choices)}, got {shortened(value)}", hint)
        if self.kind == "flag":
            if isinstance(value, bool):
                return value
            raise UsageError(f"knob {self.name!r} is true or false, got {shortened(value)}")
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            article = "a whole" if self.kind == "integer" else "a"
            raise UsageError(f"knob {self.name!r} is {article} number, got {shortened(value)}")
        if self.kind == "integer" and not isinstance(value, int):
            raise UsageError(f"knob {self.name!r} is a whole number, got {shortened(value)}")
        if not self.low <= value <= self.high:
            low, high = size_text(self.low), size_text(self.high)
            span = f"at least {low}" if value < self.low else f"at most {high}"
            raise UsageError(f"knob {self.name!r} is {span}, got {shortened(value)}")
        return value

    def check_column(self, values: Any) -> Any:
        """The array exactly, if this knob takes every number in it."""
        try:
            column = exact_column(values)
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
    """A figure somebody printed: `value` as text, for the network of `preset` and `at`, or one `block` of it."""

    metric: str
    value: str
    source: str
    preset: str = ""
    at: Mapping[str, Any] = field(default_factory=dict)
    block: str = ""
    thousand: int = 1000  # what the author's K is
    because: str = ""
    place: Place | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Item:
    """One entry of a list of layers: an op, a block or a structure. `linear: classes` gives its first field."""

    kind: str
    place: Place
    fields: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    sources: tuple[str | None, ...] | None = None
    when: Expression | None = None
    shares: str = ""
    meant: bool = False  # it gives no warning
    branches: tuple[tuple[Item, ...], ...] | None = None  # of a structure: one list of items, or several to be joined
    places: Mapping[str, Place] = field(default_factory=dict)  # of `from` and `shares`
    # items of a spec that are of one form make equal ops of equal values
    form: tuple[Any, ...] = field(init=False, repr=False)
    reads: tuple[str, ...] = field(init=False, repr=False)  # the names its fields read
    values: int = field(init=False, repr=False)  # that its fields have

    def __post_init__(self) -> None:
        given, flat = read_only(self.fields), [*_flat(self.fields.values())]
        found = {
            "fields": given,
            "places": read_only(self.places),
            "form": (self.kind, *given, *map(_form, given.values())),
            "reads": tuple(sorted({name for value in flat for name in value.names})),
            "values": len(flat),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


def all_items(items: Iterable[Item]) -> Iterator[Item]:
    """Items and those inside of them."""
    for item in items:
        yield item
        for branch in item.branches or ():
            yield from all_items(branch)


def _form(value: Value) -> Any:
    return tuple(map(_form, value)) if value.__class__ is tuple else id(value.tree)


def _flat(values: Iterable[Value]) -> Iterator[Expression]:
    for value in values:
        if value.__class__ is tuple:
            yield from _flat(value)
        else:
            yield value


@dataclass(frozen=True, eq=False)
class Block(ReadOnly):
    """A macro: parameters (with defaults or None) and the items they are put into."""

    name: str
    parameters: Any  # a dict of Expressions or None, by name; REPORTED if they cannot be read
    items: tuple[Item, ...]
    place: Place


@dataclass(frozen=True, eq=False)
class Spec(ReadOnly):
    """An architecture as its file says it."""

    name: str
    title: str
    source: str
    file: str
    about: str = ""
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    sizes: Mapping[str, Expression] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    published: tuple[Published, ...] = ()
    unsure: frozenset[str] = frozenset()  # names of layers that something misspelt may have meant
    # this spec's alone, and sent with it
    token: bytes = field(init=False, repr=False, default_factory=partial(urandom, 16))

    @cached_property
    def size_knobs(self) -> tuple[str, ...]:
        """The knobs that can be symbols, in the order of the file."""
        return tuple(name for name, knob in self.knobs.items() if knob.is_size)
