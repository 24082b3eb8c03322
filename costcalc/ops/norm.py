"""Normalisation at inference. Scalars per channel or group (a mean, 1/√(σ² + ε)) are not elements and not counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, elements, prod
from costcalc.ops.axis_roles import AxisRoles, features_last, keep_channels
from costcalc.ops.base import op
from costcalc.ops.fields import Flag, PositiveInt, Real, StaticInt
from costcalc.ops.gradients import NOTHING, STATISTIC_BYTES, Extra, Kept, Wanted
from costcalc.ops.needs import Divides, Fact, Need, axes
from costcalc.ops.output import computed
from costcalc.ops.precision import inside_in_single
from costcalc.ops.reads import Reads, reads_same_place, reads_sample, reads_whole
from costcalc.ops.rules import Tensor, free, no_weights, order_of_input, per_element, same_shape_as_input
from costcalc.ops.synonyms import of_each_rank

NO_PRODUCTS = "scaling is one multiplication per element, not a sum of products"


def gamma_and_beta(shape: Shape) -> tuple[Tensor, ...]:
    """The learned scale γ and shift β, under torch's names."""
    return Tensor("weight", shape, "norm"), Tensor("bias", shape, "norm")


def standardize_ops(self: Any, x: Shape, *, out: Shape) -> Size:
    """Per element: add to the mean, subtract it, square, add to the variance, divide by σ; then ·γ and +β."""
    return elements(out) * (5 + self.affine + (self.affine and getattr(self, "bias", True)))


