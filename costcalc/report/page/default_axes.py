"""The grid of a page for which none is given: the knobs that matter, each over what its presets span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor
from typing import Any

from costcalc.analysis.power_laws import knob_exponents
from costcalc.dims import canonical, ceil
from costcalc.models.knob import Knob
from costcalc.models.model import Model

KNOBS = 3
VALUES = 24  # of a knob, at most
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
PARTS = (32, 16, 8, 4, 2, 1)  # of a whole number, for a real knob: what rounds to a channel on a wide layer is on it


def default_axes(model: Model, among: Iterable[str], grains: Mapping[str, int]) -> dict[str, tuple[Any, ...]]:
    """For up to three of some knobs their values: those with a law and those that presets set, else the first of them;
    the batch if there is no other. `grains`: what the values of a real knob are parts of, where sizes must be whole."""
    knobs = [name for name in among if name != "batch"] or ["batch"]
    known = [name for name in knobs if name in knob_exponents(model)]
    in_presets = [name for name in knobs if name not in known and len({*_seen(model, name)}) > 1]
    others = [] if len(known + in_presets) > 1 else [name for name in knobs if name not in known + in_presets]
    chosen = [*known, *in_presets, *others][:KNOBS]
    return {k: values(model.knobs[k], _seen(model, k), grains.get(k)) for k in knobs if k in chosen}


def _seen(model: Model, name: str) -> list[Any]:
    presets = model.presets.values()
    return [model.values[name], *(preset.settings[name] for preset in presets if name in preset.settings)]


def values(knob: Knob, seen: list[Any], grain: int | None = None) -> tuple[Any, ...]:
    """Evenly spaced values from the least to the largest that were seen; around it if that is one."""
    low, high = Fraction(min(seen)), Fraction(max(seen))
    if low == high:
        low, high = max(Fraction(knob.low), low / 2), min(Fraction(knob.high), 2 * high)
    steps = [Fraction(1, n) for n in PARTS] if knob.kind == "real" else [Fraction(n) for n in STEPS]
    steps = [Fraction(n, grain) for n in STEPS] if grain else steps
    while (high - low) / steps[-1] > VALUES:
        steps.append(2 * steps[-1])
    step = next(step for step in steps if (high - low) / step <= VALUES)
    first, last = max(ceil(Fraction(knob.low) / step), floor(low / step)), ceil(high / step)
    found = [canonical(step * i) for i in range(int(first), int(last) + 1)]
    return tuple(value for value in found if knob.low <= value <= knob.high)
