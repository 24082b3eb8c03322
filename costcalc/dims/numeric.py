"""Functions of sizes that are numbers or arrays: they need no sympy."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from costcalc.dims.kinds import is_array


def arrays() -> ModuleType:
    """The functions of arrays, imported here because numpy is slow to import."""
    from costcalc.dims import array_functions

    return array_functions


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; point by point on arrays."""
    return arrays().maximum(a, b) if is_array(a) or is_array(b) else max(a, b)


def round_to(x: Any, multiple: Any) -> Any:
    """max(m, m·⌊x/m + 1/2⌋), and one m more where that would lose over 10 % of x."""
    rounded = maximum(multiple, (2 * x + multiple) // (2 * multiple) * multiple)
    return rounded + multiple * (10 * rounded < 9 * x)
