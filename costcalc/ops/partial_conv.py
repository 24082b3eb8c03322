"""A convolution whose output maps see only some of the input maps."""

from __future__ import annotations

from collections.abc import Iterator

from costcalc.dims import Shape, Size, elements
from costcalc.ops.base import op
from costcalc.ops.conv import bias_adds, with_bias
from costcalc.ops.fields import Flag, IntRows, Padding, PerAxis
from costcalc.ops.gradients import INDEX_BYTES, Extra, Kept, Wanted, bias_sums
from costcalc.ops.needs import AtLeast, Fact, Need
from costcalc.ops.output import computed
from costcalc.ops.precision import HALF_BYTES, SINGLE_BYTES, Widths, in_half
from costcalc.ops.reads import reads_window
from costcalc.ops.rules import Tensor, of_weight_and_input
from costcalc.ops.window import (
    WINDOW_SYNONYMS,
    makes_padded_copy,
    output_sizes,
    padded,
    per_axis,
    positions_on_input,
    window_elements,
    window_fits,
)


@op
class PartialConv:
    """Convolution whose output maps see only some input maps: `sees[i]` lists those of map i, from 0.

    (n, c_in, h, w) -> (n, len(sees), h', w').   LeCun et al. 1998, table I: layer C3 of LeNet-5.
    """

    sees: IntRows
    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    bias: Flag = True

    field_synonyms = WINDOW_SYNONYMS
    derived_fields = ("in_channels",)
    features_axis = 1

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from window_fits(self, x)
        yield Fact(len(self.sees) > 0, "sees has no rows: give one for each output map")
        for i, row in enumerate(self.sees):
            yield Fact(len(set(row)) == len(row) > 0, "row {} of sees must list at least one input map, each once", i)
        last = max(map(max, self.sees))
        words = "sees names map {}, the input has the {} maps 0 to {}"
        yield AtLeast(x[1], last + 1, message=words, message_sizes=(last, x[1], x[1] - 1))

    def shape(self, x: Shape) -> Shape:
        return (x[0], len(self.sees), *output_sizes(self, x))

    reads = reads_window
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        pairs = sum(map(len, self.sees))  # one k×k filter for each (output map, input map) that are connected
        return with_bias(self, (pairs, *per_axis(self.kernel, x)), len(self.sees))

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # every connected pair of maps is a single-channel convolution over all positions
        return elements((out[0], sum(map(len, self.sees)), *out[2:])) * window_elements(self, x)

    def macs_on_input(self, x: Shape, *, out: Shape) -> Size:
        return out[0] * sum(map(len, self.sees)) * positions_on_input(self, x)

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        pairs = sum(map(len, self.sees))
        # one copy of a map for each pair, for the weight's and the input's gradient; which map each is, for the input's
        seen = padded(self, x) if makes_padded_copy(self, x) else x
        maps = Extra(elements((x[0], pairs, *seen[2:]))) if wanted.x or "weight" in wanted.tensors else None
        indices = Extra(pairs, INDEX_BYTES) if wanted.x else None
        return Kept(extra=tuple(extra for extra in (maps, indices) if extra), weights=("weight",) if maps else ())

    def autocast(self, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
        # the convolution in half precision, its float32 bias added after it
        return in_half(self, *widths, ins=ins, wanted=wanted)._replace(output=SINGLE_BYTES if self.bias else HALF_BYTES)

    def gradient_shape(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Shape | None:
        """That of one map for each pair."""
        (x,) = ins
        return (x[0], sum(map(len, self.sees)), *(padded(self, x) if makes_padded_copy(self, x) else x)[2:])

    def backward_workspace(self, x: Shape, *, wanted: Wanted, each: int) -> Size:
        # ∂y, in its place one for each pair
        pairs = sum(map(len, self.sees)) - len(self.sees)
        return each * elements((x[0], pairs, *output_sizes(self, x)))
