"""Ops that take a part of a tensor, put zeros around it, or turn it around."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size
from costcalc.ops.axis_roles import merge_roles
from costcalc.ops.base import op
from costcalc.ops.fields import Axes, Axis, Integers, NonNegativeInt, NonNegativeInts, PositiveInt
from costcalc.ops.gradients import gradients_move, keeps_nothing
from costcalc.ops.needs import Fact, Fits, Need, axes_exist, axis_exists
from costcalc.ops.output import VIEW, computed, copied
from costcalc.ops.reads import Along, Reads, reads_same_place
from costcalc.ops.rules import free, no_weights, order_of_input, same_shape_as_input


def one_each(values: tuple[Size, ...], axes: tuple[int, ...]) -> tuple[Size, ...]:
    """A value for each axis; one value stands for all."""
    return values * len(axes) if len(values) == 1 else values


@op
class Slice:
    """Elements start, start + step, … of one axis, `size` of them.   (n, l, d) -> (n, size, d) for axis 1"""

    axis: Axis
    size: PositiveInt
    start: NonNegativeInt = 0
    step: PositiveInt = 1

    field_synonyms = {"dim": "axis"}
    axis_roles = merge_roles

    def needs(self, x: Shape) -> Iterator[Need]:
        yield axis_exists(self.axis, x)
        end = self.start + self.step * (self.size - 1) + 1
        yield Fits(end, x[self.axis], message="a slice up to {} does not fit into {}")

    def shape(self, x: Shape) -> Shape:
        axis = self.axis % len(x)
        return (*x[:axis], self.size, *x[axis + 1 :])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        sliced = self.axis % len(out)
        part = Along(sliced, stride=self.step, start=self.start)
        return tuple([part if axis == sliced else Along(axis) for axis in range(len(out))])

    output = VIEW
    hands_on_gradient = False  # it is put among zeros
    memory_order = order_of_input

    def memory_breaks(self, breaks: frozenset[int], *, ins: tuple[Shape, ...]) -> frozenset[int]:
        """Elements are left out between one element of the axis before it in memory and the next."""
        return breaks | {self.axis % len(ins[0])}

    weights = no_weights
    macs = free("a view")
    elementwise = free("a view")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Pad:
    """Zeros before and after the elements of some axes.   (n, l, d) -> (n, before + l + after, d) for axes [1]

    Elements may stand in place of zeros, as in padding by reflection. One number stands for all axes.
    """

    axes: Axes
    before: NonNegativeInts = (0,)
    after: NonNegativeInts = (0,)

    axis_roles = merge_roles

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes_exist(self.axes, x)
        for name in ("before", "after"):
            count = len(getattr(self, name))
            yield Fact(count in (1, len(self.axes)), "{} has {} entries for {} axes", name, count, len(self.axes))

    def shape(self, x: Shape) -> Shape:
        out = [*x]
        for axis, low, high in zip(self.axes, one_each(self.before, self.axes), one_each(self.after, self.axes)):
            out[axis] = low + x[axis] + high
        return tuple(out)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        rank, before = len(out), one_each(self.before, self.axes)
        zeros = {axis % rank: count for axis, count in zip(self.axes, before)}
        return tuple([Along(axis, start=-zeros.get(axis, 0)) for axis in range(rank)])

    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("elements move")
    elementwise = free("elements move")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Roll:
    """Elements moved along some axes by `shifts`, those that leave at one end entering at the other.   s -> s

    Liu et al. 2021, arXiv:2103.14030, section 3.2.
    """

    axes: Axes
    shifts: Integers

    field_synonyms = {"dims": "axes"}
    axis_roles = merge_roles

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes_exist(self.axes, x)
        count = len(self.shifts)
        yield Fact(count in (1, len(self.axes)), "shifts has {} entries for {} axes", count, len(self.axes))

    shape = same_shape_as_input
    reads = reads_same_place
    output = copied(overwritable=True)
    hands_on_gradient = False
    weights = no_weights
    macs = free("elements move")
    elementwise = free("elements move")
    train_elementwise = gradients_move
    keeps = keeps_nothing
