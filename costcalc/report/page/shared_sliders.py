"""The sliders of a page: one for each knob, which networks that have it at the same value share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from costcalc.dims import canonical, ceil
from costcalc.report.page.closed_forms import ClosedForms
from costcalc.text import value_text

MIN_SLIDER_VALUES = 16  # of an integer knob
Forms = Sequence[ClosedForms | None]


@dataclass(frozen=True)
class Slider:
    """A knob of one network or of several, `owners`. A position is a number of steps from `first` to `last`."""

    name: str
    kind: str
    about: str
    owners: tuple[int, ...]
    whose: str  # where another slider has the same name
    value: Any
    low: Any
    high: Any
    steps_per_unit: int
    first: int
    last: int

    def positions(self, count: int) -> list[Any]:
        """Up to so many values, evenly spaced over the slider."""
        steps = self.last - self.first
        found = dict.fromkeys(self.first + (2 * i * steps + count - 1) // (2 * (count - 1)) for i in range(count))
        return [canonical(Fraction(index, self.steps_per_unit)) for index in found]

    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {
            "name": self.name, "kind": self.kind, "about": self.about, "whose": self.whose,
            "steps_per_unit": self.steps_per_unit,
            "low": str(Fraction(self.low)), "high": str(Fraction(self.high)), "first": self.first, "last": self.last,
        }  # fmt: skip


def shared_sliders(forms: Forms, reach: Mapping[str, Any]) -> list[Slider]:
    """The sliders of networks. Each reaches from half of the least value of its knob, as set and in presets, to twice
    the largest, and to the value in `reach`."""
    groups: dict[tuple[str, str, Any], list[int]] = {}
    for number, form in enumerate(forms):
        for name in form.knobs if form else ():
            key = name, form.model.knobs[name].kind, form.model.values[name]  # type: ignore[union-attr]
            groups.setdefault(key, []).append(number)
    times = Counter(name for name, _, _ in groups)
    return [_slider(forms, key, owners, reach, times[key[0]] > 1) for key, owners in groups.items()]


def _slider(
    forms: Forms, key: tuple[str, str, Any], owners: Sequence[int], reach: Mapping[str, Any], is_one_of_several: bool
) -> Slider:
    name, kind, value = key
    having = [form for number in owners if (form := forms[number])]
    knobs = [form.model.knobs[name] for form in having]
    seen = [value, *(values[name] for form in having for _, values in form.settings())]
    low, high = max(knob.low for knob in knobs), min(knob.high for knob in knobs)
    first = max(low, Fraction(min(seen)) / 2)
    last = max(2 * max(seen), MIN_SLIDER_VALUES if kind == "integer" else 0, ceil(reach.get(name, 0)))
    steps = _steps_per_unit(name, having, seen)
    whose = " and ".join(form.model.label for form in having) if is_one_of_several else ""
    return Slider(
        name, kind, knobs[0].about, tuple(owners), whose, value, low, high, steps, int(ceil(first * steps)),
        int(min(high, last) * steps),
    )  # fmt: skip


def _steps_per_unit(name: str, having: Sequence[ClosedForms], seen: Sequence[Any]) -> int:
    """The steps at which every network exists of which multiples such as 32·w must be whole: then not all values of
    `seen` that others have are steps, but their boxes take these."""
    if denominators := [form.denominators()[name] for form in having if name in form.denominators()]:
        return gcd(*denominators)
    return lcm(*(form.steps_per_unit(name, seen) for form in having))


def named_settings(forms: Forms, sliders: Sequence[Slider], start: str) -> Iterator[dict[str, Any]]:
    """The menu of settings: as the networks are set, and each preset of one of them; all values as text."""
    now = [value_text(slider.value) for slider in sliders]
    yield {"name": start, "values": now}
    names = {start}
    for number, form in enumerate(forms):
        for name, values in form.settings() if form else ():
            if name not in names:
                names.add(name)
                there = [
                    value_text(values[slider.name]) if number in slider.owners else text
                    for slider, text in zip(sliders, now)
                ]
                yield {"name": name, "values": there}
