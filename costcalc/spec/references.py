"""Finds the layers that an item names: those that it reads (`from`) and the owner of weights that it `shares`."""

from __future__ import annotations

from typing import Any

from costcalc.errors import REPORTED, Problems, unknown
from costcalc.graph import Outer, is_repeat, shared_by
from costcalc.ops import OPS
from costcalc.spec.scope import Scope, Source, kind_of_name
from costcalc.spec.spec_tree import UNREAD, Item, Spec, all_items


class References:
    """Finds layers by their names in a spec. A name without a layer adds a problem and becomes REPORTED."""

    def __init__(self, spec: Spec, problems: Problems):
        self.spec, self.problems = spec, problems

    def sources(self, scope: Scope, item: Item) -> list[Source]:
        """The nodes that an item reads."""
        unread = UNREAD in item.fields  # then it may read another layer than it seems to
        if item.sources is None and item.kind in OPS and OPS[item.kind].arity == 0:
            return []
        if item.sources is None:
            if scope.current is None and not unread:
                self.problems.add(item.place, "nothing stands before this layer", "say what it reads: from: …")
            return [REPORTED if unread else scope.current or REPORTED]
        found = [self._find(scope, item, "from", path) if path else REPORTED for path in item.sources]
        return [REPORTED] if unread else found

    def owner(self, scope: Scope, item: Item, full: str) -> Any:
        """The layer whose weights an item of this full name uses; an Outer if it is outside of the repeat."""
        node, levels = scope.find_outside(item.shares) if scope.find(item.shares) is None else (None, 0)
        if node is None or self._is_unsure(item.shares):
            owner = self._find(scope, item, "shares", item.shares)
        else:
            owner = Outer(node, levels) if node else REPORTED
        if not owner:
            return REPORTED
        there, name = shared_by(full, owner, [*scope.outwards()])
        if is_repeat(there.graph, name):
            self.problems.add(item.places["shares"], f"{item.shares!r} is a repeat: each copy has its own weights")
            return REPORTED
        return owner

    def _find(self, scope: Scope, item: Item, key: str, path: str) -> Source:
        """The node of this name in the graph of the scope."""
        if self._is_unsure(path):
            return REPORTED
        node = scope.find(path)
        if node is None and key == "from":
            node = self._from_outside(scope, path)
        if node is None and not scope.hides(path):
            below = any(other.name == path and other.place >= item.place for other in all_items(self.spec.items))
            said = (f"layer {path!r} does not stand before this one", "a layer reads what does")
            if not below:
                said = unknown("layer", path, scope.known()).said
            self.problems.add(item.places[key], *said)
        return node or REPORTED

    def _from_outside(self, scope: Scope, path: str) -> Source:
        """The input of the body, the same for all copies, for a layer outside of the repeat; None if there is none."""
        node, levels = scope.find_outside(path)
        for inside in reversed([*scope.outwards()][:levels]) if node else ():
            node = inside.fixed_input(node)
        return node

    def _is_unsure(self, path: str) -> bool:
        """Can this be the name of a layer that could not be read?"""
        parts = path.split(".")
        return bool(self.spec.unsure and self.spec.unsure & {*parts, *map(kind_of_name, parts)})
