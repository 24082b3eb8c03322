"""The items of a spec's `layers`, from a tree of layers."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from itertools import takewhile
from typing import Any

from costcalc.exporters.layer_tree import Branched, Entry, Group, Layer, Readers, end_of, nodes_of_entry, valid_name
from costcalc.exporters.size_text import plain
from costcalc.ops import OPS
from costcalc.spec.bind import GIVEN

Path = tuple[str, ...]
OUTSIDE = "_outside"  # goes behind a name that an inner list has too


@dataclass
class Scope:
    """A list of items and those around it, within one graph: where each layer stands, and what the next item reads."""

    places: dict[str, Path]  # of layers, by their names in the graph
    taken: set[Path] = field(default_factory=set)  # every layer and group
    outer: Scope | None = None  # around a repeat
    around: Path = ()  # of a repeat: the list that it stands in
    groups: dict[str, list[Path]] = field(default_factory=dict)  # by their last layers, the innermost first

    def path_from(
        self, here: Path, node: str, hiding: Sequence[tuple[Path, set[Path]]] = (), *, itself: bool = False
    ) -> tuple[str, bool] | None:
        """The shortest name by which a list of this path finds a layer, and is it the layer's own? A group that ends
        with it, and does not hold the list, has its output too; that does not do for the layer `itself`. Names of inner
        lists come first: None if each is the name of another layer too. `hiding`: those in bodies of repeats inside."""
        if node not in self.places and self.outer is not None:
            return self.outer.path_from(self.around, node, [(here, self.taken), *hiding], itself=itself)
        groups = [] if itself else [path for path in self.groups.get(node, ()) if here[: len(path)] != path]
        for there in (*reversed(groups), self.places[node]):
            start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(here, there[:-1])))
            for path in (there[at:] for at in range(start, -1, -1)):
                inner = [(here[:depth], self.taken) for depth in range(len(here), len(there) - len(path), -1)]
                inner += [(at[:depth], taken) for at, taken in hiding for depth in range(len(at), -1, -1)]
                if not any(list_ + path in taken for list_, taken in inner):
                    return ".".join(path), there == self.places[node]
        return None

    def last_name(self, node: str) -> str:
        """The name of a layer in its list."""
        return self.places[node][-1] if node in self.places or self.outer is None else self.outer.last_name(node)


class ItemWriter:
    """Writes items. `readers`: the layers that read each layer; `named`: those whose names others say, and `renamed`
    those that get another name.

    While it writes it collects both: `said`, the names that it has written, and `hidden`, those that an inner list has.
    """

    def __init__(self, readers: Readers, named: Collection[str] = (), renamed: Collection[str] = ()):
        self.readers, self.named, self.renamed = readers, named, renamed
        self.said: set[str] = set()
        self.hidden: set[str] = set()

    def items(self, entries: Sequence[Entry], here: Path, scope: Scope, current: str | None) -> list[Any]:
        """The items of one list; `current` is the layer before it."""
        found = []
        for entry in entries:
            if isinstance(entry, Layer):
                found.append(self.layer(entry, here, scope, current))
            elif isinstance(entry, Branched):
                found.append(self.branched(entry, here, scope, current))
            elif entry.times is not None:
                found.append(self.repeat(entry, here, scope, current))
            else:
                inner = self.items(entry.entries, (*here, entry.name), scope, current)
                scope.taken.add((*here, entry.name))
                inside, end = nodes_of_entry(entry), end_of(entry)
                if all(self.readers.get(node, inside) <= inside for node in inside - {end}):  # it has one output
                    scope.groups.setdefault(end, []).append((*here, entry.name))
                found.append({"group": {"name": entry.name, "layers": inner}})
            current = end_of(entry)
        return found

    def branched(self, entry: Branched, here: Path, scope: Scope, current: str | None) -> Any:
        """A join with its branches."""
        join, lists = entry.join, [self.items(branch, here, scope, entry.source) for branch in entry.branches]
        given = self.name_of(join, here, scope) | fields_of(join.op)
        if entry.source != current:
            given["from"] = self.path(scope, here, entry.source)
        given |= marks_of(join)
        return {join.op.name: {**given, "branches": lists} if given else lists}

    def name_of(self, layer: Layer, here: Path, scope: Scope) -> dict[str, Any]:
        """The name of a layer, unless it gets one as good by itself; from now on others can say it."""
        name = f"{layer.name}{OUTSIDE}" if layer.node in self.renamed else layer.name
        scope.places[layer.node] = (*here, name)
        scope.taken.add((*here, name))
        needs = layer.node in self.named or not is_automatic(layer, name)
        return {"name": name} if needs else {}

    def path(self, scope: Scope, here: Path, node: str, *, itself: bool = False) -> str:
        """The name by which a list finds a layer, or its output."""
        found = scope.path_from(here, node, itself=itself)
        if found is None:
            self.hidden.add(node)
        if found is None or found[1]:
            self.said.add(node)
        return found[0] if found else scope.last_name(node)

    def repeat(self, entry: Group, here: Path, scope: Scope, current: str | None) -> Any:
        """Copies in a row. In the body `given` is what each copy reads of the one before it."""
        body = Scope({entry.source: (GIVEN,)}, {(GIVEN,)}, scope, here)
        inner = self.items(entry.entries, (), body, entry.source)
        given: dict[str, Any] = {"name": entry.name}
        if entry.source != current:
            given["from"] = self.path(scope, here, entry.source)
        scope.places[entry.end] = (*here, entry.name)
        scope.taken.add((*here, entry.name))
        return {"repeat": {**given, "times": plain(entry.times), "layers": inner}}

    def layer(self, layer: Layer, here: Path, scope: Scope, current: str | None) -> Any:
        """An op with the fields that are not its defaults."""
        name, own, given = self.name_of(layer, here, scope), fields_of(layer.op), {}
        if OPS[layer.op.name].arity != 0 and (layer.inputs != (current,) or layer.op.is_join):
            paths = [self.path(scope, here, source) for source in layer.inputs]
            given["from"] = paths[0] if len(paths) == 1 and not layer.op.is_join else paths
        if layer.shares is not None:
            given["shares"] = self.path(scope, here, layer.shares, itself=True)
        given |= marks_of(layer)
        if not name and not given and len(own) < 2:
            if not own:
                return layer.op.name
            ((field_name, value),) = own.items()
            if field_name == fields(layer.op)[0].name and not isinstance(value, (list, bool)):
                return {layer.op.name: value}
        return {layer.op.name: {**name, **own, **given}}


def marks_of(layer: Layer) -> dict[str, Any]:
    """What a layer says besides its fields."""
    return {key: True for key in ("meant", "frozen") if getattr(layer, key)}


def fields_of(op: Any) -> dict[str, Any]:
    """The fields of an op that have other values than their defaults, as a spec writes them."""
    return {one.name: plain(getattr(op, one.name)) for one in fields(op) if getattr(op, one.name) != one.default}


def is_automatic(layer: Layer, name: str) -> bool:
    """Is this a name as good as the one that a layer gets by itself: that of its op, a number, or both?"""
    number, op = layer.node.rpartition(".")[2], layer.op.name
    return bool(re.fullmatch(rf"{op}(_+\d+)?", name)) or (number.isdigit() and name == valid_name(number, op))
