"""The changes that transfer learning makes to the graph of a network, made anew for every value of its knobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from costcalc.analysis.validity_mask import ValidityMask
from costcalc.analysis.walk import walk_masked
from costcalc.dims import Shape
from costcalc.graph import Graph
from costcalc.graph.adapters import adapted
from costcalc.graph.freezing import freeze_until
from costcalc.graph.head import FEATURE, before_head, head_alone, inputs_of_head, with_classes


@dataclass(frozen=True)
class NewClasses:
    """Gives a linear layer so many features."""

    layer: Any
    classes: int

    def __call__(self, graph: Graph) -> Graph:
        """The graph with that layer in place of the old one."""
        return with_classes(graph, self.layer, self.classes)


@dataclass(frozen=True)
class FreezeUntil:
    """Freezes all rows up to this one."""

    row: str

    def __call__(self, graph: Graph) -> Graph:
        """The graph with these rows frozen."""
        return freeze_until(graph, self.row)


@dataclass(frozen=True)
class BeforeHead:
    """Ends the network before its head."""

    head: Any

    def __call__(self, graph: Graph) -> Graph:
        """The layers that the inputs of the head are computed from."""
        return before_head(graph, self.head)


@dataclass(frozen=True)
class HeadAlone:
    """The head, with its inputs as those of a network of its own."""

    head: Any

    def __call__(self, graph: Graph) -> Graph:
        """The layers of the head."""
        return head_alone(graph, self.head, shapes_of_inputs(graph, self.head))


@dataclass(frozen=True)
class Adapters:
    """Puts adapters of a rank beside linear layers, by the names of their rows."""

    rows: tuple[str, ...]
    rank: int

    def __call__(self, graph: Graph) -> Graph:
        """The graph with them."""
        return adapted(graph, self.rows, self.rank)


def shapes_of_inputs(graph: Graph, head: Any) -> dict[Any, Shape]:
    """The shapes of the tensors that a head reads, by the layers that write them; with arrays, at every point."""
    shapes = {row.name: row.output_shape for row in walk_masked(before_head(graph, head), ValidityMask(graph))}
    return {source: shapes[FEATURE.format(i)] for i, source in enumerate(inputs_of_head(graph, head))}
