"""Steps that change the resolution."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Size, ceil_div, floor_div, maximum, minimum
from costcalc.ops.fields import PerAxis, UnitInterval
from costcalc.ops.needs import Fact, Need
from costcalc.pipeline.crop_steps import height_and_width, two_sizes
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import Interpolation, Step, continuous, one_image, one_view, step


def taps(before: Size, after: Size) -> Size:
    """How many neighbours along an axis make one: 2, or as many more as it shrinks, since it is antialiased."""
    return 2 * maximum(1, ceil_div(before, after))


def resizing(x: ImageTensor, y: ImageTensor, interpolation: str) -> Size:
    """Along the width, then along the height: t products and t − 1 sums an element. `nearest` copies."""
    if interpolation == "nearest":
        return 0
    along_width = x.height * y.width * (2 * taps(x.width, y.width) - 1)
    along_height = y.height * y.width * (2 * taps(x.height, y.height) - 1)
    return x.channels * (along_width + along_height)


@step
class Resize(Step):
    """Another resolution: `size` of the shorter side, or [h, w].   (c, h, w) -> (c, h', w')

    torchvision.transforms.v2.Resize, antialiased.
    """

    size: PerAxis
    interpolation: Interpolation = "bilinear"

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield two_sizes(self.size)

    def after(self, x: ImageTensor) -> ImageTensor:
        if isinstance(self.size, tuple):
            height, width = height_and_width(self.size)
            return x._replace(height=height, width=width)
        shorter = minimum(x.height, x.width)
        height, width = (floor_div(self.size * side, shorter) for side in (x.height, x.width))
        return x._replace(height=height, width=width)

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return resizing(x, y, self.interpolation)

    views = one_view


@step
class RandomResizedCrop(Step):
    """A window of an area and an aspect ratio that are drawn, resized.   (c, h, w) -> (c, h', w')

    torchvision.transforms.v2.RandomResizedCrop; Szegedy et al. 2015, arXiv:1409.4842, section 6. At least `min_scale`
    of the area, of a ratio from 3/4 to 4/3.
    """

    remark = "its arithmetic is that of the largest window that it may draw, the whole image"

    size: PerAxis
    min_scale: UnitInterval = 0.08
    interpolation: Interpolation = "bilinear"

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield two_sizes(self.size)
        yield Fact(self.min_scale != 0, "min_scale is more than 0")

    def after(self, x: ImageTensor) -> ImageTensor:
        height, width = height_and_width(self.size)
        return x._replace(height=height, width=width)

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return resizing(x, y, self.interpolation)

    views = continuous
