"""The layer graph: its nodes, its problems, the order of its layers, and repeats written out."""

from costcalc.graph.graph_problems import find_problems
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import (
    Graph,
    Outer,
    Repeat,
    add,
    count_layers,
    digraph,
    first_row,
    input_of,
    is_repeat,
    new_graph,
    nodes_of,
    output_of,
    owners_of,
    shared_by,
)
from costcalc.graph.order import topological_order
from costcalc.graph.unrolling import MAX_UNROLLED, all_repeats, unroll

__all__ = [
    "MAX_UNROLLED", "Graph", "LayerList", "Outer", "Repeat", "add", "all_repeats", "count_layers", "digraph",
    "find_problems", "first_row", "input_of", "is_repeat", "new_graph", "nodes_of", "output_of", "owners_of",
    "shared_by", "topological_order", "unroll",
]  # fmt: skip
