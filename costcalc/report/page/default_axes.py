"""The default grid of a page: the knobs that matter, each over the range of the presets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor
from typing import Any

from costcalc.analysis.power_laws import knob_exponents
from costcalc.dims import canonical, ceil
from costcalc.models.knob import Knob
from costcalc.models.model import Model

MAX_KNOBS = 3
MAX_VALUES = 24  # of a knob, about
STEPS = tuple(Fraction(2**i) for i in range(9))
REAL_SLIDER_STEPS = tuple(Fraction(1, 2**i) for i in range(5, -1, -1))  # thirty-seconds: a channel of a wide layer


def default_axes(model: Model, among: Iterable[str], denominators: Mapping[str, int]) -> dict[str, tuple[Any, ...]]:
    """The values of up to `MAX_KNOBS` of some knobs: those with a power law and those that presets set, else the first;
    the batch if there is no other. The values of a real knob in `denominators` have that denominator."""
    knobs = [name for name in among if name != "batch"] or ["batch"]
    known = [name for name in knobs if name in knob_exponents(model)]
    in_presets = [name for name in knobs if name not in known and len({*_seen(model, name)}) > 1]
    others = [] if len(known + in_presets) > 1 else [name for name in knobs if name not in known + in_presets]
    chosen = [*known, *in_presets, *others][:MAX_KNOBS]
    return {k: _values(model.knobs[k], _seen(model, k), denominators.get(k)) for k in knobs if k in chosen}


def _seen(model: Model, name: str) -> list[Any]:
    presets = model.presets.values()
    return [model.values[name], *(preset.settings[name] for preset in presets if name in preset.settings)]


def _values(knob: Knob, seen: list[Any], denominator: int | None) -> tuple[Any, ...]:
    """Evenly spaced values from the least to the largest of `seen`; around it if that is one."""
    low, high = Fraction(min(seen)), Fraction(max(seen))
    if low == high:
        low, high = max(Fraction(knob.low), low / 2), min(Fraction(knob.high), 2 * high)
    steps = [*REAL_SLIDER_STEPS] if knob.kind == "real" else [*STEPS]
    if denominator:
        steps = [n / denominator for n in STEPS]
    while (high - low) / steps[-1] > MAX_VALUES:
        steps.append(2 * steps[-1])
    step = next(step for step in steps if (high - low) / step <= MAX_VALUES)
    first, last = max(ceil(Fraction(knob.low) / step), floor(low / step)), ceil(high / step)
    found = [canonical(step * i) for i in range(int(first), int(last) + 1)]
    return tuple(value for value in found if knob.low <= value <= knob.high)
