"""The default grid of `scale`: which knobs of a network may grow, and which of their values are looked through."""

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

USE_KNOBS = ("batch", "classes")  # what it is used for, not how large it is
MIN_STEPS_TO_DEFAULT = 20  # from 0 to the default of a knob


def architecture_knobs(model: Model) -> list[str]:
    """The knobs that say how large the network is."""
    return [name for name in model.size_knobs if name not in USE_KNOBS]


def free_knobs(model: Model) -> list[str]:
    """Those of them that the target has not set; what only a preset sets is free."""
    return [name for name in architecture_knobs(model) if name not in model.besides_its_preset]


def axes_of(model: Model, names: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """Values of each knob: from half the least to twice the most of its value here and in the presets, in steps of a
    twentieth of the default or less, and these values themselves. Where such steps are no networks, in finer ones."""
    return {name: tuple(sorted({*_steps(model, name), *_known(model, name)})) for name in names}


def _known(model: Model, name: str) -> list[Any]:
    knob = model.knobs[name]
    found = [
        model.values[name],
        knob.default,
        *(p.settings[name] for p in model.presets.values() if name in p.settings),
    ]
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
    """The largest step of 1, 2, 4, 8 …, or for a real knob of 1, 2 or 5 times a power of ten, that is at most a
    twentieth of the default (of 1 if that is 0). At least 1, for a real knob a thousandth."""
    most = Fraction(abs(knob.default) or 1) / MIN_STEPS_TO_DEFAULT
    if knob.kind == "integer":
        return Fraction(2 ** max(0, int(most).bit_length() - 1))
    power = Fraction(10) ** floor(log10(most))
    return max(Fraction(1, 1000), max(power * n for n in (1, 2, 5) if power * n <= most))


def axis_text(name: str, values: Sequence[Any]) -> str:
    """`r = 112, 120, … 1200 (141 values)`, or all of a few."""
    if len(values) <= 8:
        return f"{name} = {', '.join(map(value_text, values))}"
    first, second, last = (value_text(values[at]) for at in (0, 1, -1))
    return f"{name} = {first}, {second}, … {last} ({len(values):,} values)"
