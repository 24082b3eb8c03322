"""Power laws for MACs in depth, width and resolution. Rounding makes them approximate."""

from __future__ import annotations

from costcalc.dims import is_rational
from costcalc.models.model import Model

EXPONENTS = {"d": 1, "w": 2, "r": 2}  # Tan and Le 2019, section 3.3: FLOPs grow with d, w² and r²


def compound_knobs(model: Model) -> tuple[str, ...]:
    """The knobs of the law d·w²·r² that a model has; none if it lacks depth and also width or resolution."""
    law = tuple(k for k in EXPONENTS if k in model.size_knobs and _can_grow(model, k))
    return law if set(law) >= {"w", "r"} or "d" in law else ()


def knob_exponents(model: Model) -> dict[str, int]:
    """The exponent of each knob that has a power law: knobs of compound scaling, and image sizes, whose exponent is the
    number of axes that they set. A knob that is 0 has none, because it has no multiples."""
    found = {knob: EXPONENTS[knob] for knob in compound_knobs(model)}
    for knob, power in model.architecture.image_knobs.items():
        found.setdefault(knob, power)
    return {knob: power for knob, power in found.items() if _can_grow(model, knob)}


def _can_grow(model: Model, knob: str) -> bool:
    """Is the knob above 0, so that it can be multiplied?"""
    value = model.values[knob]
    return not is_rational(value) or value > 0
