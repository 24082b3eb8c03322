"""Rules for sizes that are numbers or arrays: the half of `dims` that needs no sympy."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from costcalc.dims.kinds import is_array


def exact_arrays() -> ModuleType:
    """The arithmetic of arrays, with numpy."""
    from costcalc.dims import exact_array

    return exact_array


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; point by point on arrays."""
    return exact_arrays().maximum(a, b) if is_array(a) or is_array(b) else max(a, b)


def round_to(x: Any, multiple: Any) -> Any:
    """max(m, m·⌊x/m + 1/2⌋), and one m more where that would lose over 10 % of x."""
    rounded = maximum(multiple, (2 * x + multiple) // (2 * multiple) * multiple)
    too_small = 10 * rounded < 9 * x
    return rounded + multiple * (exact_arrays().indicator(too_small) if is_array(too_small) else int(too_small))
