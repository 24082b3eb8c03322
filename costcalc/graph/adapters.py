"""Low-rank adapters beside linear layers: y = W·x + b becomes W·x + b + B·A·x, with A and B of a small rank.

Hu et al. 2021, arXiv:2106.09685, section 4.1, with its factor α/r = 1. The adapter of layer `fc` is `fc_lora_A` and
`fc_lora_B`, and the sum is `fc_adapted`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from costcalc.errors import GraphError
from costcalc.graph.head import LINEAR
from costcalc.graph.layer_list import LayerList
from costcalc.graph.nodes import Graph, Outer, Repeat, add
from costcalc.graph.order import topological_order
from costcalc.ops import OPS

ADD = OPS["add"]
DOWN, UP, SUM = "lora_A", "lora_B", "adapted"


def linear_rows(graph: Graph, prefix: str = "") -> list[str]:
    """The names of the rows that are linear layers, also in bodies of repeats."""
    found: list[str] = []
    for name, data in topological_order(graph):
        if data["op"].__class__ is Repeat:
            found += linear_rows(data["op"].body, f"{prefix}{name}.")
        elif data["op"].__class__ is LINEAR:
            found.append(f"{prefix}{name}")
    return found


def adapted(graph: Graph, rows: Collection[str], rank: Any, prefix: str = "") -> Graph:
    """The graph with adapters of a rank beside these linear layers. Layers that read one of them read its sum with the
    adapter; one that shares another's weights shares its adapter too."""
    changed = LayerList(**graph.graph)
    renamed: dict[Any, str] = {}
    for name, data in topological_order(graph):
        if f"{prefix}{name}" in rows and any(f"{name}_{part}" in graph for part in (DOWN, UP, SUM)):
            raise GraphError(f"layer {str(name)!r} has an adapter already: there is a {name}_{DOWN}")
        data = {**data, "inputs": tuple(renamed.get(source, source) for source in data["inputs"])}
        if data["op"].__class__ is Repeat:
            data["op"] = data["op"].with_body(adapted(data["op"].body, rows, rank, f"{prefix}{name}."))
        changed.nodes[name] = data
        if f"{prefix}{name}" in rows:
            renamed[name] = _add_adapter(changed, name, data, rank)
    return changed


def _add_adapter(changed: Graph, name: Any, data: dict[str, Any], rank: Any) -> str:
    """Adds the adapter of a layer, and returns the name of the sum."""
    owner = data.get("shares")
    shared = owner is not None and owner.__class__ is not Outer and f"{owner}_{DOWN}" in changed
    of_down, of_up = ({"shares": f"{owner}_{part}"} if shared else {} for part in (DOWN, UP))
    down = add(changed, f"{name}_{DOWN}", LINEAR(rank, bias=False), *data["inputs"], **of_down)
    up = add(changed, f"{name}_{UP}", LINEAR(data["op"].features, bias=False), down, **of_up)
    return add(changed, f"{name}_{SUM}", ADD(), name, up)
