"""Lists of layers that are alike become a block of the spec, with a parameter for each value in which they differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from costcalc.exporters.block_parameters import Columns, in_terms_of, names_in
from costcalc.exporters.item_values import (
    NO_VALUES,
    STRUCTURES,
    Item,
    all_lists,
    kinds,
    lists,
    mapped,
    skeleton,
    values,
)
from costcalc.exporters.optional_fields import with_defaults, without_defaults, written_defaults
from costcalc.exporters.yaml_text import lines_of
from costcalc.expressions import RESERVED
from costcalc.ops import OPS
from costcalc.text import FreeNames

MAX_PARAMETERS = 6
MAX_OPS_IN_NAME = 3
DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}  # of parameters, as of the fields of these names


@dataclass
class Macro:
    """A block: its parameters, and the items in which their names stand."""

    name: str
    parameters: dict[str, int | None]  # with their defaults; those that have one stand last
    items: list[Item]

    @property
    def signature(self) -> str:
        """`unit(channels, stride=1)`."""
        given = [name if default is None else f"{name}={default}" for name, default in self.parameters.items()]
        return f"{self.name}({', '.join(given)})" if given else self.name


def find_macros(items: list[Item], avoid: Sequence[str]) -> list[Macro]:
    """The blocks that save most lines, and puts calls of them into the items. `avoid`: names that no parameter has.

    Each block stands after those that it uses.
    """
    optional = written_defaults(items)
    with_defaults(items, optional)
    _joins_before_groups(items)
    found = _best_macros(items, avoid)
    for listed in [items, *(macro.items for macro in found)]:
        without_defaults(listed, optional)
    found += _inner_groups(items, found, avoid)
    return _in_order(found)


def _joins_before_groups(items: list[Item]) -> None:
    """Puts a join that starts a group before it, where the rest of the group is that of another: dense layers differ in
    what they join, and in nothing else."""
    groups = [item["group"] for listed in all_lists(items) for item in listed if _is_group(item)]
    alike = Counter(skeleton(group["layers"][_starts_with_join(group) :]) for group in groups)
    for listed in [*all_lists(items)]:
        for at in reversed(range(len(listed))):
            group = listed[at]["group"] if _is_group(listed[at]) else None
            if group and _starts_with_join(group) and alike[skeleton(group["layers"][1:])] > 1:
                listed.insert(at, group["layers"].pop(0))


def _is_group(item: Item) -> bool:
    return isinstance(item, dict) and "group" in item


def _starts_with_join(group: dict[str, Any]) -> bool:
    """Is the first of some layers a join without a name, of layers that it names?"""
    first, *more = group["layers"]
    kind, given = next(iter(first.items())) if isinstance(first, dict) else (first, {})
    is_join = kind in OPS and OPS[kind].is_join and isinstance(given, dict) and "branches" not in given
    return is_join and len(more) > 1 and "from" in given and "name" not in given


def _best_macros(items: list[Item], avoid: Sequence[str]) -> list[Macro]:
    """The blocks that save most lines, from the largest saving on."""
    found: list[Macro] = []
    while True:
        alike: dict[str, list[dict[str, Any]]] = {}
        for structure in _structures([*items, *(item for macro in found for item in macro.items)]):
            alike.setdefault(skeleton(structure["layers"]), []).append(structure)
        made = [_macro(those, found, avoid) for those in alike.values() if len(those) > 1]
        best = max(made, key=lambda one: one.saved, default=None)
        if best is None or best.saved <= 0:
            return found
        best.apply()
        found.append(best.macro)
        _calls_in_place_of_groups(items, found)


def _inner_groups(items: list[Item], known: Sequence[Macro], avoid: Sequence[str]) -> list[Macro]:
    """Groups as blocks of their own names: so lists stay flat, and the layers begin with a table of contents."""
    taken, found = {macro.name for macro in known} | {*OPS, *STRUCTURES, "side", *NO_VALUES}, []
    for listed in [one for these in (items, *(macro.items for macro in known)) for one in all_lists(these)]:
        for at, item in enumerate(listed):
            group = item.get("group") if isinstance(item, dict) else None
            if not group or [*group] != ["name", "layers"] or _line_count([item]) == 1:
                continue
            if any(_reads_parameter(value, avoid) for _, value in values(group["layers"])):
                continue
            name = FreeNames(taken).take(group["name"])
            taken.add(name)
            found.append(Macro(name, {}, group["layers"]))
            alike = [one for one in listed if one == name or (isinstance(one, dict) and name in one)]
            listed[at] = name if name == group["name"] and not alike else {name: {"name": group["name"]}}
    return found


@dataclass
class _Candidate:
    """A block, the structures whose layers it can be, the arguments of each, and the lines that it saves."""

    macro: Macro
    structures: list[dict[str, Any]]
    arguments: list[dict[str, Any]]
    saved: int

    def apply(self) -> None:
        """Puts the call of the block in place of the layers."""
        for structure, given in zip(self.structures, self.arguments, strict=True):
            structure["layers"] = [{self.macro.name: given} if given else self.macro.name]


def _macro(structures: list[dict[str, Any]], known: Sequence[Macro], avoid: Sequence[str]) -> _Candidate:
    """The block of some structures that are alike."""
    bodies = [structure["layers"] for structure in structures]
    columns = [*zip(*map(values, bodies), strict=True)]
    parameters: Columns = {}
    defaults: dict[str, int | None] = {}
    written = iter([_written(column, parameters, defaults, avoid) for column in columns])
    body = [mapped(item, lambda *_: next(written)) for item in bodies[0]]
    in_order = sorted(parameters, key=lambda name: defaults[name] is not None)  # those with a default last
    arguments = [
        {name: parameters[name][i] for name in in_order if parameters[name][i] != defaults[name]}
        for i in range(len(bodies))
    ]
    before, after = sum(map(_line_count, bodies)), 1 + _line_count(body) + len(bodies)
    saved = before - after if len(parameters) <= MAX_PARAMETERS and _line_count(body) > 1 else 0
    name = _name(structures, {macro.name for macro in known})
    return _Candidate(Macro(name, {name: defaults[name] for name in in_order}, body), structures, arguments, saved)


def _line_count(items: list[Item]) -> int:
    return sum(1 for _ in lines_of(items))


def _written(
    column: tuple[tuple[str, Any], ...], parameters: Columns, defaults: dict[str, int | None], avoid: Sequence[str]
) -> Any:
    """What stands in the block for values that the structures have in one place: a value, or an expression of
    parameters. A new parameter has the default of its field, if a structure has that."""
    values = tuple(value for _, value in column)
    if len({*map(repr, values)}) == 1 and not _reads_parameter(values[0], avoid):
        return values[0]
    if (expression := in_terms_of(values, parameters)) is not None:
        return expression
    taken = {*parameters, *avoid, *RESERVED, *NO_VALUES, "when"}
    name = FreeNames(taken).take(column[0][0])
    parameters[name] = values
    defaults[name] = DEFAULTS[column[0][0]] if values.count(DEFAULTS.get(column[0][0])) else None
    return name


def _reads_parameter(value: Any, knobs: Sequence[str]) -> bool:
    """Does a value name a parameter of the block around it?"""
    return any(name not in RESERVED and name not in knobs for name in names_in(value))


def _name(structures: list[dict[str, Any]], taken: set[str]) -> str:
    """What its few layers are, else the name that most of the structures have, without its numbers, or the shortest."""
    ops = [*kinds(structures[0]["layers"])]
    if len(ops) <= MAX_OPS_IN_NAME and all(op in OPS for op in ops):
        return FreeNames({*taken, *OPS}).take("_".join(ops))
    names = Counter(re.sub(r"(_?\d+(_to_\d+)?)+$", "", structure["name"]) or "block" for structure in structures)
    name = min(names, key=lambda name: (-names[name], len(name)))
    return FreeNames({*taken, *OPS, *STRUCTURES, "side", *NO_VALUES}).take(name)


def _structures(items: list[Item]) -> Iterator[dict[str, Any]]:
    """The groups and repeats in items whose layers are no call of a block yet."""
    for item in items:
        for inner in lists(item):
            yield from _structures(inner)
        if isinstance(item, dict) and (kind := next(iter(item))) in STRUCTURES and not _is_call(item[kind]["layers"]):
            yield item[kind]


def _is_call(items: list[Item]) -> bool:
    """Are these layers the call of a block alone?"""
    kind = next(iter(items[0])) if isinstance(items[0], dict) else items[0]
    return len(items) == 1 and kind not in OPS and kind not in STRUCTURES


def _calls_in_place_of_groups(items: list[Item], macros: Sequence[Macro]) -> None:
    """A group of one call is the call under the group's name."""
    for listed in [items, *(macro.items for macro in macros)]:
        for at, item in enumerate(listed):
            for inner in lists(item):
                _calls_in_place_of_groups(inner, ())
            group = item.get("group") if isinstance(item, dict) else None
            if group and _is_call(group["layers"]):
                (call,) = group["layers"]
                kind, given = next(iter(call.items())) if isinstance(call, dict) else (call, {})
                if "name" not in given:
                    listed[at] = {kind: {"name": group["name"], **given}}


def _in_order(macros: list[Macro]) -> list[Macro]:
    """The blocks, each after those that it uses."""
    by_name = {macro.name: macro for macro in macros}
    found: dict[str, Macro] = {}

    def put(macro: Macro) -> None:
        for kind in kinds(macro.items):
            if kind in by_name and kind not in found:
                put(by_name[kind])
        found.setdefault(macro.name, macro)

    for macro in macros:
        put(macro)
    return [*found.values()]
