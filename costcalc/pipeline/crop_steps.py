"""Steps that crop or pad."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from costcalc.dims import Size
from costcalc.ops.fields import PerAxis, PositiveInt
from costcalc.ops.needs import AtLeast, Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import FieldFact, Step, any_image, one_image, one_view, only_moves, step


def height_and_width(size: Size | tuple[Size, ...]) -> tuple[Size, Size]:
    """A size for both axes, or (h, w). Raises ValueError for another number of them."""
    if not isinstance(size, tuple):
        return size, size
    height, width = size
    return height, width


def two_sizes(size: Size | tuple[Size, ...]) -> Need:
    """A list of sizes has two: h, w."""
    listed = isinstance(size, tuple)
    return FieldFact(not listed or len(size) == 2, "takes one size or two, got {}", len(size) if listed else 1)


@dataclass(frozen=True)
class Crop(Step):
    """A window of an image.   (c, h, w) -> (c, h', w')"""

    size: PerAxis

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        """The window fits into the image."""
        yield from one_image(x)
        yield (two := two_sizes(self.size))
        if two.truth:
            height, width = height_and_width(self.size)
            asked = (height, width, x.height, x.width)
            for side, window in ((x.height, height), (x.width, width)):
                yield AtLeast(side, window, message="a crop of {}×{} does not fit into {}×{}", message_sizes=asked)

    def after(self, x: ImageTensor) -> ImageTensor:
        """(c, h', w')"""
        height, width = height_and_width(self.size)
        return x._replace(height=height, width=width)

    elementwise = only_moves


@step
class RandomCrop(Crop):
    """A window at a random place.   (c, h, w) -> (c, h', w')

    torchvision.transforms.v2.RandomCrop; Krizhevsky et al. 2012, section 4.1.
    """

    def views(self, x: ImageTensor, y: ImageTensor) -> Size:
        # a window of k positions starts at n − k + 1 places of n
        return (x.height - y.height + 1) * (x.width - y.width + 1)


@step
class CenterCrop(Crop):
    """The window in the middle.   (c, h, w) -> (c, h', w')

    torchvision.transforms.v2.CenterCrop.
    """

    views = one_view


@step
class FiveCrop(Crop):
    """The windows in the corners and in the middle: five images.   (c, h, w) -> 5 × (c, h', w')

    torchvision.transforms.v2.FiveCrop. A network makes five forward passes of them.
    """

    def after(self, x: ImageTensor) -> ImageTensor:
        return super().after(x)._replace(images=5)

    views = one_view


@step
class TenCrop(Crop):
    """The windows in the corners and in the middle, and their mirror images: ten.   (c, h, w) -> 10 × (c, h', w')

    torchvision.transforms.v2.TenCrop; Krizhevsky et al. 2012, section 4.1. A network makes ten forward passes of them.
    """

    def after(self, x: ImageTensor) -> ImageTensor:
        return super().after(x)._replace(images=10)

    views = one_view


@step
class Pad(Step):
    """Zeros around the image.   (c, h, w) -> (c, h + 2·padding, w + 2·padding)

    torchvision.transforms.v2.Pad; He et al. 2015, section 4.2, before a random crop.
    """

    padding: PositiveInt

    needs = any_image

    def after(self, x: ImageTensor) -> ImageTensor:
        return x._replace(height=x.height + 2 * self.padding, width=x.width + 2 * self.padding)

    elementwise = only_moves
    views = one_view
