"""The questions that every step of a pipeline answers, and the registry of steps.

    needs(x)              what must hold of the image x: relations of ops/needs.py, of its own fields a FieldFact
    after(x)              the image that it makes of x: shape, dtype, and how many
    elementwise(x, y)     arithmetic, one per element and elementary operation, where y is what it makes
    views(x, y)           in how many ways its draws can come out: an integer, or CONTINUOUS

`remark` says what else its numbers mean. ops/base.py says what an elementary operation is. Drawing a random number is
none, nor is changing the dtype; numbers that are made once for an image or a channel are not elements. A random step is
counted as if it always acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from costcalc.dims import Size, Truth, at_least, is_array
from costcalc.errors import ShapeError
from costcalc.ops.base import field_kinds, refuse_second, snake_case
from costcalc.ops.fields import Kind
from costcalc.ops.needs import AtLeast, Fact, Need
from costcalc.pipeline.image_tensor import ImageTensor

CONTINUOUS = "continuous"  # draws from a continuous distribution
Views: TypeAlias = Any  # a Size, or CONTINUOUS
Interpolation: TypeAlias = Annotated[str, Kind("word", words=("nearest", "bilinear"))]
QUESTIONS = ("needs", "after", "elementwise", "views")
STEPS: dict[str, Any] = {}  # classes
StepT = TypeVar("StepT", bound=type[Any])


@dataclass(frozen=True)
class Step:
    """The base of all steps: a name, and fields that are checked. Steps inherit fields from a frozen dataclass."""

    name: ClassVar[str]
    remark: ClassVar[str] = ""

    def __post_init__(self: Any) -> None:
        for field, kind in field_kinds(self.__class__).items():
            value = getattr(self, field)
            if is_array(value):
                raise ShapeError(f"{self.name}: {field}: a pipeline takes numbers and symbols, and no arrays")
            object.__setattr__(self, field, kind.check(value, f"{self.name}: {field}"))


@dataclass_transform(frozen_default=True)
def step(cls: StepT) -> StepT:
    """Registers a class as a step. Refuses a class that leaves a question open: no cost is zero by default."""
    left_open = [question for question in QUESTIONS if not hasattr(cls, question)]
    if left_open:
        raise TypeError(f"step {cls.__name__} does not answer: {', '.join(left_open)}")
    cls.name = snake_case(cls.__name__)
    refuse_second("step", cls, STEPS)
    made: Any = dataclass(frozen=True)(cls)
    field_kinds(made)  # refuses a field without a kind now, not when the first instance is made
    STEPS[made.name] = made
    return cls


class FieldFact(Fact):
    """What a step's own fields must be, whatever the image is."""


class FieldAtLeast(AtLeast):
    """x ≥ low, of a step's own fields."""


def is_of_fields(need: Need) -> bool:
    """Is this about the step's own fields, and not about an image?"""
    return isinstance(need, (FieldFact, FieldAtLeast))


def one_image(x: ImageTensor) -> Iterator[Need]:
    """A step that draws or crops takes one image."""
    yield Fact(x.images == 1, "takes one image, got {}; put it before the step that makes several", x.images)


def is_positive(x: Size) -> bool:
    """Is x more than 0? True also if symbols leave it undecided."""
    return at_least(x, 0) is not False and x != 0


def of_dtype(x: ImageTensor, dtype: str, hint: str) -> Need:
    """The image is of this dtype."""
    return Fact(x.dtype == dtype, f"takes {dtype}, got {x.dtype}; {hint}")


def channels_are(x: ImageTensor, *numbers: int) -> Need:
    """The image has one of these numbers of channels; symbols may have any."""
    truth: Truth = not isinstance(x.channels, int) or x.channels in numbers
    return Fact(truth, "takes an image of {} channels, got {}", " or ".join(map(str, numbers)), x.channels)


def any_image(self: Any, x: ImageTensor) -> tuple[Need, ...]:
    """Any image will do."""
    return ()


def single_image(self: Any, x: ImageTensor) -> Iterator[Need]:
    """One image of any kind."""
    return one_image(x)


def unchanged(self: Any, x: ImageTensor) -> ImageTensor:
    """(c, h, w) -> (c, h, w)"""
    return x


def only_moves(self: Any, x: ImageTensor, y: ImageTensor) -> int:
    """0: elements change their places, and no arithmetic is done on them."""
    return 0


def one_view(self: Any, x: ImageTensor, y: ImageTensor) -> int:
    """1: nothing is drawn."""
    return 1


def continuous(self: Any, x: ImageTensor, y: ImageTensor) -> str:
    """It draws from a continuous distribution."""
    return CONTINUOUS


def resampled(y: ImageTensor, interpolation: str) -> Size:
    """Elementary operations to read an image between its pixels, at one place for each position of y.

    nearest: two coordinates are rounded. bilinear: ⌊x⌋, x − ⌊x⌋ and 1 − that, for two coordinates, and four products
    of these make the weights (10 per position); four products and three sums are one element (7).
    """
    if interpolation == "nearest":
        return 2 * y.positions
    return 10 * y.positions + 7 * y.elements
