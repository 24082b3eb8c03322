"""The layers of a spec in execution order: a layer graph without networkx: importing
that takes longer than most counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Nodes(dict[Any, dict[str, Any]]):
    """Each layer with its data; called, it answers as the nodes of a networkx.DiGraph do."""

    def __call__(self, data: bool = False) -> Iterable[Any]:
        return self.items() if data else self.keys()


class LayerList:
    """A layer graph whose layers are listed in order: inputs before users, owners before those that share them.

    It answers what the walk asks of a networkx.DiGraph; the inputs of each layer are its edges.
    """

    def __init__(self, **about: Any):
        self.graph = about
        self.nodes = Nodes()

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.nodes)

    def __contains__(self, name: Any) -> bool:
        return name in self.nodes

    def __repr__(self) -> str:
        return f"LayerList named {self.graph.get('name')!r} with {len(self)} layers"
