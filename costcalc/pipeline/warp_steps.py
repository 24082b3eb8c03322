"""Steps that mirror, turn, shear and warp. The size of the image stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costcalc.dims import Size, floor, floor_div
from costcalc.ops.fields import Real
from costcalc.ops.needs import AtLeast, Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import (
    FieldFact,
    Interpolation,
    Step,
    continuous,
    is_positive,
    one_image,
    only_moves,
    resampled,
    single_image,
    step,
    unchanged,
)

AFFINE = 8  # a·x + b·y + c for two coordinates of a position


class Flip(Step):
    """Mirrors an image with probability 1/2."""

    needs = single_image
    after = unchanged
    elementwise = only_moves

    def views(self, x: ImageTensor, y: ImageTensor) -> int:
        """2: as it is, or mirrored."""
        return 2


@step
class HorizontalFlip(Flip):
    """Exchanges left and right, with probability 1/2.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomHorizontalFlip.
    """


@step
class VerticalFlip(Flip):
    """Turns an image upside down, with probability 1/2.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomVerticalFlip.
    """


@dataclass(frozen=True)
class AffineMap(Step):
    """Reads the image at places that an affine map gives; `degrees` is the largest angle, either way."""

    degrees: Real
    interpolation: Interpolation = "nearest"

    below = 181  # degrees

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        """One image, and an angle that changes it."""
        yield from one_image(x)
        inside = is_positive(self.degrees) and is_positive(self.below - self.degrees)
        yield FieldFact(inside, f"degrees are more than 0 and less than {self.below}, got {{}}", self.degrees)

    after = unchanged

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        """The place of each position, and reading there."""
        return AFFINE * y.positions + resampled(y, self.interpolation)

    views = continuous


@step
class Rotation(AffineMap):
    """Turns an image by a random angle, and cuts its corners off.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomRotation.
    """


@step
class Shear(AffineMap):
    """Shears an image along its width by a random angle.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomAffine with `shear` alone.
    """

    below = 90


@step
class Elastic(Step):
    """Local warping: a smooth random field moves each pixel.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.ElasticTransform; Simard et al. 2003, ICDAR, section 2. `alpha` is how far, `sigma` how
    smooth: the field is smoothed by a window of k×k, k = ⌊8·sigma + 1⌋ made odd.
    """

    alpha: Real = 50
    sigma: Real = 5

    @property
    def window(self) -> Size:
        """k"""
        return 2 * floor_div(floor(8 * self.sigma + 1), 2) + 1

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield FieldFact(is_positive(self.sigma), "sigma is more than 0, got {}", self.sigma)
        reach = floor_div(self.window, 2) + 1  # the field is reflected at its border
        for side in (x.height, x.width):
            message = "the field is smoothed by a window of {}, which is too wide for a side of {}"
            yield AtLeast(side, reach, message=message, message_sizes=(self.window, side))

    after = unchanged

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        # two fields: ·2, −1, k² products and k² − 1 sums, ·alpha, ÷ side; each is added to a coordinate
        fields = 2 * (2 + 2 * self.window**2 - 1 + 2 + 1)
        return fields * y.positions + resampled(y, "bilinear")

    views = continuous
