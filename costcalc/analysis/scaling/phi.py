"""The compound scaling of EfficientNet: α^φ, β^φ and γ^φ times the d, w and r of a base (Tan, Le 2019, eq. 3)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import inf, isfinite, prod
from typing import Any

from costcalc.analysis.power_laws import EXPONENTS
from costcalc.analysis.scaling.knob_steps import STEPS_PER_UNIT
from costcalc.dims import canonical, clip, is_rational, to_exact
from costcalc.errors import UsageError
from costcalc.models.knob_texts import parse_number
from costcalc.models.model import Model
from costcalc.text import power_text, value_text

POWER_CONTEXT = Context(prec=36)
ROUNDING_CONTEXT = Context(prec=28)  # fewer digits, so that an exact half is recognised
MAX_PHI = 1000
MAX_BASE = 1000


@dataclass(frozen=True)
class CompoundLaw:
    """The factors of depth, width and resolution for a φ of one more; by default the paper's (section 3.3)."""

    alpha: Any = Fraction(12, 10)
    beta: Any = Fraction(11, 10)
    gamma: Any = Fraction(115, 100)

    @property
    def bases(self) -> dict[str, Fraction]:
        """α, β and γ, by the knob each multiplies."""
        return {"d": Fraction(self.alpha), "w": Fraction(self.beta), "r": Fraction(self.gamma)}

    @property
    def product(self) -> Fraction:
        """α·β²·γ²: the factor of the MACs for a φ of one more, by the law."""
        return prod((base ** EXPONENTS[knob] for knob, base in self.bases.items()), start=Fraction(1))

    def promised(self, phi: Any) -> Any:
        """(α·β²·γ²)^φ: exact for a whole φ, else a float."""
        return self.product ** int(phi) if phi == int(phi) else float(_power(self.product, Fraction(phi)))

    def at(self, model: Model, phi: Any) -> dict[str, Any]:
        """Depth, width and resolution of a base at φ, rounded to thousandths or whole numbers; unrounded at 0."""
        (point,) = self.line(model, [phi])
        return point

    def line(self, model: Model, phis: Iterable[Any]) -> list[dict[str, Any]]:
        """`at` for several φ."""
        now = {knob: model.values[knob] for knob in self.bases}
        grains = {knob: STEPS_PER_UNIT if model.knobs[knob].kind == "real" else 1 for knob in self.bases}
        return [
            {knob: _scaled(now[knob], base, phi, grains[knob]) for knob, base in self.bases.items()} for phi in phis
        ]

    def formula(self) -> str:
        """`d = 1.2^φ, w = 1.1^φ, r = 1.15^φ`"""
        return ", ".join(f"{knob} = {value_text(base)}^φ" for knob, base in self.bases.items())

    def product_text(self) -> str:
        """`1.2·1.1²·1.15² = 1.920`"""
        factors = (power_text(value_text(b), EXPONENTS[k]) for k, b in self.bases.items())
        return f"{'·'.join(factors)} = {float(self.product):.3f}"


PAPER_LAW = CompoundLaw()


def _scaled(now: Any, base: Fraction, phi: Any, grain: int) -> Any:
    """now · base^φ, rounded to a whole number of 1/grain, halves up."""
    if phi == 0:
        return now
    near = inf
    with suppress(OverflowError):
        near = float(now * grain) * float(base) ** float(phi)
    if near < 2**30 and abs(near % 1 - 0.5) > 0.001:  # far from a half a float is exact enough
        return canonical(Fraction(int(near + 0.5), grain))
    steps = ROUNDING_CONTEXT.multiply(_power(base, Fraction(phi)), _decimal(Fraction(now) * grain))
    return canonical(Fraction(int(steps.to_integral_value(ROUND_HALF_UP)), grain))


def rounding_text(model: Model) -> str:
    """`d and w to thousandths, r to whole numbers, halves up`"""
    kinds = {"real": "thousandths", "integer": "whole numbers"}
    knobs = {kind: [knob for knob in EXPONENTS if model.knobs[knob].kind == kind] for kind in kinds}
    said = (f"{' and '.join(knobs[kind])} to {steps}" for kind, steps in kinds.items() if knobs[kind])
    return f"{', '.join(said)}, halves up"


def _power(base: Fraction, phi: Fraction) -> Decimal:
    return POWER_CONTEXT.power(_decimal(base), _decimal(phi))


def _decimal(number: Fraction) -> Decimal:
    return POWER_CONTEXT.divide(Decimal(number.numerator), Decimal(number.denominator))


def read_law(alpha: Any = None, beta: Any = None, gamma: Any = None) -> CompoundLaw:
    """The law with the given α, β and γ, numbers or texts, and the paper's for the others. Raises UsageError."""
    given = {"alpha": alpha, "beta": beta, "gamma": gamma}
    why = "the law makes networks larger (equation 3 of the paper)"
    return CompoundLaw(
        **{n: read_number(n, value, 1, MAX_BASE, why) for n, value in given.items() if value is not None}
    )


def read_phi(given: Any) -> Any:
    """φ from a number or a text: `3`, `0.5`, `1/3`. Raises UsageError for one below 0."""
    return read_number("phi", given, 0, MAX_PHI, "start from a smaller base for a smaller network")


def read_number(name: str, given: Any, low: int, high: int, why: str) -> Any:
    """An exact number between two bounds. Raises UsageError for anything else, also NaN and infinities."""
    value = parse_number(name, given) if isinstance(given, str) else to_exact(given)
    if isinstance(value, bool) or not is_rational(value) or (isinstance(given, float) and not isfinite(given)):
        raise UsageError(f"{name} is a number, got {clip(value)}")
    if value < low:
        raise UsageError(f"{name} is at least {low}, got {clip(value)}: {why}")
    if value > high:
        raise UsageError(f"{name} is at most {high:,}, got {clip(value)}")
    return value


def check_law_knobs(model: Model) -> None:
    """Raises UsageError for a network without depth, width and resolution, or with symbols."""
    missing = [k for k in EXPONENTS if k not in model.size_knobs]
    if missing:
        raise UsageError(
            f"compound scaling multiplies depth, width and resolution, and {model.name} has no knob {missing[0]!r}; "
            "choose what may grow with --free"
        )
    model.require_numeric("scale")
