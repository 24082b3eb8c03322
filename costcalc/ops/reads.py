"""Which elements of its inputs one element of an output depends on: `reads(i, ins, out)` of an op, for its input i.

No count asks this. `analysis/receptive_field.py` follows it from the input of a network on. The answer is `REGROUPED`
(the same elements in the same order, under another shape), `UNKNOWN`, or a tuple with an entry for each axis of the
output: the axis of the input `Along` which its elements lie, or None for a new axis. Axes of the input that have no
entry are read whole. An op that does not answer is unknown.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from costcalc.dims import Shape, Size, ceil_div, gcd
from costcalc.ops.window import padding_before, sliding


class Along(NamedTuple):
    """Element i of an axis of the output reads `window` elements of an axis of the input, from i·stride + start on.

    Where their place depends on i, as behind an upsampling, they begin up to `later` elements behind that. They do not
    lie evenly if `even` is false, as where two tensors are joined. Without a `window` their place is not known.
    """

    axis: int
    window: Size | None = 1
    stride: Size | Fraction = 1
    even: bool = True
    start: Size | Fraction = 0
    later: Size | Fraction = 0


REGROUPED, UNKNOWN = "regrouped", "unknown"
Reads: TypeAlias = "tuple[Along | None, ...] | str"


def reads_unknown(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """The op does not say where elements go."""
    return UNKNOWN


def reads_regrouped(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """The same elements in the same order."""
    return REGROUPED


def reads_same_place(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """The element at the same place; axes are counted from the last, as numpy stretches them."""
    missing = len(out) - len(ins[i])
    return tuple([Along(axis - missing) if axis >= missing else None for axis in range(len(out))])


def reads_whole(x: Shape, whole: set[int]) -> Reads:
    """The element at the same place, and these axes whole."""
    return tuple([None if axis in whole else Along(axis) for axis in range(len(x))])


def reads_features(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """All features, the last axis, at the same place."""
    return reads_whole(ins[i], {len(ins[i]) - 1})


def reads_sample(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """All of its sample: every axis but the batch."""
    return (Along(0), *(None for _ in out[1:]))


def reads_window(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """All channels in a window of dilation·(kernel − 1) + 1 along each sliding axis."""
    axes = enumerate(zip(sliding(self, ins[i]), padding_before(self, ins[i])), 2)
    return (Along(0), None, *(Along(axis, d * (k - 1) + 1, s, start=-p) for axis, ((_, k, s, _, d), p) in axes))


def reads_stamps(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """Those whose window, stamped in steps of the stride, holds the output: two of them lie a multiple of both the
    stride and the dilation apart, and less than the window's reach."""

    def along(axis: int, k: Size, s: Size, p: Size, d: Size) -> Along:
        common, reach = s * d // gcd(s, d), d * (k - 1)
        others = reach // common * (common // s)
        start, later = Fraction(p - reach, s), Fraction(reach, s) - others
        return Along(axis, others + 1, Fraction(1, s), start=start, later=later)

    return (Along(0), None, *(along(axis, *window[1:]) for axis, window in enumerate(sliding(self, ins[i]), 2)))


def reads_regions(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """The largest of the regions ⌊i·h/size⌋ to ⌈(i+1)·h/size⌉ of each sliding axis."""

    def along(axis: int, size: int, regions: int) -> Along:
        wide = max(ceil_div((j + 1) * size, regions) - j * size // regions for j in range(regions))
        stride = Fraction(size, regions)
        start = Fraction(1, stride.denominator) - 1  # as far as ⌊ ⌋ rounds down; ⌈ ⌉ rounds up as far
        return Along(axis, wide, stride, start=start, later=stride - 2 * start - wide)

    axes = enumerate(zip(ins[i][2:], out[2:]), 2)
    return (Along(0), None, *(along(axis, *sizes) if sizes[1] > 1 else None for axis, sizes in axes))
