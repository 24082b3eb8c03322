"""Layers that join every input to every output."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, elements
from costcalc.ops.base import op
from costcalc.ops.conv import bias_adds, weight_and_bias
from costcalc.ops.fields import Flag, PositiveInt
from costcalc.ops.gradients import NOTHING, Extra, Kept, Wanted, bias_sums, gradients_move
from costcalc.ops.needs import Need, axes
from costcalc.ops.output import computed
from costcalc.ops.precision import HALF_BYTES, Widths, in_half
from costcalc.ops.reads import reads_features
from costcalc.ops.rules import Tensor, of_weight_and_input


@op
class Linear:
    """y = x·Wᵀ + b along the last axis.   (…, in) -> (…, features)"""

    features: PositiveInt
    bias: Flag = True

    layout = "plain"
    synonyms = ("fc", "dense", "fully_connected")
    field_synonyms = {"out_features": "features", "units": "features", "use_bias": "bias"}
    derived_fields = ("in_features",)
    features_axis = -1
    takes_flat = True
    joined_axes = slice(None, -1)
    overwritable_axes = 2  # of more, torch makes the output as a view, and a gradient through it is copied

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 2, "(batch, …, features)")

    def shape(self, x: Shape) -> Shape:
        return (*x[:-1], self.features)

    reads = reads_features
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return weight_and_bias(self, self.features, x[-1])

    def macs(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * x[-1]  # one dot product per output element

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums
    autocast = in_half

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        # each factor of x·w for the gradient of the other
        return Kept(inputs=(0,) if "weight" in wanted.tensors else (), weights=("weight",) if wanted.x else ())


@op
class RBF:
    """Euclidean radial basis functions: y_i = Σ_j (x_j − w_ij)².   (…, in) -> (…, features)

    LeCun et al. 1998, equation 7: the output layer of LeNet-5. Its parameter vectors are fixed by hand there,
    so they are a buffer unless `learned`.
    """

    features: PositiveInt
    learned: Flag = False

    layout = "plain"
    features_axis = -1
    takes_flat = True

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 2, "(batch, …, features)")

    def shape(self, x: Shape) -> Shape:
        return (*x[:-1], self.features)

    reads = reads_features
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (self.features, x[-1]), "weight" if self.learned else "buffer"),)

    def macs(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * x[-1]  # a sum of in squares per output: each square is one multiply–accumulate

    def backward_macs(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # both factors of a square (x − w)·(x − w) have a gradient, if x or w wants one
        return 2 * self.macs(x, out=out) if wanted.any else 0

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * x[-1]  # the in differences per output

    train_elementwise = gradients_move

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return Kept(extra=(Extra(elements(out) * x[-1]),)) if wanted.any else NOTHING  # the differences x − w

    def autocast(self, x: int, *, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
        # a product of the differences with themselves: two casts of them stay
        return Widths(HALF_BYTES, 2 * HALF_BYTES)
