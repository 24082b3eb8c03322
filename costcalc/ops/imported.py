"""Ops that say their output's size and what they cost, and not what they compute: for operations of an imported module
that no other op stands for. Sizes have the batch inside.

`kept` are the numbers of the inputs that one keeps for its gradients, and with `keeps_output` it keeps its output. Of
one that is `detached` no gradient flows back, as of whole numbers: a comparison, indices, torch's detach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, all_of, at_least, elements, equal
from costcalc.ops.base import op, op_base
from costcalc.ops.broadcast import broadcast_fits, joined_shape, stretches_to
from costcalc.ops.fields import AxisOrder, ElementOrder, Flag, NonNegativeInt, NonNegativeInts, PositiveInt, TensorRole
from costcalc.ops.gradients import NOTHING, Kept, Wanted, gradients_move, keeps_nothing
from costcalc.ops.needs import Fact, Need
from costcalc.ops.output import VIEW, Output, OutputByFields, computed, copied
from costcalc.ops.precision import in_half
from costcalc.ops.reads import REGROUPED, UNKNOWN, Along, Reads, reads_same_place, reads_unknown
from costcalc.ops.rules import Tensor, free, no_needs, no_weights, order_of_input

NO_PRODUCTS = "no sum of products"


def shape_of_size(self: Any, *ins: Shape) -> Shape:
    """The size that is given."""
    return (*self.size,)


def keeps_as_said(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
    """The inputs `kept`, and the output with `keeps_output`."""
    return Kept(inputs=self.kept, output=self.keeps_output) if wanted.any else NOTHING


def kept_are_inputs(self: Any, *ins: Shape) -> Iterator[Need]:
    """`kept` numbers inputs, from 0."""
    yield Fact(all(i < len(ins) for i in self.kept), "kept = {} of {} inputs; they count from 0", self.kept, len(ins))


def not_if_kept(self: Any) -> Output:
    """An output that is kept may not be written over."""
    return computed(inplace=False, overwritable=not self.keeps_output)


def per_input_element(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
    """`gradient_operations` for each element of every gradient."""
    return self.gradient_operations * sum(elements(x) for x, own in zip(ins, wanted.inputs) if own)


@op_base
class Generic:
    """What most of them share."""

    joins = False
    weights = no_weights


@op
class Elementwise(Generic):
    """A function of the elements of its inputs, which stretch as in add.   s, … -> s

    `operations` for each element of the output, and `gradient_operations` for each of a gradient.
    """

    operations: NonNegativeInt = 1
    gradient_operations: NonNegativeInt = 1
    kept: AxisOrder = ()
    keeps_output: Flag = False
    detached: Flag = False

    def needs(self, *ins: Shape) -> Iterator[Need]:
        yield from broadcast_fits(ins)
        yield from kept_are_inputs(self, *ins)

    shape = joined_shape
    memory_order = order_of_input
    reads = reads_same_place
    output = OutputByFields(computed(inplace=False, overwritable=False), not_if_kept)
    macs = free(NO_PRODUCTS)

    def elementwise(self, *ins: Shape, out: Shape) -> Size:
        return self.operations * elements(out)

    def train_elementwise(self, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
        # made in the output's shape, then summed where an input stretched
        made = self.gradient_operations * elements(out)
        return sum(made + elements(out) - elements(x) for x, own in zip(ins, wanted.inputs) if own)

    keeps = keeps_as_said


@op
class View(Generic):
    """Some or all elements of its input under another shape, in its memory.   s -> size

    If it takes a part of one axis, it takes every `step`-th element from `start` on; a step of 0 is not known.
    """

    size: NonNegativeInts
    detached: Flag = False
    start: NonNegativeInt = 0
    step: NonNegativeInt = 0

    layout = "plain"
    needs = no_needs

    def shape(self, x: Shape) -> Shape:
        return (*self.size,)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        x = ins[i]
        if equal(elements(x), elements(out)) is True:
            return REGROUPED
        if len(x) == len(out) and all_of(map(at_least, x, out)) is True:
            taken = [axis for axis, (old, new) in enumerate(zip(x, out)) if equal(old, new) is not True]
            is_known = len(taken) == 1 and self.step
            part = {"stride": self.step, "start": self.start} if is_known else {"window": None}
            return tuple([Along(axis, **part) if axis in taken else Along(axis) for axis in range(len(out))])
        left_out = [axis for axis in range(len(x)) if (*x[:axis], *x[axis + 1 :]) == (*out,)]
        return tuple([Along(axis) for axis in range(len(x)) if axis not in left_out]) if len(left_out) == 1 else UNKNOWN

    output = VIEW
    hands_on_gradient = False
    macs = free(NO_PRODUCTS)
    elementwise = free("a view")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Move(Generic):
    """Elements of its inputs, copied to other places.   s, … -> size

    If one is copied to several places, `gradient_operations` are the additions for each element of the output.
    `order` says where elements go: "same" is the same order under another shape, "place" the same position along
    each axis, as in padding.
    """

    size: NonNegativeInts
    gradient_operations: NonNegativeInt = 0
    kept: AxisOrder = ()
    detached: Flag = False
    order: ElementOrder = "unknown"

    layout = "plain"
    needs = kept_are_inputs
    shape = shape_of_size

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        x = ins[i]
        if self.order == "unknown" or (self.order == "place" and len(x) != len(out)):
            return UNKNOWN
        if self.order == "same":
            return REGROUPED
        return tuple([Along(axis, window=1 if old == new else None) for axis, (old, new) in enumerate(zip(x, out))])

    output = copied(overwritable=True)
    macs = free(NO_PRODUCTS)
    elementwise = free("elements move")

    def train_elementwise(self, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
        return self.gradient_operations * elements(out) if any(wanted.inputs) else 0

    def keeps(self, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
        return Kept(inputs=self.kept) if wanted.any else NOTHING


@op
class Reduction(Generic):
    """One number from many elements, or several: a sum, a norm, the largest few.   s, … -> size

    `operations` for each element of the first input, and `gradient_operations` for each of a gradient. Further inputs
    say where, or what is there before.
    """

    size: NonNegativeInts
    operations: NonNegativeInt = 1
    gradient_operations: NonNegativeInt = 1
    kept: AxisOrder = ()
    keeps_output: Flag = False
    detached: Flag = False

    layout = "plain"
    needs = kept_are_inputs

    shape = shape_of_size

    reads = reads_unknown
    output = OutputByFields(computed(inplace=False, overwritable=False), not_if_kept)
    macs = free(NO_PRODUCTS)

    def elementwise(self, *ins: Shape, out: Shape) -> Size:
        return self.operations * elements(ins[0])

    train_elementwise = per_input_element
    keeps = keeps_as_said


@op
class Contraction(Generic):
    """Sums of so many `products` of two tensors for each element of the output.   s, t, … -> size

    A convolution or linear layer whose weight is computed, an einsum. Further inputs are added to it. With `spreads`
    there are so many products for each element of the first input, as in a transposed convolution.
    """

    size: NonNegativeInts
    products: PositiveInt
    spreads: Flag = False

    layout = "plain"

    def needs(self, *ins: Shape) -> Iterator[Need]:
        yield Fact(len(ins) >= 2, "multiplies two inputs, got {}", len(ins))
        for x in ins[2:]:
            yield from stretches_to(x, self.size)

    shape = shape_of_size
    reads = reads_unknown
    output = computed(inplace=False, overwritable=True)

    def macs(self, *ins: Shape, out: Shape) -> Size:
        return elements(ins[0] if self.spreads else out) * self.products

    def backward_macs(self, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
        return self.macs(*ins, out=out) * sum(wanted.inputs[:2])  # each product returns once for each factor

    def elementwise(self, *ins: Shape, out: Shape) -> Size:
        return elements(out) * (len(ins) - 2)

    def train_elementwise(self, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
        return sum(elements(out) - elements(x) for x, own in zip(ins[2:], wanted.inputs[2:]) if own)

    def keeps(self, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
        return Kept(inputs=tuple([i for i in (0, 1) if wanted.inputs[1 - i]]))  # each for the other's gradient

    autocast = in_half


@op
class Constant(Generic):
    """A tensor that is written anew in every pass and depends on no input, as a mask.   -> size"""

    size: NonNegativeInts

    layout = "plain"
    needs = no_needs

    def shape(self) -> Shape:
        return (*self.size,)

    output = computed(inplace=False, overwritable=False)
    macs = free(NO_PRODUCTS)
    elementwise = free("its values are known before")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Parameter(Generic):
    """A tensor of the network as an operand, such as a position embedding.   -> size

    Learned, or with role buffer stored.
    """

    size: NonNegativeInts
    role: TensorRole = "weight"

    layout = "plain"
    lies_in_weights = True
    needs = no_needs

    def shape(self) -> Shape:
        return (*self.size,)

    output = VIEW

    def weights(self, *ins: Shape) -> tuple[Tensor, ...]:
        return (Tensor("weight", (*self.size,), self.role),)

    macs = free(NO_PRODUCTS)
    elementwise = free("its reader computes with it")
    train_elementwise = gradients_move
    keeps = keeps_nothing
