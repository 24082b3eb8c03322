"""Convolutions. n: batch, c: channels, h×w: positions (or any number of sliding axes), k: kernel size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, elements, exact_div, maximum
from costcalc.ops.base import op
from costcalc.ops.fields import ExplicitPadding, Flag, Padding, PerAxis, PositiveInt
from costcalc.ops.gradients import NOTHING, Extra, Kept, Wanted, bias_sums
from costcalc.ops.needs import AtLeast, Divides, Need
from costcalc.ops.output import computed
from costcalc.ops.precision import in_half
from costcalc.ops.reads import reads_stamps, reads_window
from costcalc.ops.rules import Tensor, of_weight_and_input
from costcalc.ops.window import (
    WINDOW_SYNONYMS,
    makes_padded_copy,
    output_sizes,
    padded,
    per_axis,
    positions_on_input,
    sliding,
    sliding_axes,
    window_elements,
    window_fits,
)

CHANNELS_SYNONYMS = {"out_channels": "channels", "filters": "channels", "use_bias": "bias"}


def groups_fit(self: Any, x: Shape) -> Iterator[Need]:
    """Every group has as many input and as many output channels."""
    g, c = self.groups, self.channels
    yield Divides(g, x[1], message="groups = {} does not divide the {} input channels")
    yield Divides(g, c, message="groups = {} does not divide channels = {}")


def with_bias(self: Any, weight: Shape, channels: Size) -> tuple[Tensor, ...]:
    """A weight of that shape, and one bias per output channel unless `bias` is false."""
    tensors = Tensor("weight", weight), Tensor("bias", (channels,), "bias")
    return tensors if self.bias else tensors[:1]


def weight_and_bias(self: Any, *shape: Size) -> tuple[Tensor, ...]:
    """A weight of that shape, the output channels first, and one bias per output channel unless `bias` is false."""
    return with_bias(self, shape, shape[0])


def keeps_padded_input(self: Any, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
    """x, whichever gradient is wanted: that of a bias alone, too. In its place the copy that is padded where torch has
    no argument for 'same'."""
    if not wanted.any:
        return NOTHING
    copy = (Extra(elements(padded(self, x))),) if makes_padded_copy(self, x) else ()
    return Kept(inputs=() if copy else (0,), extra=copy, weights=("weight",))


def shape_of_padded_copy(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Shape | None:
    """The gradient of a padded copy is made first, and that of x cut out of it."""
    return padded(self, ins[i]) if makes_padded_copy(self, ins[i]) else None


def bias_adds(self: Any, *ins: Shape, out: Shape) -> Size:
    """One addition per output element, if there is a bias."""
    return elements(out) if self.bias else 0


@op
class Conv:
    """Convolution along every axis after the second.   (n, c_in, h, w) -> (n, channels, h', w')"""

    channels: PositiveInt
    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    groups: PositiveInt = 1
    bias: Flag = True

    field_synonyms = CHANNELS_SYNONYMS | WINDOW_SYNONYMS
    derived_fields = ("in_channels",)
    features_axis = 1

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from window_fits(self, x)
        yield from groups_fit(self, x)

    def shape(self, x: Shape) -> Shape:
        return (x[0], self.channels, *output_sizes(self, x))

    reads = reads_window
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        c_in = exact_div(x[1], self.groups)
        return weight_and_bias(self, self.channels, c_in, *per_axis(self.kernel, x))

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each output element is one dot product over a k×k window of the c_in/groups channels its group sees
        return elements(out) * window_elements(self, x) * exact_div(x[1], self.groups)

    def macs_on_input(self, x: Shape, *, out: Shape) -> Size:
        return elements(out[:2]) * positions_on_input(self, x) * exact_div(x[1], self.groups)

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums
    keeps = keeps_padded_input
    autocast = in_half
    gradient_shape = shape_of_padded_copy


@op
class Conv1d(Conv):
    """Conv with one sliding axis.   (n, c_in, l) -> (n, channels, l')"""

    rank = 1


@op
class Conv2d(Conv):
    """Conv with two sliding axes.   (n, c_in, h, w) -> (n, channels, h', w')"""

    rank = 2


@op
class Conv3d(Conv):
    """Conv with three sliding axes.   (n, c_in, t, h, w) -> (n, channels, t', h', w')"""

    rank = 3


@op
class Depthwise:
    """`multiplier` filters for each channel, none across channels.   (n, c, h, w) -> (n, c·multiplier, h', w')

    Howard et al. 2017, arXiv:1704.04861, section 3.1.
    """

    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    multiplier: PositiveInt = 1
    bias: Flag = True

    synonyms = ("depthwise_conv",)
    field_synonyms = {"depth_multiplier": "multiplier", "use_bias": "bias", **WINDOW_SYNONYMS}
    derived_fields = ("in_channels",)
    features_axis = 1

    needs = window_fits

    def shape(self, x: Shape) -> Shape:
        return (x[0], x[1] * self.multiplier, *output_sizes(self, x))

    reads = reads_window
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return weight_and_bias(self, x[1] * self.multiplier, 1, *per_axis(self.kernel, x))

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each output element is one dot product over a k×k window of a single channel
        return elements(out) * window_elements(self, x)

    def macs_on_input(self, x: Shape, *, out: Shape) -> Size:
        return elements(out[:2]) * positions_on_input(self, x)

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums
    keeps = keeps_padded_input
    autocast = in_half
    gradient_shape = shape_of_padded_copy


@op
class ConvTranspose:
    """The gradient of Conv as a layer: every input element stamps a k×k window.

    (n, c_in, h, w) -> (n, channels, h', w')
    h' = (h − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1 (torch.nn.ConvTranspose2d).
    """

    channels: PositiveInt
    kernel: PerAxis
    stride: PerAxis = 1
    padding: ExplicitPadding = 0
    output_padding: ExplicitPadding = 0
    dilation: PerAxis = 1
    groups: PositiveInt = 1
    bias: Flag = True

    synonyms = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
                "convtranspose1d", "convtranspose2d", "convtranspose3d", "deconv")  # fmt: skip
    field_synonyms = CHANNELS_SYNONYMS | WINDOW_SYNONYMS
    derived_fields = ("in_channels",)
    features_axis = 1

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from sliding_axes(self, x, "kernel", "stride", "padding", "output_padding", "dilation")
        yield from groups_fit(self, x)
        for (_, _, s, p, d), extra, size in zip(sliding(self, x), self.extra(x), self.shape(x)[2:]):
            words = "output_padding = {} must be smaller than the stride {} or the dilation {}"
            yield AtLeast(maximum(s, d), extra + 1, message=words, message_sizes=(extra, s, d))
            yield AtLeast(size, 1, message="padding = {} leaves {} positions of output", message_sizes=(p, size))

    def shape(self, x: Shape) -> Shape:
        axes = zip(sliding(self, x), self.extra(x))
        sizes = (s * (size - 1) - 2 * p + d * (k - 1) + extra + 1 for (size, k, s, p, d), extra in axes)
        return (x[0], self.channels, *sizes)

    def extra(self, x: Shape) -> tuple[Size, ...]:
        """`output_padding` of each axis: positions at the end that a stride of Conv would have skipped."""
        return per_axis(self.output_padding, x)

    reads = reads_stamps
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        per_group = exact_div(self.channels, self.groups)
        return with_bias(self, (x[1], per_group, *per_axis(self.kernel, x)), self.channels)

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each input element multiplies a k×k window for each of the channels/groups maps its group writes
        return elements(x) * window_elements(self, x) * exact_div(self.channels, self.groups)

    backward_macs = of_weight_and_input
    elementwise = bias_adds
    train_elementwise = bias_sums
    keeps = keeps_padded_input
    autocast = in_half
