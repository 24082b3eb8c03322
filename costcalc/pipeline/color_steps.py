"""Steps that change colors."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Size
from costcalc.ops.fields import PositiveInt, Real, is_within
from costcalc.ops.needs import Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import (
    FieldAtLeast,
    FieldFact,
    Step,
    channels_are,
    continuous,
    is_positive,
    of_dtype,
    one_image,
    step,
    unchanged,
)

HUE = 47  # per pixel: RGB to HSV 28, + and mod 2, HSV to RGB 17, as torchvision's v2 has them
CLAMP = 2  # comparisons


@step
class ColorShift(Step):
    """Adds a random whole number from −amount to amount to each channel.   (c, h, w) -> (c, h, w)

    Color shifting as lectures have it: +20, −20, +20. The sum is clamped to 0 … 255.
    """

    amount: PositiveInt = 20

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield of_dtype(x, "uint8", "put it before to_float")
        yield channels_are(x, 1, 3)
        yield FieldAtLeast(255, self.amount, message="amount is at most 255, got {}", message_sizes=(self.amount,))

    after = unchanged

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return (1 + CLAMP) * y.elements

    def views(self, x: ImageTensor, y: ImageTensor) -> Size:
        return (2 * self.amount + 1) ** x.channels


@step
class ColorJitter(Step):
    """Changes brightness, contrast, saturation and hue, each by a random factor.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.ColorJitter. One that is 0 is not changed.
    """

    brightness: Real = 0
    contrast: Real = 0
    saturation: Real = 0
    hue: Real = 0

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield channels_are(x, 3)
        given = {name: getattr(self, name) for name in ("brightness", "contrast", "saturation", "hue")}
        yield FieldFact(any(value != 0 for value in given.values()), f"changes nothing; give {', '.join(given)}")
        for name, value in given.items():
            highest = 0.5 if name == "hue" else 1
            yield FieldFact(is_within(value, 0, highest), f"{name} is from 0 to {highest}, got {{}}", value)

    after = unchanged

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        rounds = int(x.dtype == "uint8")
        # a product and a clamp
        work = (1 + CLAMP) * y.elements if self.brightness != 0 else 0
        # gray (3 products, 2 sums), which uint8 rounds; its mean, or its product; then a·x + b, clamped
        blend = (6 + rounds) * y.positions + (2 + CLAMP) * y.elements
        work += blend if self.contrast != 0 else 0
        work += blend if self.saturation != 0 else 0
        # uint8 is divided by 255 before, and multiplied after
        return work + (HUE * y.positions + 2 * rounds * y.elements if self.hue != 0 else 0)

    views = continuous


@step
class PcaColor(Step):
    """Shifts all pixels by one random vector along the principal components of RGB.   (3, h, w) -> (3, h, w)

    Krizhevsky et al. 2012, section 4.1: p₁, p₂, p₃ times α·λ, with normal α of deviation `std`. These 9 products an
    image make one number for each channel; they are not counted, since they are not elements.
    """

    std: Real = 0.1

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield channels_are(x, 3)
        yield of_dtype(x, "float32", "put to_float before it")
        yield FieldFact(is_positive(self.std), "std is more than 0, got {}", self.std)

    after = unchanged

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return y.elements  # one addition

    views = continuous
