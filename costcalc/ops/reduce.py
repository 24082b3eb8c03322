"""One number from all elements of some axes."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, elements
from costcalc.ops.axis_roles import AxisRoles
from costcalc.ops.base import op
from costcalc.ops.fields import Axes, Flag, ReduceOperation
from costcalc.ops.gradients import INDEX_BYTES, NOTHING, Extra, Kept, Wanted
from costcalc.ops.needs import Fact, Need, axes_exist
from costcalc.ops.output import Output, OutputByFields, computed
from costcalc.ops.reads import Along, Reads
from costcalc.ops.rules import free, no_weights


def may_be_overwritten(self: Reduce) -> Output:
    """Not if its gradients are made from it."""
    return computed(inplace=False, overwritable=self.by_place or self.operation not in ("max", "min", "norm"))


@op
class Reduce:
    """The mean of some axes, or the sum, max, min, norm (√Σx²) or var.   (n, l, d) -> (n, d) for axes [1]

    With `keep` they stay, as axes of 1. Of one axis, max and min `by_place` keep the place of what they choose, as
    torch does where it returns that too.
    """

    axes: Axes
    operation: ReduceOperation = "mean"
    keep: Flag = False
    by_place: Flag = False

    layout = "plain"
    field_synonyms = {"dim": "axes", "keepdim": "keep", "keepdims": "keep"}

    def axis_roles(self, known: tuple[AxisRoles, ...], ins: tuple[Shape, ...], out: Shape) -> AxisRoles:
        """Those of the axes that stay."""
        gone = self.reduced(ins[0])
        roles = enumerate(known[0])
        return tuple([None if i in gone else role for i, role in roles if self.keep or i not in gone])

    def reduced(self, x: Shape) -> set[int]:
        """The axes that it reduces, counted from 0."""
        return {axis % len(x) for axis in self.axes}

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from axes_exist(self.axes, x)
        has_places = self.operation in ("max", "min") and len(self.axes) == 1
        yield Fact(has_places or not self.by_place, "by_place is of max and min over one axis")

    def shape(self, x: Shape) -> Shape:
        gone = self.reduced(x)
        return tuple([1 if i in gone else size for i, size in enumerate(x) if self.keep or i not in gone])

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        gone, stay = self.reduced(ins[0]), range(len(ins[0]))
        return tuple([None if axis in gone else Along(axis) for axis in stay if self.keep or axis not in gone])

    output = OutputByFields(computed(inplace=False, overwritable=False), may_be_overwritten)
    weights = no_weights
    macs = free("the one division of a mean is elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        read = elements(x)
        match self.operation:
            case "mean":
                return read  # additions, and a division for each output
            case "norm":
                return 2 * read  # squares, additions, and a root for each output
            case "var":
                return 4 * read  # the mean; differences, squares, additions, and a division for each output
        return read - elements(out)  # additions or comparisons

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        if not wanted.x:
            return 0
        match self.operation:
            case "sum":
                return 0
            case "mean":
                return elements(out)  # a division for each, handed to each element
            case "norm":
                return elements(x) + elements(out)  # x·(∂y/y)
            case "var":
                return 2 * elements(x) + elements(out)  # (x − μ)·(∂y·2/n)
        if self.by_place:
            return 0  # each moves to its place
        return 3 * elements(x) + elements(out)  # which are the largest, how many, and ∂y shared among them

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.x or self.operation in ("sum", "mean"):
            return NOTHING
        if self.by_place:
            return Kept(extra=(Extra(elements(out), INDEX_BYTES),))
        return Kept((0,), output=self.operation != "var")

    def backward_workspace(self, x: Shape, *, wanted: Wanted, each: int) -> Size:
        """torch makes the gradients of all but sums and means in several steps."""
        outputs = elements(self.shape(x))
        match self.operation:
            case "norm":
                return each * elements(x) + outputs  # x/y, and where y is 0: a byte each
            case "var":
                return each * (elements(x) + 2 * outputs)  # x − μ, μ, and 2/n·∂y
            case "max" | "min" if not self.by_place:
                # where x is y: a byte each; how many are, in int64, and ∂y shared among them
                return elements(x) + (INDEX_BYTES + each) * outputs
        return 0
