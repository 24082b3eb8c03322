"""Numbers with a default in the items of a spec: written everywhere while blocks are compared, left out where they say
what the default says.

So two blocks that differ in a stride are one block with `stride=1` among its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from costcalc.exporters.item_values import Item, all_lists, lists
from costcalc.ops import OPS

Defaults = dict[str, dict[str, int]]  # by op and field


@cache
def defaults_of(op: str) -> dict[str, int]:
    """The fields of an op whose default is a number."""
    return {one.name: one.default for one in fields(OPS[op]) if type(one.default) is int} if op in OPS else {}


def written_defaults(items: list[Item]) -> Defaults:
    """The numbers with a default that an item of the spec has, by its op."""
    found: Defaults = {}
    for item in _all_items(items):
        kind, given = next(iter(item.items())) if isinstance(item, dict) else (item, {})
        known = defaults_of(kind)
        found.setdefault(kind, {}).update(
            {name: known[name] for name in known if isinstance(given, dict) and name in given}
        )
    return {kind: dict(sorted(own.items())) for kind, own in found.items() if own}


def with_defaults(items: list[Item], defaults: Defaults) -> None:
    """Writes these numbers in all items of their ops."""

    def full(item: Item) -> Item:
        kind, given = next(iter(item.items())) if isinstance(item, dict) else (item, {})
        if kind not in defaults or isinstance(given, list):
            return item
        return {
            kind: _in_order(kind, {**defaults[kind], **(given if isinstance(given, dict) else {_first(kind): given})})
        }

    _replace_all(items, full)


def without_defaults(items: list[Item], kinds: Collection[str]) -> None:
    """Leaves out of the items of these ops the numbers that are their defaults."""

    def short(item: Item) -> Item:
        kind, given = next(iter(item.items())) if isinstance(item, dict) else (item, {})
        if kind not in kinds or not isinstance(given, dict):
            return item
        known = defaults_of(kind)
        left = {name: value for name, value in given.items() if name not in known or value != known[name]}
        if not left:
            return kind
        is_short = [*left] == [_first(kind)] and not isinstance(left[_first(kind)], (list, bool))
        return {kind: left[_first(kind)] if is_short else left}

    _replace_all(items, short)


def _first(kind: str) -> str:
    """The first field of an op."""
    return fields(OPS[kind])[0].name


def _in_order(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The entries of an item: its name, the fields in the op's order, and the rest."""
    order = ["name", *(one.name for one in fields(OPS[kind]))]
    return {key: given[key] for key in (*order, *given) if key in given}


def _all_items(items: list[Item]) -> Iterator[Item]:
    for listed in all_lists(items):
        yield from listed


def _replace_all(items: list[Item], change: Callable[[Item], Item]) -> None:
    for listed in [*all_lists(items)]:
        for at, item in enumerate(listed):
            if not lists(item):
                listed[at] = change(item)
