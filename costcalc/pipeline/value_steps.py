"""Steps that change the dtype and the range of values. They also take several images."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Size
from costcalc.ops.needs import Need
from costcalc.pipeline.image_tensor import ImageTensor
from costcalc.pipeline.step_base import Step, of_dtype, one_view, step, unchanged


@step
class ToFloat(Step):
    """From 0 … 255 in uint8 to 0 … 1 in float32.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.ToDtype(torch.float32, scale=True).
    """

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        yield of_dtype(x, "uint8", "leave it out")

    def after(self, x: ImageTensor) -> ImageTensor:
        return x._replace(dtype="float32")

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return y.elements  # ÷ 255

    views = one_view


class OnFloats(Step):
    """Arithmetic with a number for each channel, in float32.   (c, h, w) -> (c, h, w)"""

    def needs(self, x: ImageTensor) -> Iterator[Need]:
        """float32"""
        yield of_dtype(x, "float32", "put to_float before it")

    after = unchanged
    views = one_view


@step
class Normalize(OnFloats):
    """Subtracts the mean of each channel, and divides by its deviation.   (c, h, w) -> (c, h, w)

    torchvision.transforms.v2.Normalize.
    """

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return 2 * y.elements  # difference, quotient


@step
class SubtractMean(OnFloats):
    """Subtracts the mean of each pixel over the training set.   (c, h, w) -> (c, h, w)

    Krizhevsky et al. 2012, section 2.
    """

    def elementwise(self, x: ImageTensor, y: ImageTensor) -> Size:
        return y.elements  # difference
