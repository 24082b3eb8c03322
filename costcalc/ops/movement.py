"""Ops that only move or rename elements. A `view` writes nothing: its output is its input under another shape."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, exact_div, prod
from costcalc.ops.axis_roles import AxisRoles, input_roles, keep_channels, reshape_roles
from costcalc.ops.base import op
from costcalc.ops.fields import (
    AxisOrder,
    Flag,
    PositiveInt,
    PositiveInts,
    SizesOrRest,
)
from costcalc.ops.gradients import Wanted, gradients_move, keeps_nothing
from costcalc.ops.needs import AtLeast, Divides, Equal, Fact, Need, axes
from costcalc.ops.output import VIEW, computed, copied
from costcalc.ops.reads import Along, Reads, reads_regrouped, reads_same_place
from costcalc.ops.rules import free, no_needs, no_weights


@op
class Input:
    """Where data enters, batch first.   -> size.   Without a size it is the input of a repeated body."""

    size: PositiveInts = ()

    is_input = True
    needs = no_needs

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """Guessed from its sizes."""
        return input_roles(out)

    def shape(self) -> Shape:
        return (*self.size,)

    output = VIEW
    weights = no_weights
    macs = free("data enters, nothing is computed")
    elementwise = free("data enters, nothing is computed")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Flatten:
    """All axes after the batch as one.   (n, …) -> (n, product)"""

    layout = "plain"
    joined_axes = slice(1, None)

    def needs(self, x: Shape) -> Iterator[Need]:
        return axes(x, 1, "(batch, …)")

    def shape(self, x: Shape) -> Shape:
        return (x[0], prod(x[1:]))

    reads = reads_regrouped
    output = VIEW
    weights = no_weights
    macs = free("a view")
    elementwise = free("a view")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class Reshape:
    """The same elements under another shape; the batch stays.   (n, …) -> (n, *size)

    With `whole` the size is that of all axes: (n, …) -> size. One of the sizes may be -1: what is left.
    """

    size: SizesOrRest
    whole: Flag = False

    layout = "plain"
    field_synonyms = {"target_shape": "size", "shape": "size"}

    @property
    def joined_axes(self) -> slice:
        """All, or all but the batch."""
        return slice(0 if self.whole else 1, None)

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """The roles of axes that stay, split or join."""
        if self.whole:
            return reshape_roles(known[0], ins[0], out)
        return (None, *reshape_roles(known[0][1:], ins[0][1:], out[1:]))

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes(x, 1, "(batch, …)")
        known = [size for size in self.size if not is_rest(size)]
        yield Fact(len(known) + 1 >= len(self.size), "size {} has more than one -1", self.size)
        for size in known:
            yield AtLeast(size, 1, message="a size of {} must be at least {}")
        before, after = prod(x if self.whole else x[1:]), prod(known)
        words = "{} elements cannot take the shape {}"
        if len(known) < len(self.size):
            yield Divides(after, before, message=words, message_sizes=(before, self.size))
        else:
            yield Equal(before, after, message=words, message_sizes=(before, self.size))

    def shape(self, x: Shape) -> Shape:
        kept, rest = ((), x) if self.whole else (x[:1], x[1:])
        if not any(map(is_rest, self.size)):
            return (*kept, *self.size)
        left = exact_div(prod(rest), prod(size for size in self.size if not is_rest(size)))
        return (*kept, *(left if is_rest(size) else size for size in self.size))

    reads = reads_regrouped
    output = VIEW
    weights = no_weights
    macs = free("a view")
    elementwise = free("a view")
    train_elementwise = gradients_move
    keeps = keeps_nothing


def is_rest(size: Size) -> bool:
    """Is this -1, the size that is left?"""
    return size.__class__ is int and size == -1


@op
class Transpose:
    """Axes in another order: axis i of the output is axis order[i] of the input.

    (n, c, l) -> (n, l, c) for [0, 2, 1]
    """

    order: AxisOrder

    layout = "plain"
    synonyms = ("permute",)
    field_synonyms = {"dims": "order"}

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """They move with their axes."""
        return tuple([known[0][i] for i in self.order])

    def needs(self, x: Shape) -> Iterator[Need]:
        each_once = sorted(self.order) == [*range(len(x))]
        yield Fact(each_once, "order {} does not name each of {} axes once", self.order, len(x))

    def shape(self, x: Shape) -> Shape:
        return tuple(x[i] for i in self.order)

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return tuple(map(Along, self.order))

    output = copied(overwritable=False)  # torch makes a view
    train_output = VIEW
    hands_on_gradient = True

    def memory_order(self, order: tuple[int, ...], *, ins: tuple[Shape, ...], wanted: Wanted) -> tuple[int, ...]:
        """Nothing moves: the axes lie as they did, under other numbers."""
        return tuple(self.order.index(axis) for axis in order)

    weights = no_weights
    macs = free("elements move")
    elementwise = free("elements move")
    train_elementwise = gradients_move
    keeps = keeps_nothing


@op
class ChannelPad:
    """Zero channels appended until there are `channels`.   (n, c, h, w) -> (n, channels, h, w)

    The parameter-free shortcut of He et al. 2015, arXiv:1512.03385, section 3.3, option A.
    """

    channels: PositiveInt

    features_axis = 1
    axis_roles = keep_channels

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes(x, 2, "(batch, channels, …)")
        yield AtLeast(self.channels, x[1], message="channels = {} is fewer than the {} of the input")

    def shape(self, x: Shape) -> Shape:
        return (x[0], self.channels, *x[2:])

    reads = reads_same_place
    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("zeros are written, nothing is computed")
    elementwise = free("zeros are written, nothing is computed")
    train_elementwise = gradients_move
    keeps = keeps_nothing
