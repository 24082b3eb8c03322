"""Names the layers of a list, and finds the node that a name means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from costcalc.errors import REPORTED
from costcalc.graph import LayerList, add
from costcalc.ops import OPS
from costcalc.ops.base import is_join
from costcalc.spec.spec_tree import UNKNOWN, Item

Source: TypeAlias = Any  # the name of a node of the graph, or REPORTED


def kind_of_name(name: str) -> str:
    """The kind in the name of a layer without a name of its own: relu of relu2."""
    return re.sub(r"_*\d+$", "", name)


class Namespace(dict[str, Any]):
    """The values of knobs and sizes by name, and the defaults of knobs for hints."""

    def __init__(self, values: Mapping[str, Any], defaults: Mapping[str, Any]):
        super().__init__(values)
        self.defaults = defaults


class LenientNamespace(Namespace):
    """Values by name, for a spec with problems: a name without a value was reported."""

    def __missing__(self, name: str) -> Any:
        return REPORTED


class BlockNamespace(Namespace):
    """The arguments of a block, and behind them the values of the spec; no arguments of a block around it."""

    def __init__(self, around: Namespace, arguments: Mapping[str, Any]):
        super().__init__(arguments, around.defaults)
        self.spec_values: Namespace = around.spec_values if isinstance(around, BlockNamespace) else around

    def __missing__(self, name: str) -> Any:
        return self.spec_values[name]


@dataclass
class Scope:
    """A list of layers while it is bound: its graph, the prefix of its names, and the nodes of names."""

    graph: LayerList
    prefix: str
    values: Namespace
    outputs: dict[str, Source]  # layer, group or block by full name -> the node its output is
    parent: Scope | None = None  # of a group or block: the list around it, in the same graph
    enclosing: Scope | None = None  # of a repeated body: the list around the repeat
    current: Source = None  # the node the next layer reads
    sides: list[Source] = field(default_factory=list)  # the last nodes of side branches
    names: dict[int, str] = field(default_factory=dict)  # of the items of the list, by id
    fixed: dict[Source, str] = field(default_factory=dict)  # of a body: nodes outside that all copies read, its inputs

    def inside(self, name: str, current: Source) -> Scope:
        """The scope of a group or block of that full name."""
        return Scope(
            self.graph,
            f"{name}.",
            self.values,
            self.outputs,
            self,
            self.enclosing,
            current,
            self.sides,
            fixed=self.fixed,
        )

    def fixed_input(self, node: Source) -> str:
        """The input of the body that stands for a node outside of the repeat."""
        if node not in self.fixed:
            self.fixed[node] = add(self.graph, f"input {node}", OPS["input"]())  # no layer has a name with a space
        return self.fixed[node]

    def find(self, path: str) -> Source:
        """The node of a name; names of inner lists come first."""
        scope: Scope | None = self
        while scope is not None:
            if f"{scope.prefix}{path}" in scope.outputs:
                return scope.outputs[f"{scope.prefix}{path}"]
            scope = scope.parent
        return None

    def outwards(self) -> Iterator[Scope]:
        """This scope, then the scope around each repeat, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.enclosing

    def find_outside(self, path: str) -> tuple[Source, int]:
        """The nearest node of a name outside of the repeat, and how many repeats lie between; else (None, 0)."""
        found = ((scope.find(path), levels) for levels, scope in enumerate(self.outwards()) if levels)
        return next((one for one in found if one[0] is not None), (None, 0))

    def hides(self, path: str) -> bool:
        """Can this layer be inside of an invalid group or block?"""
        scope: Scope | None = self
        while scope is not None:
            parts = f"{scope.prefix}{path}".split(".")
            if any(scope.outputs.get(".".join(parts[:depth])) is REPORTED for depth in range(1, len(parts))):
                return True
            scope = scope.parent or scope.enclosing
        return False

    def known(self) -> list[str]:
        """The names of all layers in this graph and around its repeats, for hints."""
        names = [name.removeprefix(self.prefix) for name in self.outputs if UNKNOWN not in name]
        return [*names, *self.enclosing.known()] if self.enclosing else names

    def name_all(self, items: Iterable[Item]) -> None:
        """Names the items of this list: by their own name, else by kind, with a number if the list has several.

        All names differ. Items that are switched off count too, so that names do not depend on knobs.
        """
        listed = [*in_this_list(items)]
        self.names = {id(item): item.name for item in listed}
        taken = {*self.names.values(), *(self.outputs if self.parent is None else ())}
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
        """The name of an item in this list; "" for a group without a name."""
        return self.names.get(id(item), "")


def _numbered(kind: str, count: int, taken: Set[str]) -> list[str]:
    """relu1, relu2, but relu6_1; with more underscores if one of these is taken."""
    gap = "_" * kind[-1].isdigit()
    while not taken.isdisjoint(names := [f"{kind}{gap}{n}" for n in range(1, count + 1)]):
        gap += "_"
    return names


def in_this_list(items: Iterable[Item]) -> Iterator[Item]:
    """The items that share one list of names: with those in branches, and in groups without a name."""
    for item in items:
        if item.kind != "group" or item.name:
            yield item
        yield from in_this_list(_inside(item))


def _inside(item: Item) -> Iterable[Item]:
    if item.branches is not None and (is_join(item.kind) or (item.kind == "group" and not item.name)):
        return [inner for branch in item.branches for inner in branch]
    return ()
