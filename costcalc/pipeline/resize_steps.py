"""Steps that change the resolution."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Size, ceil_div, floor_div, maximum, minimum
from costcalc.ops.fields import PerAxis, Real, is_within
from costcalc.ops.needs import Need
from costcalc.pipeline.crop_steps import height_and_width, two_sizes
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import (
    FieldFact,
    Interpolation,
    Step,
    continuous,
    is_positive,
    one_image,
    one_view,
    step,
)


def taps(before: Size, after: Size) -> Size:
    """Neighbours along an axis that make one element: 2, or as many times more as the axis shrinks (antialiasing)."""
    return 2 * maximum(1, ceil_div(before, after))


def resizing(x: ImageTensor, y: ImageTensor, interpolation: str) -> Size:
    """Elementary operations: along the width, then the height, t products and t − 1 sums an element; `nearest` none."""
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
    """A window of random area and aspect ratio, resized.   (c, h, w) -> (c, h', w')

    torchvision.transforms.v2.RandomResizedCrop; Szegedy et al. 2015, arXiv:1409.4842, section 6. The window has at
    least `min_scale` of the area, and a ratio from 3/4 to 4/3.
    """

    remark = "its arithmetic is that of the largest window that it may draw, the whole image"

    size: PerAxis
    min_scale: Real = 0.08
    interpolation: Interpolation = "bilinear"

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield from one_image(x)
        yield two_sizes(self.size)
        inside = is_positive(self.min_scale) and is_within(self.min_scale, 0, 1)
        yield FieldFact(inside, "min_scale is more than 0 and at most 1, got {}", self.min_scale)

    def after(self, x: ImageTensor) -> ImageTensor:
        height, width = height_and_width(self.size)
        return x._replace(height=height, width=width)

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return resizing(x, y, self.interpolation)

    views = continuous
