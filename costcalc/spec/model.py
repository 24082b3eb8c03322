"""A spec as parsed: sizes are still expressions, blocks still macros.

What is `wrong` has a problem that is noted already. Only `validate` meets such parts, to look for what else is wrong.
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
from costcalc.dims.given import exact_column, is_column, is_letter, shortened
from costcalc.errors import Place, UsageError, did_you_mean
from costcalc.ops.base import own_ops, register_again
from costcalc.spec.expressions import Expression

Value = Any  # Expression, or a tuple of Values
UNKNOWN = "?"  # the kind of an item that nobody knows


def unique(name: str, place: Place) -> str:
    """A name that no other layer has, for one that is no name or stands twice."""
    return f"{name}{UNKNOWN}{place.line}:{place.column}"


def as_written(name: str) -> str:
    """A name without what made it unique."""
    return re.sub(r"\?\d+:\d+", "", name) if UNKNOWN in name else name


def read_only(entries: Mapping[str, Any]) -> MappingProxyType[str, Any]:
    """The same entries, which nobody can change."""
    return MappingProxyType(dict(entries)) if entries else NOTHING


NOTHING: MappingProxyType[str, Any] = MappingProxyType({})  # of most layers

copyreg.dispatch_table[MappingProxyType] = lambda proxy: (read_only, (dict(proxy),))  # so that specs can be copied


class ReadOnly:
    """Something that all who load it share, so that nobody may change it: its dicts can only be read."""

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
        """Can it be a letter?"""
        return self.kind in ("integer", "real")

    def check(self, value: Any) -> Any:
        """The value as this knob takes it: a letter as it is, a column point by point and exact from then on.

        Raises UsageError with what it takes.
        """
        if self.is_size and is_letter(value):
            return value
        if self.is_size and is_column(value):
            return self.check_column(value)
        if self.kind == "choice":
            if value in self.choices:
                return value
            hint = did_you_mean(str(value), self.choices)
            more = f"; {hint}" if hint.startswith("did") else ""
            raise UsageError(f"knob {self.name!r} is one of {', '.join(self.choices)}, got {shortened(value)}{more}")
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
        """The column exactly, if this knob takes every number in it."""
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
    wrong: bool = False


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
    wrong: bool = False
    # items of a spec that are of one form make equal ops of equal values
    form: tuple[Any, ...] = field(init=False, repr=False)
    reads: tuple[str, ...] = field(init=False, repr=False)  # the names its fields read
    values: int = field(init=False, repr=False)  # that its fields have

    def __post_init__(self) -> None:
        given, flat = read_only(self.fields), [*_flat(self.fields.values())]
        found = {
            "fields": given,
            "places": read_only(self.places),
            "form": (self.kind, self.wrong, *given, *map(_form, given.values())),
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
    parameters: Mapping[str, Expression | None]
    items: tuple[Item, ...]
    place: Place
    wrong: bool = False


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
        """The knobs that can be letters, in the order of the file."""
        return tuple(name for name, knob in self.knobs.items() if knob.is_size)

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """The classes of ops that are a reader's own."""
        lists = (self.items, *(block.items for block in self.blocks.values()))
        return own_ops(item.kind for items in lists for item in all_items(items))

    def __getstate__(self) -> dict[str, Any]:
        """With the classes of the reader's own ops: unpickling one imports its module, which registers the op."""
        return {**vars(self), "own_ops": self.own_ops}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Registers the classes that came without their modules, as cloudpickle sends those of a notebook."""
        register_again(state.pop("own_ops"))
        vars(self).update(state)
