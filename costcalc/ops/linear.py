"""Layers that join every input to every output."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, elements
from costcalc.errors import UsageError
from costcalc.ops.base import op
from costcalc.ops.conv import bias_adds, weight_and_bias
from costcalc.ops.fields import Flag, PositiveInt
from costcalc.ops.gradients import NOTHING, Extra, Kept, Wanted, bias_sums, gradients_move
from costcalc.ops.needs import Need, SameShape, axes
from costcalc.ops.output import computed
from costcalc.ops.precision import HALF_BYTES, SINGLE_BYTES, Widths, in_half
from costcalc.ops.reads import Reads, reads_features
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
class Bilinear:
    """y = x₁·W·x₂ + b along the last axes.   (…, in₁), (…, in₂) -> (…, features)   As torch.nn.Bilinear.

    torch makes each gradient as a product of three factors, and keeps only x₁ and x₂ for them.
    """

    features: PositiveInt
    bias: Flag = True

    layout = "plain"
    field_synonyms = {"out_features": "features"}
    derived_fields = ("in1_features", "in2_features")
    features_axis = -1

    def needs(self, x: Shape, y: Shape) -> Iterator[Need]:
        yield from axes(x, 2, "(batch, …, features)")
        yield SameShape(x[:-1], y[:-1], message="inputs of shapes {} and {} before their features differ")

    def shape(self, x: Shape, y: Shape) -> Shape:
        return (*x[:-1], self.features)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return reads_features(self, i, ins, out)

    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape, y: Shape) -> tuple[Tensor, ...]:
        bias = (Tensor("bias", (self.features,), "bias"),) if self.bias else ()
        return (Tensor("weight", (self.features, x[-1], y[-1])), *bias)

    def macs(self, x: Shape, y: Shape, *, out: Shape) -> Size:
        return elements(out) * y[-1] * (x[-1] + 1)  # x₁·W, and that times x₂

    def backward_macs(self, x: Shape, y: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # of x₁: ∂y·W, times x₂; of W: x₁·∂y, times x₂; of x₂: x₁·W, times ∂y
        of_x, of_y = wanted.inputs
        made = [elements(x) * y[-1]] * of_x + [elements(out) * x[-1]] * ("weight" in wanted.tensors)
        made += [elements(out) * y[-1]] * of_y
        return elements(out) * x[-1] * y[-1] * len(made) + sum(made)

    elementwise = bias_adds
    train_elementwise = bias_sums

    def keeps(self, x: Shape, y: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        of_x, of_y, of_weight = *wanted.inputs, "weight" in wanted.tensors
        inputs = tuple([i for i, kept in ((0, of_y or of_weight), (1, of_x or of_weight)) if kept])
        return Kept(inputs=inputs, weights=("weight",) if of_x or of_y else ())

    def autocast(self, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
        if HALF_BYTES in widths:
            raise UsageError(
                "bilinear reads float32 alone in mixed precision: torch.autocast does not cast its weight on a CPU"
            )
        return Widths(SINGLE_BYTES, SINGLE_BYTES)


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
