"""Functions of one element. Each class says how many elementary operations (see ops/base.py) one element takes, and
whether it may write over its input (see analysis/inplace.py)."""

from __future__ import annotations

from costcalc.dims import Shape, Size, elements
from costcalc.ops.base import op
from costcalc.ops.fields import Axis, Flag, Real, UnitInterval
from costcalc.ops.gradients import (
    NOTHING,
    Extra,
    Kept,
    Wanted,
    gradient_per_element,
    gradients_move,
    keeps_input,
    keeps_nothing,
    keeps_output,
)
from costcalc.ops.needs import Need, axes, axis_exists
from costcalc.ops.output import VIEW, Output, computed
from costcalc.ops.precision import in_half
from costcalc.ops.reads import Reads, reads_same_place, reads_whole
from costcalc.ops.rules import (
    Tensor,
    free,
    in_its_order,
    no_needs,
    no_weights,
    order_of_input,
    per_element,
    same_shape_as_input,
)


class Pointwise:
    """s -> s, without weights or products of sums. Says nothing about its cost: each op does."""

    needs = no_needs
    shape = same_shape_as_input
    reads = reads_same_place
    weights = no_weights
    macs = free("a function of one element has no sum of products")
    memory_order = order_of_input


@op
class ReLU(Pointwise):
    """max(x, 0).   s -> s"""

    output = computed(inplace=True, overwritable=False)
    elementwise = per_element(1)
    train_elementwise = gradient_per_element(1)  # 0 where y is 0
    keeps = keeps_output


@op
class ReLU6(Pointwise):
    """min(max(x, 0), 6).   s -> s   (Howard et al. 2017, arXiv:1704.04861)"""

    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(2)
    train_elementwise = gradient_per_element(2)
    keeps = keeps_input


@op
class LeakyReLU(Pointwise):
    """max(x, slope·x).   s -> s"""

    slope: Real = 0.01

    synonyms = ("leakyrelu",)
    field_synonyms = {"negative_slope": "slope"}
    output = computed(inplace=True, overwritable=False)
    elementwise = per_element(2)
    train_elementwise = gradient_per_element(2)

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any:
            return NOTHING
        return Kept(output=True) if wanted.inplace else Kept(inputs=(0,))  # both have x's sign


@op
class PReLU(Pointwise):
    """max(x, 0) + slope·min(x, 0) with a learned slope, or one for each channel.   s -> s

    He et al. 2015, arXiv:1502.01852.
    """

    per_channel: Flag = False

    def needs(self, *ins: Shape) -> tuple[Need, ...]:
        what = "(batch, channels, …)"
        return tuple(axes(ins[0], 2, what)) if self.per_channel else ()

    def weights(self, *ins: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (ins[0][1] if self.per_channel else 1,)),)

    output = computed(inplace=False, overwritable=True)
    elementwise = per_element(2)

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # a comparison and a product for each; those of the slope are added up
        return elements(x) * (2 * wanted.x + 3 * ("weight" in wanted.tensors))

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return Kept((0,), weights=("weight",)) if wanted.any else NOTHING

    autocast = in_half

    def backward_workspace(self, x: Shape, *, wanted: Wanted, each: int) -> Size:
        # one kernel makes ∂x, and the gradient of the slope before its sum; unwanted, ∂x is gone when that is made
        return each * (elements(x) if wanted.x else 2 * elements(x) - elements(self.weights(x)[0].shape))


@op
class Sigmoid(Pointwise):
    """1 / (1 + exp(−x)).   s -> s"""

    output = computed(inplace=False, overwritable=False)
    elementwise = per_element(4)
    train_elementwise = gradient_per_element(3)  # ∂y·y·(1 − y)
    keeps = keeps_output


@op
class Tanh(Pointwise):
    """tanh(x).   s -> s"""

    output = computed(inplace=False, overwritable=False)
    elementwise = per_element(1)
    train_elementwise = gradient_per_element(3)  # ∂y·(1 − y²)
    keeps = keeps_output


@op
class SiLU(Pointwise):
    """x / (1 + exp(−x)), also called swish.   s -> s   (Ramachandran et al. 2017, arXiv:1710.05941)"""

    synonyms = ("swish",)
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(4)
    train_elementwise = gradient_per_element(9)  # with s = 1/(1 + exp(−x)): ∂y·s·(1 + x·(1 − s))
    keeps = keeps_input


@op
class HardSigmoid(Pointwise):
    """min(max(x + 3, 0), 6) / 6.   s -> s   (Howard et al. 2019, arXiv:1905.02244)"""

    synonyms = ("hardsigmoid", "h_sigmoid", "hsigmoid")
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(4)
    train_elementwise = gradient_per_element(3)  # two comparisons, and ∂y/6
    keeps = keeps_input


@op
class HardSwish(Pointwise):
    """x · min(max(x + 3, 0), 6) / 6.   s -> s   (Howard et al. 2019, arXiv:1905.02244)"""

    synonyms = ("hardswish", "h_swish", "hswish")
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(5)
    train_elementwise = gradient_per_element(5)  # two comparisons, and ∂y·(x/3 + 1/2)
    keeps = keeps_input


@op
class GELU(Pointwise):
    """0.5·x · (1 + erf(x/√2)).   s -> s   (Hendrycks and Gimpel 2016, arXiv:1606.08415)"""

    output = computed(inplace=False, overwritable=True)
    elementwise = per_element(5)
    train_elementwise = gradient_per_element(11)  # ∂y·(Φ(x) + x·φ(x)): 4 for Φ, 4 for φ, 3 to join them
    keeps = keeps_input


@op
class Softmax(Pointwise):
    """exp(x − max x) / Σ exp(x − max x) along an axis, by default the last.   s -> s"""

    axis: Axis = -1

    field_synonyms = {"dim": "axis"}
    memory_order = in_its_order

    def needs(self, *ins: Shape) -> tuple[Need, ...]:
        return (axis_exists(self.axis, ins[0]),)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return reads_whole(out, {self.axis % len(out)})

    output = computed(inplace=False, overwritable=False)
    # compare for the maximum, subtract it, exp, add to the sum, divide
    elementwise = per_element(5)
    train_elementwise = gradient_per_element(4)  # y·(∂y − Σ ∂y·y)
    keeps = keeps_output


@op
class Dropout(Pointwise):
    """Nothing at inference; zeroes a share `p` of the elements in training.   s -> s"""

    p: UnitInterval = 0.5

    field_synonyms = {"rate": "p"}
    output = VIEW
    elementwise = free("at inference dropout passes its input on")

    @property
    def train_output(self) -> Output:
        """A tensor of its own in training, unless it drops nothing."""
        return computed(inplace=False, overwritable=True) if self.p else VIEW

    @property
    def hands_on_gradient(self) -> bool:
        """Only if it drops nothing."""
        return not self.p

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # compare a random number with p, divide by 1 − p, multiply; the gradient is multiplied too
        return elements(x) * (3 + wanted.x) if self.p else 0

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any or not self.p:
            return NOTHING
        return Kept(extra=(Extra(elements(x) if self.p < 1 else 1),))  # the mask; of p = 1 a single 0


@op
class Identity(Pointwise):
    """x.   s -> s"""

    output = VIEW
    elementwise = free("nothing happens")
    train_elementwise = gradients_move
    keeps = keeps_nothing
