"""Convolutions. Letters: n batch, c channels, h×w (or any number of sliding axes) positions, k kernel size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, at_least, divides, elements, exact_div, prod, windows
from costcalc.ops.base import Need, Tensor, free, op
from costcalc.ops.fields import ExplicitPadding, Flag, Padding, PerAxis, Table, Whole


def each(value: Any, rank: int) -> tuple[Any, ...]:
    """One value for every sliding axis."""
    return value if isinstance(value, tuple) else (value,) * rank


def slide(self: Any, x: Shape) -> Shape:
    """The positions of a window along each sliding axis: see `dims.windows`."""
    rank = len(x) - 2
    axes = zip(x[2:], each(self.kernel, rank), each(self.stride, rank), each(self.padding, rank),
               each(self.dilation, rank), strict=True)  # fmt: skip
    return tuple(windows(size, k, s, p, d) for size, k, s, p, d in axes)


def window_fits(self: Any, x: Shape) -> Iterator[Need]:
    """n, c and the sliding axes; per-axis fields have one entry for each; the window fits into every axis."""
    rank = len(x) - 2
    wanted = getattr(self, "rank", None)
    if wanted is None:
        yield rank >= 1, "needs an input of shape (batch, channels, sizes …), got one of {} axes", len(x)
    else:
        yield rank == wanted, "needs {} sliding axes after batch and channels, got {}", wanted, rank
    for name in ("kernel", "stride", "padding", "dilation"):
        value = getattr(self, name, 1)
        if isinstance(value, tuple):
            yield len(value) == rank, "{} has {} entries for {} sliding axes", name, len(value), rank
    if self.padding == "same":
        return
    padding = 0 if self.padding == "valid" else self.padding
    for size, k, p, d in zip(x[2:], each(self.kernel, rank), each(padding, rank), each(self.dilation, rank)):
        reach = d * (k - 1) + 1
        yield at_least(size + 2 * p, reach), "a window of {} does not fit into {} + 2·{} of padding", reach, size, p


def weight_and_bias(self: Any, *shape: Size) -> tuple[Tensor, ...]:
    """A weight of that shape, and one bias per output channel (the first axis) unless `bias` is false."""
    weight = Tensor("weight", shape)
    return (weight, Tensor("bias", shape[:1], "bias")) if self.bias else (weight,)


def bias_adds(self: Any, *ins: Shape, out: Shape) -> Size:
    """One addition per output element, if there is a bias."""
    return elements(out) if self.bias else 0


@op
class Conv:
    """Convolution along every axis after the second.   (n, c_in, h, w) -> (n, channels, h', w')"""

    channels: Whole
    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    groups: Whole = 1
    bias: Flag = True

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from window_fits(self, x)
        if self.groups != 1:
            yield divides(self.groups, x[1]), "groups = {} does not divide the {} input channels", self.groups, x[1]
            yield divides(self.groups, self.channels), "groups = {} does not divide channels = {}", self.groups, self.channels  # fmt: skip

    def shape(self, x: Shape) -> Shape:
        return (x[0], self.channels, *slide(self, x))

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        c_in = exact_div(x[1], self.groups)
        return weight_and_bias(self, self.channels, c_in, *each(self.kernel, len(x) - 2))

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each output element is one dot product over a k×k window of the c_in/groups channels its group sees
        return elements(out) * prod(each(self.kernel, len(x) - 2)) * exact_div(x[1], self.groups)

    elementwise = bias_adds


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
    multiplier: Whole = 1
    bias: Flag = True

    needs = window_fits

    def shape(self, x: Shape) -> Shape:
        return (x[0], x[1] * self.multiplier, *slide(self, x))

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return weight_and_bias(self, x[1] * self.multiplier, 1, *each(self.kernel, len(x) - 2))

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each output element is one dot product over a k×k window of a single channel
        return elements(out) * prod(each(self.kernel, len(x) - 2))

    elementwise = bias_adds


@op
class PartialConv:
    """Convolution whose output maps see only some input maps: `sees[i]` lists those of map i, from 0.

    (n, c_in, h, w) -> (n, len(sees), h', w').   LeCun et al. 1998, table I: layer C3 of LeNet-5.
    """

    sees: Table
    kernel: PerAxis
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    bias: Flag = True

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from window_fits(self, x)
        for i, row in enumerate(self.sees):
            yield len(set(row)) == len(row) > 0, "row {} of sees must list at least one input map, each once", i
            for j in row:
                yield at_least(x[1], j + 1), "row {} of sees names map {}, the input has {} maps", i, j, x[1]

    def shape(self, x: Shape) -> Shape:
        return (x[0], len(self.sees), *slide(self, x))

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        pairs = sum(map(len, self.sees))  # one k×k filter for each (output map, input map) that are connected
        weight = Tensor("weight", (pairs, *each(self.kernel, len(x) - 2)))
        return (weight, Tensor("bias", (len(self.sees),), "bias")) if self.bias else (weight,)

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # every connected pair of maps is a single-channel convolution over all positions
        return elements((out[0], sum(map(len, self.sees)), *out[2:])) * prod(each(self.kernel, len(x) - 2))

    elementwise = bias_adds


@op
class ConvTranspose:
    """The gradient of Conv as a layer: every input element stamps a k×k window.   (n, c_in, h, w) -> (n, channels, h', w')

    h' = (h − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1 (torch.nn.ConvTranspose2d).
    """

    channels: Whole
    kernel: PerAxis
    stride: PerAxis = 1
    padding: ExplicitPadding = 0
    output_padding: ExplicitPadding = 0
    dilation: PerAxis = 1
    groups: Whole = 1
    bias: Flag = True

    def needs(self, x: Shape) -> Iterator[Need]:
        rank = len(x) - 2
        yield rank >= 1, "needs an input of shape (batch, channels, sizes …), got one of {} axes", len(x)
        for name in ("kernel", "stride", "padding", "output_padding", "dilation"):
            value = getattr(self, name)
            if isinstance(value, tuple):
                yield len(value) == rank, "{} has {} entries for {} sliding axes", name, len(value), rank
        for s, d, extra in zip(*(each(v, rank) for v in (self.stride, self.dilation, self.output_padding))):
            fits = at_least(s, extra + 1) is not False or at_least(d, extra + 1) is not False
            yield fits, "output_padding = {} must be smaller than the stride {} or the dilation {}", extra, s, d
        yield divides(self.groups, x[1]), "groups = {} does not divide the {} input channels", self.groups, x[1]
        yield divides(self.groups, self.channels), "groups = {} does not divide channels = {}", self.groups, self.channels  # fmt: skip
        for size in self.shape(x)[2:]:
            yield at_least(size, 1), "padding = {} leaves {} positions of output", self.padding, size

    def shape(self, x: Shape) -> Shape:
        fields = (self.kernel, self.stride, self.padding, self.output_padding, self.dilation)
        axes = zip(x[2:], *(each(value, len(x) - 2) for value in fields), strict=True)
        sizes = (s * (size - 1) - 2 * p + d * (k - 1) + extra + 1 for size, k, s, p, extra, d in axes)
        return (x[0], self.channels, *sizes)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        per_group = exact_div(self.channels, self.groups)
        weight = Tensor("weight", (x[1], per_group, *each(self.kernel, len(x) - 2)))
        return (weight, Tensor("bias", (self.channels,), "bias")) if self.bias else (weight,)

    def macs(self, x: Shape, *, out: Shape) -> Size:
        # each input element multiplies a k×k window for each of the channels/groups maps its group writes
        return elements(x) * prod(each(self.kernel, len(x) - 2)) * exact_div(self.channels, self.groups)

    elementwise = bias_adds


@op
class Subsample:
    """Trainable subsampling: w·(sum of a k×k window) + b, one w and one b per channel.   (n, c, h, w) -> (n, c, h', w')

    LeCun et al. 1998, section II.B: layers S2 and S4 of LeNet-5. The squashing function is a layer of its own.
    """

    kernel: PerAxis = 2
    stride: PerAxis = 2
    padding: ExplicitPadding = 0
    dilation: PerAxis = 1

    needs = window_fits

    def shape(self, x: Shape) -> Shape:
        return (*x[:2], *slide(self, x))

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return Tensor("weight", (x[1],)), Tensor("bias", (x[1],), "bias")

    macs = free("one trainable factor per pooled sum is pooling, not a convolution: it is in elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        # per output: k·k − 1 additions, one multiplication, one bias addition
        return elements(out) * (prod(each(self.kernel, len(x) - 2)) + 1)
