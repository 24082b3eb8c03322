"""Functions of one element. Each class says how many elementary operations (see ops/base.py) one element takes, and
whether it may write over its input (see analysis/inplace.py)."""

from __future__ import annotations

from costcalc.ops.base import op
from costcalc.ops.fields import Real, UnitInterval
from costcalc.ops.output import VIEW, computed
from costcalc.ops.rules import free, no_needs, no_weights, per_element, same_shape_as_input


class Pointwise:
    """s -> s, without weights or products of sums. Says nothing about its cost: each op does."""

    needs = no_needs
    shape = same_shape_as_input
    weights = no_weights
    macs = free("a function of one element has no sum of products")


@op
class ReLU(Pointwise):
    """max(x, 0).   s -> s"""

    output = computed(inplace=True, overwritable=False)
    elementwise = per_element(1)


@op
class ReLU6(Pointwise):
    """min(max(x, 0), 6).   s -> s   (Howard et al. 2017, arXiv:1704.04861)"""

    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(2)


@op
class LeakyReLU(Pointwise):
    """max(x, slope·x).   s -> s"""

    slope: Real = 0.01

    synonyms = ("leakyrelu",)
    field_synonyms = {"negative_slope": "slope"}
    output = computed(inplace=True, overwritable=False)
    elementwise = per_element(2)


@op
class Sigmoid(Pointwise):
    """1 / (1 + exp(−x)).   s -> s"""

    output = computed(inplace=False, overwritable=False)
    elementwise = per_element(4)


@op
class Tanh(Pointwise):
    """tanh(x).   s -> s"""

    output = computed(inplace=False, overwritable=False)
    elementwise = per_element(1)


@op
class SiLU(Pointwise):
    """x / (1 + exp(−x)), also called swish.   s -> s   (Ramachandran et al. 2017, arXiv:1710.05941)"""

    synonyms = ("swish",)
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(4)


@op
class HardSigmoid(Pointwise):
    """min(max(x + 3, 0), 6) / 6.   s -> s   (Howard et al. 2019, arXiv:1905.02244)"""

    synonyms = ("hardsigmoid", "h_sigmoid", "hsigmoid")
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(4)


@op
class HardSwish(Pointwise):
    """x · min(max(x + 3, 0), 6) / 6.   s -> s   (Howard et al. 2019, arXiv:1905.02244)"""

    synonyms = ("hardswish", "h_swish", "hswish")
    output = computed(inplace=True, overwritable=True)
    elementwise = per_element(5)


@op
class GELU(Pointwise):
    """0.5·x · (1 + erf(x/√2)).   s -> s   (Hendrycks and Gimpel 2016, arXiv:1606.08415)"""

    output = computed(inplace=False, overwritable=True)
    elementwise = per_element(5)


@op
class Softmax(Pointwise):
    """exp(x − max x) / Σ exp(x − max x) along the last axis.   s -> s"""

    # compare for the maximum, subtract it, exp, add to the sum, divide
    output = computed(inplace=False, overwritable=False)
    elementwise = per_element(5)


@op
class Dropout(Pointwise):
    """Nothing at inference; zeroes a share `p` of the elements in training.   s -> s"""

    p: UnitInterval = 0.5

    field_synonyms = {"rate": "p"}
    output = VIEW
    elementwise = free("at inference dropout passes its input on")


@op
class Identity(Pointwise):
    """x.   s -> s"""

    output = VIEW
    elementwise = free("nothing happens")
