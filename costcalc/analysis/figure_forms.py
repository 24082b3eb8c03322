"""The networks that a search for a published figure tries."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from typing import Any, NamedTuple

from costcalc.models.knob_texts import labelled
from costcalc.models.model import Model
from costcalc.text import value_text

MAX_CHANGES = 2  # settings of a network that is tried, apart from those of the target
IMAGE_SIZES = (
    28, 32, 48, 64, 96, 112, 128, 160, 176, 192, 208, 224, 227, 231, 240, 256, 260, 280, 288, 299, 300, 320, 331, 336,
    352, 380, 384, 416, 448, 456, 480, 512, 528, 600, 608, 640, 768, 800, 1024,
)  # fmt: skip
CLASSES = (1, 2, 10, 100, 200, 365, 1000, 1001, 21_841, 21_843)
WIDTHS = tuple(map(Fraction, ("0.25", "0.35", "0.5", "0.75", "1", "1.3", "1.4", "1.5", "2")))
CHANNELS = (1, 3)
COMMON = {"classes": CLASSES, "w": WIDTHS, "c_in": CHANNELS}  # by the name of a knob


class Change(NamedTuple):
    """A setting that a search tries: a `preset`, or a value of one knob. Two of one `group` exclude each other."""

    group: str
    settings: dict[str, Any]
    preset: str = ""


class Variant(NamedTuple):
    """A network that differs from the target by so many `changes`, none of them a number; and one list of values for
    each number that is tried besides, all of one length."""

    model: Model
    start: str  # the label to which `texts` are added
    texts: dict[str, Any]
    changes: int
    numbers: dict[str, tuple[Any, ...]]

    @property
    def changed(self) -> int:
        """The settings that differ from the target's."""
        return self.changes + len(self.numbers)

    def label(self, point: dict[str, Any]) -> str:
        """`resnet50@r=256,shortcut=zero_pad`, at these values of numbers; in the order of the knobs."""
        given = {**self.texts, **point}
        texts = [f"{name}={value_text(given[name])}" for name in self.model.knobs if name in given]
        return labelled(self.start, texts)


def variants(model: Model) -> Iterator[Variant]:
    """The networks with at most MAX_CHANGES settings apart from the model's, those with fewer first."""
    kinds, numbers = kind_changes(model), number_values(model)
    for changed in range(MAX_CHANGES + 1):
        for of_numbers in range(changed, -1, -1):
            for names in combinations(numbers, of_numbers):
                values = [*product(*(numbers[name] for name in names))]
                columns = dict(zip(names, map(tuple, zip(*values)), strict=True)) if names else {}
                for changes in _different(kinds, changed - of_numbers):
                    if values:
                        yield _variant(model, changes, columns)


def kind_changes(model: Model) -> list[Change]:
    """Every other preset of the spec, and every other value of a flag or choice."""
    own = model.values
    presets = [Change("", {**preset.settings}, name) for name, preset in model.presets.items()]
    found = [change for change in presets if any(own[knob] != value for knob, value in change.settings.items())]
    for name, knob in model.knobs.items():
        values = (True, False) if knob.kind == "flag" else knob.choices
        found += [Change(name, {name: value}) for value in values if value != own[name]]
    return found


def number_values(model: Model) -> dict[str, tuple[Any, ...]]:
    """The common sizes of knobs that are image sizes, classes, widths or input channels, but for the model's own."""
    found = {}
    for name, knob in model.knobs.items():
        common = IMAGE_SIZES if name in model.architecture.image_knobs else COMMON.get(name, ())
        values = [value for value in common if knob.low <= value <= knob.high and value != model.values[name]]
        if values and knob.is_size:
            found[name] = tuple(values)
    return found


def _different(kinds: list[Change], count: int) -> Iterator[tuple[Change, ...]]:
    for changes in combinations(kinds, count):
        if len({change.group for change in changes}) == count:
            yield changes


def _variant(model: Model, changes: tuple[Change, ...], numbers: dict[str, tuple[Any, ...]]) -> Variant:
    """The model with these changes: a preset comes first, and gives way to what is set besides."""
    own = {name: value for change in changes if not change.preset for name, value in change.settings.items()}
    start, settings = model.label, {**model.settings, **own}
    for change in changes:
        if change.preset:
            own = {**model.overrides, **own}
            start, settings = change.preset, {**change.settings, **own}
    return Variant(model.with_only(settings, start), start, own, len(changes), numbers)
