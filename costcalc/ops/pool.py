"""Pooling. A window is counted at its full k×k, padding included, as convolutions count theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, all_of, at_least, ceil_div, decided, elements, equal, gcd, minimum, prod
from costcalc.ops.base import op, op_base
from costcalc.ops.fields import ExplicitPadding, Flag, NonNegativeInt, Padding, PerAxis
from costcalc.ops.gradients import INDEX_BYTES, NOTHING, Extra, Kept, Wanted, keeps_nothing
from costcalc.ops.needs import AtLeast, Fact, Need
from costcalc.ops.output import computed
from costcalc.ops.precision import Widths, in_widest, inside_in_single, into_single
from costcalc.ops.reads import Along, Reads, reads_regions, reads_window
from costcalc.ops.rules import Tensor, free, no_weights
from costcalc.ops.synonyms import of_each_rank
from costcalc.ops.window import (
    WINDOW_SYNONYMS,
    fits,
    output_sizes,
    padded,
    per_axis,
    sliding,
    sliding_axes,
    window_elements,
    window_fits,
)


def pooled(self: Any, x: Shape) -> Shape:
    """(n, c, h, w) -> (n, c, h', w'), rounding up if `ceil_mode`.

    The last-window rule (torch.nn.MaxPool2d): a window may overhang the end but must start inside the input or its
    left padding, so h' = min(⌈(h + 2p − d(k−1) − 1)/s⌉ + 1, ⌈(h + p)/s⌉). Both have the divisor s: one ceil_div.
    """
    if not self.ceil_mode or self.padding.__class__ is str:
        return (*x[:2], *output_sizes(self, x))
    ends = [(size + p + minimum(0, p - d * (k - 1) - 1 + s), s) for size, k, s, p, d in sliding(self, x)]
    return (*x[:2], *(ceil_div(end, s) for end, s in ends))


def pool_fits(self: Any, x: Shape) -> Iterator[Need]:
    """The window fits, overhanging by less than a stride if `ceil_mode`; no window can hold only padding."""
    yield from sliding_axes(self, x, "kernel", "stride", "padding", "dilation")
    if self.padding.__class__ is not str:
        for size, k, s, p, d in sliding(self, x):
            yield fits(size, k, p, d, overhang=s - 1 if self.ceil_mode else 0)
            yield AtLeast(k, 2 * p, message="padding = {} is more than half of the window of {}", message_sizes=(p, k))


@op_base
class Pool:
    """One output per k×k window.   (n, c, h, w) -> (n, c, h', w')"""

    kernel: PerAxis
    stride: PerAxis
    padding: Padding = 0
    dilation: PerAxis = 1
    ceil_mode: Flag = False

    field_synonyms = {"pool_size": "kernel", **WINDOW_SYNONYMS}
    features_axis = 1

    needs = pool_fits
    shape = pooled
    reads = reads_window
    output = computed(inplace=False, overwritable=True)
    weights = no_weights


@op
class MaxPool(Pool):
    """The largest of each k×k window.   (n, c, h, w) -> (n, c, h', w')"""

    synonyms = ("maxpool", *of_each_rank("max_pool", "maxpool", "max_pooling", "maxpooling"))
    macs = free("comparisons are not multiplies")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * (window_elements(self, x) - 1)  # k·k − 1 comparisons per window

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        return elements(out) if wanted.x else 0  # each is added where the largest was

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any:
            return NOTHING
        places = Extra(elements(out), INDEX_BYTES)  # of the largest
        return (
            Kept(extra=(Extra(elements(padded(self, x))), places))
            if self.padding == "same"
            else Kept((0,), extra=(places,))
        )


def torch_lacks(self: Any, x: Shape) -> bool:
    """Is this no average pool of torch's: dilated, padded 'same', or in three axes larger than its input?"""
    if self.padding == "same":
        return True
    axes = sliding(self, x)
    plain = all_of(equal(d, 1) for *_, d in axes)
    roomy = all_of(at_least(size, k) for size, k, *_ in axes) if len(x) == 5 else True
    return not decided(all_of((plain, roomy)), "which kernel pools")


