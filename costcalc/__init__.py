"""costcalc: exact parameter and multiply counts of neural-network architectures.

    net = costcalc.load("mobilenet_v1@w=0.5")
    net.cost().macs

See README.md and docs/.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from costcalc.version import __version__ as __version__

if TYPE_CHECKING:
    from costcalc.analysis.check import validate
    from costcalc.analysis.cost import Cost, cost
    from costcalc.errors import CostcalcError, GraphError, ShapeError, SpecError, UnknownName, UsageError
    from costcalc.graph import Outer, Repeat, add, new_graph, unroll
    from costcalc.net import (
        Net,
        break_even,
        compare,
        compound,
        elasticity,
        explain,
        formula,
        histogram,
        load,
        next_steps,
        ratio,
        reconcile,
        scale,
        specs,
        sweep,
        sweep_presets,
    )
    from costcalc.sweep_files.write import write_sweep

# Nothing is imported before it is used: `import costcalc` is free, and sympy, networkx and numpy are not.
ROOMS = {
    "analysis.check": ("validate",),
    "analysis.cost": ("Cost", "cost"),
    "errors": ("CostcalcError", "GraphError", "ShapeError", "SpecError", "UnknownName", "UsageError"),
    "graph": ("Outer", "Repeat", "add", "new_graph", "unroll"),
    "net": (
        "Net",
        "break_even",
        "compare",
        "compound",
        "elasticity",
        "explain",
        "formula",
        "histogram",
        "load",
        "next_steps",
        "ratio",
        "reconcile",
        "scale",
        "specs",
        "sweep",
        "sweep_presets",
    ),
    "sweep_files.write": ("write_sweep",),
}  # fmt: skip
WHERE = {name: room for room, names in ROOMS.items() for name in names}

__all__ = [
    "Cost",
    "CostcalcError",
    "GraphError",
    "Net",
    "Outer",
    "Repeat",
    "ShapeError",
    "SpecError",
    "UnknownName",
    "UsageError",
    "add",
    "break_even",
    "compare",
    "compound",
    "cost",
    "elasticity",
    "explain",
    "formula",
    "histogram",
    "load",
    "new_graph",
    "next_steps",
    "ratio",
    "reconcile",
    "scale",
    "specs",
    "sweep",
    "sweep_presets",
    "unroll",
    "validate",
    "write_sweep",
]


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'costcalc' has no attribute {name!r}")
    value = getattr(import_module(f"costcalc.{WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
