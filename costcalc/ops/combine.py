"""Ops that join several tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, decided, elements, equal, same_shape
from costcalc.ops.axis_roles import AxisRoles, merge_roles
from costcalc.ops.base import op
from costcalc.ops.broadcast import broadcast, broadcast_fits, joined_shape, to_rank
from costcalc.ops.fields import Axis
from costcalc.ops.gradients import Extra, Kept, Wanted, gradients_move, keeps_nothing
from costcalc.ops.needs import Equal, Fact, Need, SameShape, axis_exists
from costcalc.ops.output import computed, copied
from costcalc.ops.precision import in_half
from costcalc.ops.reads import Along, Reads, reads_same_place
from costcalc.ops.rules import free, no_weights, order_of_input

WHAT_STRETCHES = "which axes of a matrix product stretch"


def can_join(self: Any, *ins: Shape) -> Iterator[Need]:
    """At least two inputs; from the last, each axis equal or 1."""
    yield Fact(len(ins) >= 2, "joins two or more inputs, got {}", len(ins))
    yield from broadcast_fits(ins)


def join_operations(self: Any, *ins: Shape, out: Shape) -> Size:
    """One operation per output element for every input after the first."""
    return elements(out) * (len(ins) - 1)


def sums_where_stretched(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
    """The gradient of an input that was stretched is a sum over the axes of 1."""
    return sum(elements(out) - elements(x) for x, own in zip(ins, wanted.inputs) if own)


@op
class Add:
    """x + y + …, element by element: the join of a residual connection.   s, s, … -> s

    Axes stretch as in numpy: (c) and (1, c) over (n, c).
    """

    axis_roles = merge_roles
    needs = can_join
    shape = joined_shape
    reads = reads_same_place
    output = computed(inplace=True, overwritable=True)
    weights = no_weights
    hands_on_gradient = True
    macs = free("additions are not multiplies")
    elementwise = join_operations
    memory_order = order_of_input
    train_elementwise = sums_where_stretched
    keeps = keeps_nothing


@op
class Mul:
    """x · y, element by element, as a gate: (n, c, 1, 1) stretches over (n, c, h, w).   s, s, … -> s"""

    synonyms = ("multiply",)
    axis_roles = merge_roles
    needs = can_join
    shape = joined_shape
    reads = reads_same_place
    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("an elementwise product has no sum: it is in elementwise")
    elementwise = join_operations
    memory_order = order_of_input

    def gradient_shape(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Shape | None:
        """That of the output, to be summed over the axes that were stretched."""
        return None if decided(same_shape(ins[i], out), "what a product stretches") else out

    def train_elementwise(self, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
        # products in turn: each has a gradient for the factor so far and one for the next input
        products = sum(any(wanted.inputs[: i + 1]) + wanted.inputs[i + 1] for i in range(len(ins) - 1))
        return elements(out) * products + sums_where_stretched(self, *ins, out=out, wanted=wanted)

    def keeps(self, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
        inputs, extra, so_far = [], [], ins[0]
        for i in range(1, len(ins)):
            if any(wanted.inputs[:i]):
                inputs.append(i)
            if wanted.inputs[i] and i == 1:
                inputs.append(0)
            elif wanted.inputs[i]:
                extra.append(Extra(elements(so_far)))
            so_far = broadcast(so_far, ins[i])
        return Kept(tuple(inputs), extra=tuple(extra))


@op
class Concat:
    """The inputs side by side along one axis, the channels by default.   (n, a, h), (n, b, h) -> (n, a + b, h)"""

    axis: Axis = 1

    field_synonyms = {"dim": "axis"}
    axis_roles = merge_roles

    def needs(self, *ins: Shape) -> Iterator[Need]:
        yield Fact(len(ins) >= 1, "joins one or more inputs, got none")
        first = ins[0]
        yield axis_exists(self.axis, first)
        for x in ins[1:]:
            yield Fact(len(x) == len(first), "inputs {} and {} have different numbers of axes", first, x)
            axis = self.axis % len(first)
            rest, others = (tuple(n for i, n in enumerate(s) if i != axis) for s in (first, x))
            words = "inputs {} and {} differ in more than axis {}"
            yield SameShape(rest, others, message=words, message_sizes=(first, x, self.axis))

    def shape(self, *ins: Shape) -> Shape:
        first = ins[0]
        axis = self.axis % len(first)
        total = sum((x[axis] for x in ins[1:]), first[axis])
        return (*first[:axis], total, *first[axis + 1 :])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        joined = self.axis % len(out)
        return tuple([Along(axis, even=axis != joined) for axis in range(len(out))])

    output = copied(overwritable=True)
    weights = no_weights
    hands_on_gradient = True
    macs = free("copies")
    elementwise = free("copies")
    train_elementwise = gradients_move
    keeps = keeps_nothing


def makes_stretched_copy(x: Shape, out: Shape) -> bool:
    """Does torch copy an input of a matrix product? It joins the first axes to one, which a view cannot where some of
    them are stretched and some are not."""
    axes = [*zip(to_rank(x[:-2], len(out) - 2), out[:-2])]
    if all(equal(a, b) is True for a, b in axes):
        return False
    wide = [(a, b) for a, b in axes if not decided(equal(b, 1), WHAT_STRETCHES)]
    return len({decided(equal(a, b), WHAT_STRETCHES) for a, b in wide}) > 1


@op
class MatMul:
    """Matrix product over the last two axes; those before stretch.   (…, m, k), (…, k, n) -> (…, m, n)"""

    layout = "plain"
    synonyms = ("matmul", "bmm")

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """Those of rows of the first, columns of the second."""
        a, b = known
        return (*merge_roles(self, (a[:-2], b[:-2]), ins, out[:-2]), a[-2], b[-1])

    def needs(self, a: Shape, b: Shape) -> Iterator[Need]:
        words = "inputs of {} and {} axes: give each 2 or more"
        yield Fact(len(a) >= 2 <= len(b), words, len(a), len(b))
        yield Equal(a[-1], b[-2], message="inner sizes {} and {} differ")
        yield from broadcast_fits((a[:-2], b[:-2]))

    def shape(self, a: Shape, b: Shape) -> Shape:
        return (*broadcast(a[:-2], b[:-2]), a[-2], b[-1])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        rank, gone = len(ins[i]), len(out) - len(ins[i])
        stretched = [Along(axis - gone) if axis >= gone else None for axis in range(len(out) - 2)]
        return (*stretched, Along(rank - 2), None) if i == 0 else (*stretched, None, Along(rank - 1))

    output = computed(inplace=False, overwritable=True)
    weights = no_weights

    def macs(self, a: Shape, b: Shape, *, out: Shape) -> Size:
        return elements(out) * a[-1]  # one dot product of length k per output element

    def backward_macs(self, a: Shape, b: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # ∂a = ∂out·bᵀ and ∂b = aᵀ·∂out
        return self.macs(a, b, out=out) * sum(wanted.inputs)

    elementwise = free("every multiplication and addition belongs to a multiply–accumulate")
    train_elementwise = gradients_move

    def keeps(self, a: Shape, b: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        kept = [i for i in (0, 1) if wanted.inputs[1 - i]]  # each for the other's gradient
        inputs = tuple(i for i in kept if not makes_stretched_copy((a, b)[i], out))
        copies = (out[:-2] + (a, b)[i][-2:] for i in kept if i not in inputs)
        return Kept(inputs, extra=tuple(Extra(elements(copy)) for copy in copies))

    autocast = in_half
