"""Names of layers: where a list of them stands, how they are called there, and what a `from` means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from costcalc.graph import Graph, Outer
from costcalc.ops.base import is_join
from costcalc.spec.evaluate import BROKEN as NO_VALUE
from costcalc.spec.model import UNKNOWN, Item

BROKEN = ""  # stands for the node of an item whose problem is noted already


def kind_of_name(name: str) -> str:
    """The kind of a layer that is named by its kind."""
    return re.sub(r"_*\d+$", "", name)


class Given(dict[str, Any]):
    """Values of names, with the defaults of the knobs among them for hints."""

    def __init__(self, values: Mapping[str, Any], defaults: Mapping[str, Any]):
        super().__init__(values)
        self.defaults = defaults


class Noted(Given):
    """Values of names, where one without a value is one whose problem is noted already."""

    def __missing__(self, name: str) -> Any:
        return NO_VALUE


class Values(dict[str, Any]):
    """Arguments of a block in front of the names of the whole spec."""

    def __init__(self, outer: dict[str, Any], own: dict[str, Any]):
        super().__init__(own)
        self.outer = outer
        self.defaults = getattr(outer, "defaults", {})

    def __missing__(self, name: str) -> Any:
        return self.outer[name]


@dataclass
class Scope:
    """Where layers are being put: the graph, the prefix of their names, and what is known there."""

    graph: Graph
    prefix: str
    values: dict[str, Any]
    ends: dict[str, str]  # layer, group or block by full name -> the node its output is
    outer: Scope | None = None
    around: Scope | None = None  # of the body of a repeat, which may share weights there and reads nothing
    here: str | None = None  # the node the next layer reads
    opaque: set[str] = field(default_factory=set)  # full names of what has nobody knows which layers inside
    sides: list[str] = field(default_factory=list)  # nodes at the ends of side branches
    names: dict[int, str] = field(default_factory=dict)  # of the items of the list, by id

    def inside(self, name: str, here: str) -> Scope:
        """The scope of a group or block of that full name."""
        return Scope(self.graph, f"{name}.", self.values, self.ends, self, self.around, here, self.opaque, self.sides)

    def find(self, path: str) -> str | None:
        """The node a `from` means: nearest scope first."""
        scope: Scope | None = self
        while scope is not None:
            if f"{scope.prefix}{path}" in scope.ends:
                return scope.ends[f"{scope.prefix}{path}"]
            scope = scope.outer
        return None

    def find_outside(self, path: str) -> tuple[str | None, int]:
        """The node that a path means outside of the repeat, and how many repeats further out it stands."""
        scope, levels = self.around, 1
        while scope is not None:
            node = scope.find(path)
            if node is not None:
                return node, levels
            scope, levels = scope.around, levels + 1
        return None, 0

    def hides(self, path: str) -> bool:
        """May this be inside of something that could not be read?"""
        scope: Scope | None = self
        while scope is not None:
            parts = f"{scope.prefix}{path}".split(".")
            if not scope.opaque.isdisjoint(".".join(parts[:depth]) for depth in range(1, len(parts))):
                return True
            scope = scope.outer or scope.around
        return False

    def known(self, *, outside: bool = False) -> list[str]:
        """Names a `from` could mean here, for hints; a `shares` means those outside of a repeat too."""
        names = [name.removeprefix(self.prefix) for name in self.ends if UNKNOWN not in name]
        return [*names, *self.around.known(outside=True)] if outside and self.around else names

    def data_of(self, owner: Any) -> dict[str, Any]:
        """What is kept of a layer whose weights are shared here."""
        scope = self
        for _ in range(owner.levels if owner.__class__ is Outer else 0):
            scope = scope.around or scope
        node: dict[str, Any] = scope.graph.nodes[owner.name if owner.__class__ is Outer else owner]
        return node

    def name_all(self, items: Iterable[Item]) -> None:
        """Names the items of this list: as the author did, else by kind, numbered where the list has several.

        Each name is given once. Switches change none of them: items that are passed over are counted too.
        """
        listed = [*in_this_list(items)]
        self.names = {id(item): item.name for item in listed}
        taken = {*self.names.values(), *(self.ends if self.outer is None else ())}
        alike: dict[str, list[Item]] = {}
        for item in listed:
            if not item.name:
                alike.setdefault(item.kind, []).append(item)
        taken |= (alone := {kind for kind, those in alike.items() if len(those) == 1 and kind not in taken})
        for kind, those in alike.items():
            names = [kind] if kind in alone else _numbered(kind, len(those), taken)
            taken.update(names)
            self.names.update(zip(map(id, those), names, strict=True))

    def name_of(self, item: Item) -> str:
        """Its name in this list; "" for a group without a name."""
        return self.names.get(id(item), "")


def _numbered(kind: str, count: int, taken: Set[str]) -> list[str]:
    """relu1, relu2, but relu6_1; behind a longer line where one of them is another's name."""
    line = "_" * kind[-1].isdigit()
    while not taken.isdisjoint(names := [f"{kind}{line}{n}" for n in range(1, count + 1)]):
        line += "_"
    return names


def in_this_list(items: Iterable[Item]) -> Iterator[Item]:
    """Items that take their names from one list: those of branches and nameless groups stand where these are."""
    for item in items:
        if item.kind != "group" or item.name:
            yield item
        yield from in_this_list(_inside(item))


def _inside(item: Item) -> Iterable[Item]:
    if item.branches is not None and (is_join(item.kind) or (item.kind == "group" and not item.name)):
        return [inner for branch in item.branches for inner in branch]
    return ()
