"""A spec as parsed: sizes are still expressions, blocks still macros.

Reported replaces an invalid part. Only `validate` meets it, because only it continues after a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from costcalc.errors import Place
from costcalc.expressions import Expression
from costcalc.models.knob import Knob, Preset, Published, ReadOnly, read_only
from costcalc.ops.base import own_ops, register_again

Value = Any  # Expression, or a tuple of Values
UNKNOWN = "?"  # the kind of an item of unknown kind
UNREAD = ""  # a field, Reported, of an item that was not read completely


def unique(name: str, place: Place) -> str:
    """A unique name for a layer whose own name is invalid or used twice."""
    return f"{name}{UNKNOWN}{place.line}:{place.column}"


def as_written(name: str) -> str:
    """A name without the suffix of `unique`."""
    return re.sub(r"\?\d+:\d+", "", name) if UNKNOWN in name else name


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
    meant: bool = False  # suppresses its warnings
    frozen: bool = False  # it is not trained, nor what stands in it
    branches: tuple[tuple[Item, ...], ...] | None = None  # one list of a structure, or several to join
    places: Mapping[str, Place] = field(default_factory=dict)  # of `from` and `shares`
    form: tuple[Any, ...] = field(init=False, repr=False)  # items of equal form make equal ops from equal values
    reads: tuple[str, ...] = field(init=False, repr=False)  # the names in its fields' expressions
    value_count: int = field(init=False, repr=False)  # in all fields

    def __post_init__(self) -> None:
        given, flat = read_only(self.fields), [*_flat(self.fields.values())]
        found = {
            "fields": given,
            "places": read_only(self.places),
            "form": (self.kind, *given, *map(_form, given.values())),
            "reads": tuple(sorted({name for value in flat for name in value.names})),
            "value_count": len(flat),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


def all_items(items: Iterable[Item]) -> Iterator[Item]:
    """The items, and all items inside them."""
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
    """A macro: parameters (with defaults or None) and the items that read them."""

    name: str
    parameters: Any  # dict[str, Expression | None], or REPORTED if they are unreadable
    items: tuple[Item, ...]
    place: Place


@dataclass(frozen=True, eq=False)
class Spec(ReadOnly):
    """An architecture as its file describes it."""

    name: str
    title: str
    source: str
    file: str
    about: str = ""
    lecture: int = 0  # that it belongs to; 0 for none
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    presets: Mapping[str, Preset] = field(default_factory=dict)
    sizes: Mapping[str, Expression] = field(default_factory=dict)
    inputs: Mapping[str, tuple[Expression, ...]] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    published: tuple[Published, ...] = ()
    unsure: frozenset[str] = frozenset()  # possible names of layers that could not be read

    @property
    def own_ops(self) -> tuple[type[Any], ...]:
        """The classes of ops that do not come with costcalc."""
        lists = (self.items, *(block.items for block in self.blocks.values()))
        return own_ops(item.kind for items in lists for item in all_items(items))

    def __getstate__(self) -> dict[str, Any]:
        """Adds the classes of the reader's own ops: unpickling a class imports its module, which registers the op."""
        return {**vars(self), "own_ops": self.own_ops}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Registers classes that came without their modules, as cloudpickle sends those of a notebook."""
        register_again(state.pop("own_ops"))
        vars(self).update(state)
