"""A layer graph without networkx, whose import takes longer than most counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Nodes(dict[Any, dict[str, Any]]):
    """Each layer with its data. Calling it is calling the nodes of a networkx.DiGraph."""

    def __call__(self, data: bool = False) -> Iterable[Any]:
        return self.items() if data else self.keys()


class LayerList:
    """The layers of a spec in order: inputs before users, owners before layers that share their weights.

    It has the methods of a networkx.DiGraph that the walk calls; the inputs of each layer are its edges.
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