@op
class AveragePool(Pool):
    """The mean of each k×k window.   (n, c, h, w) -> (n, c, h', w')

    A sum is divided by k², or by `divisor`; without `count_include_pad` by the number of elements that are no padding.
    """

    count_include_pad: Flag = True
    divisor: NonNegativeInt = 0  # 0: that of the window

    field_synonyms = {"divisor_override": "divisor", **Pool.field_synonyms}

    def needs(self, x: Shape) -> Iterator[Need]:
        yield from pool_fits(self, x)
        if self.divisor.__class__ is not int or self.divisor:
            yield Fact(len(x) != 3, "divisor = {}: torch has none for one sliding axis", self.divisor)

    synonyms = ("avg_pool", "avgpool", *of_each_rank("avg_pool", "avgpool", "average_pooling", "averagepooling"))
    macs = free("the one division per window is elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        return elements(out) * window_elements(self, x)  # k·k − 1 additions and 1 division per window

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # divided once, then added to each element of the window
        return elements(out) * (1 + window_elements(self, x)) if wanted.x else 0

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        if not wanted.any:
            return NOTHING
        # torch's own keeps x; of costcalc's, dilated or 'same', the number of elements in each window stays, unless
        # that is given
        if not torch_lacks(self, x):
            return Kept((0,))
        return NOTHING if self.divisor else Kept(extra=(Extra(prod(out[2:])),))

    def autocast(self, x: int, *, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
        three_axes = len(ins[0]) == 5 and not torch_lacks(self, ins[0])
        return (inside_in_single if three_axes else in_widest)(self, x, ins=ins, wanted=wanted)


@op
class AdaptiveAveragePool:
    """The mean of h/size × w/size regions, whatever h and w are.   (n, c, h, w) -> (n, c, size, size)

    Region i of an axis runs from ⌊i·h/size⌋ to ⌈(i+1)·h/size⌉ (torch.nn.AdaptiveAvgPool2d): neighbours share
    an element where size does not divide h.
    """

    size: PerAxis

    synonyms = ("adaptive_avg_pool", *of_each_rank("adaptive_avg_pool", "adaptiveavgpool"))
    field_synonyms = {"output_size": "size"}
    features_axis = 1

    def needs(self, x: Shape) -> Iterator[Need]:
        return sliding_axes(self, x, "size")

    def shape(self, x: Shape) -> Shape:
        return (*x[:2], *per_axis(self.size, x))

    reads = reads_regions
    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("the one division per region is elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        # a region of m elements takes m − 1 additions and 1 division. The regions of an axis sum to h, and to one
        # more for every border between two that falls inside an element: size − gcd(h, size) of them
        return prod(x[:2]) * prod(h + size - gcd(h, size) for h, size in zip(x[2:], out[2:]))

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # a division for each region, then additions to its elements
        return elements(out) + self.elementwise(x, out=out) if wanted.x else 0

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        single = decided(all_of(equal(size, 1) for size in out[2:]), "whether one region is all")  # then it is a mean
        return Kept((0,)) if wanted.any and not single else NOTHING


@op
class GlobalAveragePool:
    """The mean of each channel.   (n, c, h, w) -> (n, c), or (n, c, 1, 1) with `keep`

    Lin et al. 2013, arXiv:1312.4400, section 3.2.
    """

    keep: Flag = False

    synonyms = ("gap", "global_avg_pool", *of_each_rank("global_average_pooling", "globalaveragepooling"))
    field_synonyms = {"keepdim": "keep", "keepdims": "keep"}
    features_axis = 1

    def needs(self, x: Shape) -> Iterator[Need]:
        return sliding_axes(self, x)

    def shape(self, x: Shape) -> Shape:
        return (*x[:2], *(1 for _ in x[2:])) if self.keep else x[:2]

    def reads(self, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
        return (Along(0), Along(1), *(None for _ in out[2:]))

    output = computed(inplace=False, overwritable=True)
    weights = no_weights
    macs = free("the one division per channel is elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        return elements(x)  # h·w − 1 additions and 1 division per channel

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        return elements(out) if wanted.x else 0  # a division per channel, handed to each element

    keeps = keeps_nothing


@op
class Subsample:
    """Trainable subsampling: w·(sum of a k×k window) + b, one w and one b per channel.   (n, c, h, w) -> (n, c, h', w')

    LeCun et al. 1998, section II.B: layers S2 and S4 of LeNet-5. The squashing function is a layer of its own.
    """

    kernel: PerAxis = 2
    stride: PerAxis = 2
    padding: ExplicitPadding = 0
    dilation: PerAxis = 1

    field_synonyms = WINDOW_SYNONYMS
    features_axis = 1

    needs = window_fits

    def shape(self, x: Shape) -> Shape:
        return (*x[:2], *output_sizes(self, x))

    reads = reads_window
    output = computed(inplace=False, overwritable=True)

    def weights(self, x: Shape) -> tuple[Tensor, ...]:
        return Tensor("weight", (x[1],)), Tensor("bias", (x[1],), "bias")

    macs = free("one trainable factor per pooled sum is pooling, not a convolution: it is in elementwise")

    def elementwise(self, x: Shape, *, out: Shape) -> Size:
        # per output: k·k − 1 additions, one multiplication, one bias addition
        return elements(out) * (window_elements(self, x) + 1)

    def train_elementwise(self, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        # per output: one product and one addition for w, one addition for b; for x one product and k·k additions
        own = 2 * ("weight" in wanted.tensors) + ("bias" in wanted.tensors)
        return elements(out) * (own + (window_elements(self, x) + 1 if wanted.x else 0))

    def keeps(self, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
        # for w the mean of each window; for x the elements of a window at each position, and w
        means = (Extra(elements(out)),) if "weight" in wanted.tensors else ()
        of_x = (Extra(prod(out[2:])), Extra(x[1], "weights")) if wanted.x else ()
        return Kept(extra=(*means, *of_x))

    autocast = into_single