@op
class BatchNorm:
    """γ·(x − μ)/σ + β with stored μ and σ, per channel.   (n, c, …) -> (n, c, …)

    Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    affine: Flag = True
    eps: Real = 1e-5

    synonyms = ("bn", "batchnorm", "batch_normalization", *of_each_rank("batch_norm", "batchnorm"))
    field_synonyms = {"epsilon": "eps"}
    derived_fields = ("num_features",)
    features_axis = 1
    axis_roles = keep_channels
    stored_statistics = True

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 2, "(batch, channels, …)")

    shape = same_shape_as_input

    reads = reads_same_place
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        c = x[1:2]
        running = Tensor("running_mean", c, "buffer"), Tensor("running_var", c, "buffer")
        return (*gamma_and_beta(c), *running) if self.affine else running

    macs = free(NO_PRODUCTS)
    elementwise = per_element(2)  # stored μ, σ, γ, β fold into one scale and one shift

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        if wanted.evaluates:  # ∂x = scale·∂y, as at inference; ∂γ = Σ ∂y·x̂ with x̂ = (x − μ)/σ, ∂β = Σ ∂y
            own = 4 * ("weight" in wanted.tensors) + ("bias" in wanted.tensors)
            return elements(out) * (own + wanted.x)
        statistics = 5 if self.affine else 3  # as LayerNorm, in place of the 2 at inference
        return elements(out) * (statistics + normalised_gradients(wanted))

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return keeps_normalised(None if wanted.evaluates else x[1], wanted)


def normalised_gradients(wanted: Wanted) -> int:
    """Operations per element of the gradients: x̂ (2), Σ ∂y (1) and Σ ∂y·x̂ (2) for all, and ∂x from them (4)."""
    return (5 + 4 * wanted.x) if wanted.any else 0


def keeps_normalised(groups: Size | None, wanted: Wanted, *, affine: bool = True) -> Kept:
    """x, and the mean and 1/σ of each group of elements that were computed: float32 beside float32 weights."""
    if not wanted.any:
        return NOTHING
    return Kept(
        (0,), extra=(Extra(2 * groups, STATISTIC_BYTES if affine else "activations"),) if groups is not None else ()
    )


@op
class LayerNorm:
    """γ·(x − μ)/σ + β with μ and σ over the last `axes` axes.   s -> s   (Ba et al. 2016, arXiv:1607.06450)

    Without `affine` there is neither γ nor β, without `bias` no β.
    """

    axes: StaticInt = 1
    affine: Flag = True
    bias: Flag = True
    eps: Real = 1e-5

    synonyms = ("layernorm", "layer_normalization")
    field_synonyms = {"elementwise_affine": "affine", "epsilon": "eps"}
    absent_fields = {
        "normalized_shape": "costcalc derives the sizes; `axes` says how many of the last axes it takes",
    }

    @property
    def features_axis(self) -> int | None:
        """The last axis, if it is normalised alone."""
        return -1 if self.axes == 1 else None

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """The features last, where nothing is known."""
        assumed = features_last(self, known, ins, out) if self.axes == 1 else known[0]
        return tuple([role or other for role, other in zip(known[0], assumed)])

    def needs(self, x: Shape) -> Iterator[Need]:
        words = "axes = {} leaves no batch axis of an input of {} axes"
        yield Fact(len(x) > self.axes, words, self.axes, len(x))

    shape = same_shape_as_input

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return reads_whole(out, {*range(len(out) - self.axes, len(out))})

    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        learned = gamma_and_beta(x[len(x) - self.axes :]) if self.affine else ()
        return learned if self.bias else learned[:1]

    macs = free(NO_PRODUCTS)
    elementwise = standardize_ops

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # ∂y·γ first, if it is to become ∂x
        return elements(out) * (normalised_gradients(wanted) + (1 if self.affine and wanted.x else 0))

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return keeps_normalised(prod(x[: len(x) - self.axes]), wanted, affine=self.affine)


@op
class RMSNorm:
    """γ·x/√(mean of x²) over the last `axes` axes.   s -> s   (Zhang and Sennrich 2019, arXiv:1910.07467)"""

    axes: StaticInt = 1
    affine: Flag = True
    eps: Real = 1e-6

    synonyms = ("rmsnorm",)
    field_synonyms = {"elementwise_affine": "affine", "epsilon": "eps"}
    absent_fields = LayerNorm.absent_fields
    features_axis = LayerNorm.features_axis
    axis_roles = LayerNorm.axis_roles
    needs = LayerNorm.needs
    shape = same_shape_as_input
    memory_order = order_of_input
    reads = LayerNorm.reads
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return gamma_and_beta(x[len(x) - self.axes :])[:1] if self.affine else ()

    macs = free(NO_PRODUCTS)

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * (3 + self.affine)  # square, add to the mean, ·1/σ; then ·γ

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # ∂γ = Σ ∂y·x̂ (2); ∂x: ∂y·γ (1), Σ of it times x̂ (2), of which x̂ times the mean is subtracted (2), ·1/σ (1)
        of_x = 5 + self.affine if wanted.x else 0
        return elements(out) * (2 * ("weight" in wanted.tensors) + of_x)

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        # torch composes it: x and 1/σ for ∂x, x̂ for ∂γ
        rows = prod(x[: len(x) - self.axes])
        of_x = (Extra(rows, STATISTIC_BYTES if self.affine else "activations"),) if wanted.x else ()
        of_weight = (Extra(elements(x)),) if "weight" in wanted.tensors else ()
        return Kept((0,) if wanted.x else (), extra=(*of_x, *of_weight), weights=("weight",) if wanted.x else ())

    autocast = inside_in_single

    def backward_workspace(self, x: Shape, *, wanted: Wanted, each: int) -> Size:
        # ∂γ before its sum; for ∂x four tensors besides it at the end, when ∂y, 1/σ and x̂ are gone
        if not wanted.x:
            return each * elements(x)
        return each * ((2 if "weight" in wanted.tensors else 3) * elements(x) - prod(x[: len(x) - self.axes]))


@op
class GroupNorm:
    """LayerNorm over each of `groups` groups of channels.   (n, c, …) -> (n, c, …)

    Wu and He 2018, arXiv:1803.08494.
    """

    groups: PositiveInt
    affine: Flag = True
    eps: Real = 1e-5

    synonyms = ("groupnorm", "group_normalization")
    field_synonyms = {"num_groups": "groups", "epsilon": "eps"}
    derived_fields = ("num_channels",)
    features_axis = 1
    axis_roles = keep_channels

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes(x, 2, "(batch, channels, …)")
        yield Divides(self.groups, x[1], message="groups = {} does not divide the {} channels")

    shape = same_shape_as_input

    reads = reads_sample
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return gamma_and_beta(x[1:2]) if self.affine else ()

    macs = free(NO_PRODUCTS)
    elementwise = standardize_ops

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # ∂y·γ first, if it is to become ∂x
        return elements(out) * (normalised_gradients(wanted) + (1 if self.affine and wanted.x else 0))

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        return keeps_normalised(x[0] * self.groups, wanted, affine=self.affine)


@op
class LocalResponseNorm:
    """x / (k + α·Σ x²)^β, the sum over `size` neighbouring channels.   (n, c, …) -> (n, c, …)

    Krizhevsky et al. 2012, section 3.3.
    """

    size: PositiveInt = 5
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 2

    synonyms = ("lrn",)
    features_axis = 1
    axis_roles = keep_channels

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 2, "(batch, channels, …)")

    shape = same_shape_as_input
    reads = reads_same_place
    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free(NO_PRODUCTS)

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        # square; size − 1 additions; ·α, +k, to the power β, divide
        return elements(out) * (self.size + 4)

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # with s = k + α·Σ x²: ∂y·y/s (2), size − 1 additions of it, ·x·2αβ (2), subtracted from ∂y·s^−β (3)
        return elements(out) * (self.size + 6) if wanted.x else 0

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any:
            return NOTHING
        n, c, *rest = x
        squares = elements((n, c + self.size - 1, *rest))  # padded to full windows
        return Kept((0,), extra=(Extra(squares), Extra(elements(x)), Extra(elements(x))))  # s, and s^β

    autocast = inside_in_single

    def backward_workspace(self, x: Shape, *, wanted: Wanted, each: int) -> Size:
        return each * 3 * elements(x)  # ∂s^β = −∂y · ((x / s^β) / s^β), piece by piece
