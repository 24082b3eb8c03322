"""Steps that mirror, turn, shear and warp. The size of the image stays."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Size, at_least, floor, floor_div
from costcalc.ops.fields import Real
from costcalc.ops.needs import AtLeast, Fact, Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import (
    Interpolation,
    Step,
    continuous,
    one_image,
    only_moves,
    resampled,
    single_image,
    step,
    unchanged,
)

AFFINE = 8  # a·x + b·y + c for two coordinates of a position


@step
class HorizontalFlip(Step):
    """Mirroring: every second image, by chance, with left and right exchanged.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomHorizontalFlip.
    """

    needs = single_image
    after = unchanged
    elementwise = only_moves

    def views(self, x: ImageTensor, y: ImageTensor) -> int:
        return 2


@step
class VerticalFlip(Step):
    """Every second image, by chance, upside down.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomVerticalFlip.
    """

    needs = single_image
    after = unchanged
    elementwise = only_moves

    def views(self, x: ImageTensor, y: ImageTensor) -> int:
        return 2


class Turn(Step):
    """Reads the image at places that an affine map gives; `degrees` is the largest angle, either way."""

    degrees: Real

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        """One image, and angles that turn it."""
        yield from one_image(x)
        known = isinstance(self.degrees, (int, float)) or hasattr(self.degrees, "numerator")
        inside = not known or 0 < self.degrees < self.below
        yield Fact(inside, f"degrees are more than 0 and less than {self.below}, got {{}}", self.degrees)

    below = 181

    after = unchanged

    interpolation: Interpolation = "nearest"

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        """The map of each position, and what is read there."""
        return AFFINE * y.positions + resampled(y, self.interpolation)

    views = continuous


@step
class Rotation(Turn):
    """Turned by an angle that is drawn, its corners cut off.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomRotation.
    """

    degrees: Real
    interpolation: Interpolation = "nearest"


@step
class Shear(Turn):
    """Sheared along its width by an angle that is drawn.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.RandomAffine with `shear` alone.
    """

    degrees: Real
    interpolation: Interpolation = "nearest"

    below = 90


@step
class Elastic(Step):
    """Local warping: each pixel is moved by a smooth random field.   (c, h, w) -> (c, h, w)

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
        yield Fact(at_least(self.sigma, 0) is not False and self.sigma != 0, "sigma is more than 0, got {}", self.sigma)
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
