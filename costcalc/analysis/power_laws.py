"""How multiplies are said to grow with depth, width and resolution, which rounding makes only nearly true."""

from __future__ import annotations

from costcalc.dims.kinds import is_rational
from costcalc.models import Model

EXPONENTS = {"d": 1, "w": 2, "r": 2}  # Tan and Le 2019, section 3.3: FLOPs grow with d, w² and r²


def compound_knobs(model: Model) -> tuple[str, ...]:
    """The knobs of the law d·w²·r² that a network has, if it has depth, or width and resolution."""
    law = tuple(k for k in EXPONENTS if k in model.size_knobs and _can_grow(model, k))
    return law if set(law) >= {"w", "r"} or "d" in law else ()


def knob_exponents(model: Model) -> dict[str, int]:
    """The power of each knob for which there is a law: those of the compound one, and any that is the size of an image
    along all its axes, of which a convolution has so many positions. None of a knob that is set to 0: it has no
    multiples."""
    found = {knob: EXPONENTS[knob] for knob in compound_knobs(model)}
    for knob, power in model.architecture.image_knobs.items():
        found.setdefault(knob, power)
    return {knob: power for knob, power in found.items() if _can_grow(model, knob)}


def _can_grow(model: Model, knob: str) -> bool:
    """Is it above 0 as the network is set, so that there are multiples of it?"""
    value = model.values[knob]
    return not is_rational(value) or value > 0
