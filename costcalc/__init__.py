"""costcalc: exact parameter and multiply counts of neural-network architectures.

    net = costcalc.load("mobilenet_v1@w=0.5")
    net.cost().macs

See README.md and docs/.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costcalc.analysis.cost import Cost, cost
    from costcalc.errors import CostcalcError, GraphError, ShapeError, SpecError, UnknownName
    from costcalc.net import Net, load

# Nothing is imported before it is used: `import costcalc` is free, and sympy, networkx and numpy are not.
ROOMS = {
    "Cost": "analysis.cost",
    "CostcalcError": "errors",
    "GraphError": "errors",
    "Net": "net",
    "ShapeError": "errors",
    "SpecError": "errors",
    "UnknownName": "errors",
    "cost": "analysis.cost",
    "load": "net",
}

__all__ = ["Cost", "CostcalcError", "GraphError", "Net", "ShapeError", "SpecError", "UnknownName", "cost", "load"]


def __getattr__(name: str) -> Any:
    if name not in ROOMS:
        raise AttributeError(f"module 'costcalc' has no attribute {name!r}")
    value = getattr(import_module(f"costcalc.{ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
