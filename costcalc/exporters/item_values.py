"""Items of a spec as plain data: a word, or a mapping from one word to fields, to a value or to branches.

A value is a number or an expression in a field, in which lists that are alike may differ. Names, words, flags, axes and
rows are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from costcalc.exporters.yaml_text import flow
from costcalc.ops import OPS
from costcalc.spec.signature import kinds_of

Item = Any
Visit = Callable[[str, Any], Any]  # of a value: its field's name and itself -> what stands in its place
STRUCTURES = ("group", "repeat")
NO_VALUES = ("name", "from", "shares", "meant", "frozen", "layers", "branches")


def lists(item: Item) -> list[list[Item]]:
    """The lists of layers in an item."""
    given = next(iter(item.values())) if isinstance(item, dict) else None
    if isinstance(given, dict):  # an LSTM has a number of layers
        return [*([given["layers"]] if isinstance(given.get("layers"), list) else []), *given.get("branches", [])]
    return given if isinstance(given, list) and any(isinstance(one, list) for one in given) else []


def all_lists(items: list[Item]) -> Iterator[list[Item]]:
    """The lists of layers in a list, innermost first, and itself."""
    for item in items:
        for inner in lists(item):
            yield from all_lists(inner)
    yield items


def kinds(items: list[Item]) -> Iterator[str]:
    for item in items:
        yield next(iter(item)) if isinstance(item, dict) else item
        for inner in lists(item):
            yield from kinds(inner)


def skeleton(items: list[Item]) -> str:
    """Items without their values: those that agree in it can be one block."""
    return flow([mapped(item, lambda *_: "?") for item in items])


def values(items: list[Item]) -> list[tuple[str, Any]]:
    """The values in items, each with the name of its field."""
    found: list[tuple[str, Any]] = []
    for item in items:
        mapped(item, lambda name, value: found.append((name, value)))
    return found


def mapped(item: Item, visit: Visit) -> Item:
    """The item, with what `visit` makes of each value in its place."""
    if isinstance(item, list):
        return [mapped(one, visit) for one in item]
    if not isinstance(item, dict):
        return item
    ((kind, given),) = item.items()
    if not isinstance(given, dict):
        is_branched = isinstance(given, list) and any(isinstance(one, list) for one in given)
        return {kind: mapped(given, visit) if is_branched else _value(kind, _first_field(kind), given, visit)}
    changed = {}
    for key, value in given.items():
        if key in ("layers", "branches") and isinstance(value, list):
            changed[key] = mapped(value, visit)
        else:
            changed[key] = value if key in NO_VALUES else _value(kind, key, value, visit)
    return {kind: changed}


def _first_field(kind: str) -> str:
    return next(iter(kinds_of(kind)), "") if kind in OPS else ""


def _value(op: str, name: str, value: Any, visit: Visit) -> Any:
    """A field: its numbers and expressions are values; words, flags, axes and rows are not."""
    kind = kinds_of(op).get(name) if op in OPS else None
    if isinstance(value, bool) or (kind and (kind.static or kind.name == "rows" or value in kind.words)):
        return value
    if isinstance(value, list):
        return [visit(name, one) for one in value]
    return visit(name, value)
