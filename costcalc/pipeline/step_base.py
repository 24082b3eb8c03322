"""The questions that every step of a pipeline answers, and the registry of steps.

    needs(x)              what must hold of the image x: relations of ops/needs.py
    after(x)              the image that it makes of x: shape, dtype, and how many
    elementwise(x, y)     arithmetic, one per element and elementary operation, where y is what it makes
    views(x, y)           in how many ways its draws can come out: an integer, or CONTINUOUS

`remark` says what else its numbers mean. An elementary operation is the one of ops/base.py. A draw of a random number
is none, nor is a change of dtype by itself; numbers made once for an image or a channel are no elements. A random step
is counted where it acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar, dataclass_transform

from costcalc.dims import Size, Truth, is_array
from costcalc.errors import ShapeError
from costcalc.ops.base import field_kinds, snake_case
from costcalc.ops.fields import Kind
from costcalc.ops.needs import Fact, Need
from costcalc.pipeline.image_tensor import ImageTensor

CONTINUOUS = "continuous"  # draws from a continuous distribution
Views: TypeAlias = Any  # a Size, or CONTINUOUS
Interpolation: TypeAlias = Annotated[str, Kind("word", words=("nearest", "bilinear"))]
QUESTIONS = ("needs", "after", "elementwise", "views")
STEPS: dict[str, type[Any]] = {}
StepT = TypeVar("StepT", bound=type[Any])


def fields_of(cls: Any) -> dict[str, Kind]:
    """The fields of a step, each with the kind of its values."""
    return field_kinds(cls)


class Step:
    """What all steps have: a name, and fields that are checked."""

    name: ClassVar[str]
    remark: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field, kind in fields_of(type(self)).items():
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
    other = STEPS.get(cls.name) or cls
    if (other.__module__, other.__qualname__) != (
        cls.__module__,
        cls.__qualname__,
    ):  # else a cell of a notebook runs again
        raise TypeError(
            f"step {cls.__name__}: {other.__module__}.{other.__qualname__} has its name, {cls.name}, already"
        )
    made: Any = dataclass(frozen=True)(cls)
    fields_of(made)  # refuses a field without a kind now, not when the first instance is made
    STEPS[made.name] = made
    return cls


def one_image(x: ImageTensor) -> Iterator[Need]:
    """A step that draws, or cuts out, has one image before it."""
    yield Fact(x.images == 1, "takes one image, got {}; put it before the step that makes several", x.images)


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
    """Reads an image at places between its pixels, one for each position of y.

    nearest: two coordinates are rounded. bilinear: ⌊x⌋, x − ⌊x⌋ and 1 − that, for two coordinates, and four products
    of these make the weights (10 per position); four products and three sums are one element (7).
    """
    if interpolation == "nearest":
        return 2 * y.positions
    return 10 * y.positions + 7 * y.elements
