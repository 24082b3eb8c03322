"""The default grid of `scale`: the knobs of a network that may grow, and their values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor, log10
from typing import Any

from costcalc.analysis.scaling.knob_steps import KnobSteps
from costcalc.dims import canonical, ceil, is_rational
from costcalc.models.knob import Knob
from costcalc.models.model import Model
from costcalc.text import value_text

USE_KNOBS = ("batch", "classes")  # set by the task, not by the size of the network
MIN_STEPS_TO_DEFAULT = 20  # from 0 to the default of a knob


def architecture_knobs(model: Model) -> list[str]:
    """The knobs that set the size of the network."""
    return [name for name in model.size_knobs if name not in USE_KNOBS]


def free_knobs(model: Model) -> list[str]:
    """The architecture knobs that the target does not set; a knob that only its preset sets is free."""
    return [name for name in architecture_knobs(model) if name not in model.overrides]


def axes_of(model: Model, names: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """The values of each knob: its value here, its default and those of the presets, and steps of at most a twentieth
    of the default from half the least of these to twice the largest. Steps are multiples of a valid step."""
    return {name: tuple(sorted({*_steps(model, name), *_known(model, name)})) for name in names}


def _known(model: Model, name: str) -> list[Any]:
    knob = model.knobs[name]
    presets = (preset.settings[name] for preset in model.presets.values() if name in preset.settings)
    found = [model.values[name], knob.default, *presets]
    return [value for value in found if is_rational(value)]


def _steps(model: Model, name: str) -> list[Any]:
    knob, known = model.knobs[name], _known(model, name)
    step = step_of(knob)
    finest = KnobSteps(model, name)
    if not finest.usual:
        step = max(Fraction(finest.step), step // finest.step * finest.step)
    low, high = max(knob.low, min(known) / Fraction(2)), min(knob.high, 2 * max(known))
    return [canonical(step * i) for i in range(ceil(Fraction(low) / step), int(high // step) + 1)]


def step_of(knob: Knob) -> Fraction:
    """The largest power of two, or for a real knob 1, 2 or 5 times a power of ten, that is at most a twentieth of the
    default (of 1 if that is 0). At least 1, for a real knob a thousandth."""
    most = Fraction(abs(knob.default) or 1) / MIN_STEPS_TO_DEFAULT
    if knob.kind == "integer":
        return Fraction(2 ** max(0, int(most).bit_length() - 1))
    power = Fraction(10) ** floor(log10(most))
    return max(Fraction(1, 1000), max(power * n for n in (1, 2, 5) if power * n <= most))


def axis_text(name: str, values: Sequence[Any]) -> str:
    """`r = 112, 120, … 1200 (141 values)`, or all values if they are few."""
    if len(values) <= 8:
        return f"{name} = {', '.join(map(value_text, values))}"
    first, second, last = (value_text(values[at]) for at in (0, 1, -1))
    return f"{name} = {first}, {second}, … {last} ({len(values):,} values)"
