"""A pipeline as its file describes it, and the steps that it makes for values of its knobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from costcalc import dims
from costcalc.errors import Place, Problem, Problems, ShapeError, SpecError
from costcalc.expressions import Expression
from costcalc.models.knob import Knob, Published, ReadOnly
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import STEPS

MAX_STEPS = 100  # so that the product of their views is a number that can be printed
Value = Any  # Expression, or a tuple of them


class PlacedStep(NamedTuple):
    """A step, its name in tables, and its place in a file, if it has one."""

    name: str
    step: Any
    place: Place | None = None


@dataclass(frozen=True)
class Item:
    """One entry of `steps:`; its fields are still expressions."""

    kind: str
    place: Place
    fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PipelineSpec(ReadOnly):
    """A pipeline as its file describes it."""

    name: str
    title: str
    source: str
    file: str
    about: str = ""
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    input: tuple[Expression, ...] = ()
    items: tuple[Item | None, ...] = ()  # None where one cannot be read
    published: tuple[Published, ...] = ()

    def image(self, values: Mapping[str, Any], problems: Problems) -> ImageTensor | None:
        """The decoded image that the pipeline is given; None if its sizes are invalid."""
        sizes = [problems.attempt(_size, axis, values, place=axis.place) for axis in self.input]
        return None if None in sizes or len(sizes) != 3 else ImageTensor(*sizes)

    def steps(self, values: Mapping[str, Any], problems: Problems) -> list[PlacedStep | None]:
        """The steps, None for an invalid one; adds to `problems`."""
        names = step_names([item.kind if item else "" for item in self.items])
        return [_placed(name, item, values, problems) if item else None for name, item in zip(names, self.items)]


def step_names(kinds: list[str]) -> list[str]:
    """The kinds as names, numbered where one stands several times: random_crop_1, random_crop_2."""
    times, seen, names = Counter(kinds), Counter[str](), list[str]()
    for kind in kinds:
        seen[kind] += 1
        names.append(f"{kind}_{seen[kind]}" if times[kind] > 1 else kind)
    return names


def plain_size(size: Any, what: str) -> Any:
    """The size, an int or a symbol. Raises ShapeError for anything else, an array too."""
    if dims.is_array(size):
        raise ShapeError(f"{what}: a pipeline takes numbers and symbols, and no arrays")
    return dims.check_size(size, what, 1)


def _size(axis: Expression, values: Mapping[str, Any]) -> Any:
    return plain_size(axis.value(values), "input")


def _placed(name: str, item: Item, values: Mapping[str, Any], problems: Problems) -> PlacedStep | None:
    step = problems.attempt(_step, item, values, place=item.place)
    return None if step is None else PlacedStep(name, step, item.place)


def _step(item: Item, values: Mapping[str, Any]) -> Any:
    fields = {name: _value(given, values) for name, given in item.fields.items()}
    try:
        return STEPS[item.kind](**fields)
    except ShapeError as error:
        raise SpecError(Problem(item.place, *error.said)) from None


def _value(given: Value, values: Mapping[str, Any]) -> Any:
    return tuple(one.value(values) for one in given) if isinstance(given, tuple) else given.value(values)
