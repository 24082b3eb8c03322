"""Which elements of its inputs one element of an output depends on: `reads(i, ins, out)` of an op, for its input i.

No count asks this. `analysis/receptive_field.py` follows it from the input of a network on. The answer is `REGROUPED`
(the same elements in the same order, under another shape), `UNKNOWN`, or a tuple with an entry for each axis of the
output: the axis of the input `Along` which its elements lie, or None for a new axis. Axes of the input that have no
entry are read whole. An op that does not answer is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from costcalc.dims import Shape, Size, ceil_div, gcd
from costcalc.ops.window import padding_before, sliding


class Along(NamedTuple):
    """Element i of an axis of the output reads `window` elements of an axis of the input, from i·stride + start on; of
    these every `step`-th one.

    Where their place depends on i, as behind an upsampling, `places` are the first and last one of as many elements of
    the output as the stride has in its denominator; they repeat behind these. A last one before the first says none.
    They do not lie evenly if `even` is false, as where two tensors are joined. Without a `window` their place is not
    known.
    """

    axis: int
    window: Size | None = 1
    stride: Size | Fraction = 1
    even: bool = True
    start: Size = 0
    step: Size = 1
    places: tuple[tuple[int, int], ...] = ()


MAX_PLACES = 1024  # of a period, so that large networks stay fast
REGROUPED, UNKNOWN = "regrouped", "unknown"
Reads: TypeAlias = "tuple[Along | None, ...] | str"


def places_of(stride: Fraction, place: Callable[[int], tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The places of a period. Of one that is too long: those within which each element of it lies."""
    if stride.denominator > MAX_PLACES:
        first, last = place(0)
        return ((first - 1, last + 1),)
    return tuple(map(place, range(stride.denominator)))


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
    return (Along(0), None, *(Along(axis, d * (k - 1) + 1, s, start=-p, step=d) for axis, ((_, k, s, _, d), p) in axes))


def reads_stamps(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """Those whose window, stamped in steps of the stride, holds the output: two of them lie a multiple of both the
    stride and the dilation apart, and less than the window's reach."""

    def along(axis: int, k: int, s: int, p: int, d: int) -> Along:
        reach, apart = d * (k - 1), d // gcd(s, d)

        def place(i: int) -> tuple[int, int]:
            first, last = ceil_div(i + p - reach, s), (i + p) // s
            if s > MAX_PLACES:
                return first, last
            holding = [q for q in range(first, last + 1) if (i + p - q * s) % d == 0]
            return (holding[0], holding[-1]) if holding else (0, -1)

        places = places_of(Fraction(1, s), place)
        return Along(axis, reach // s + 1, Fraction(1, s), step=apart, places=places)

    return (Along(0), None, *(along(axis, *window[1:]) for axis, window in enumerate(sliding(self, ins[i]), 2)))


def reads_regions(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Reads:
    """The regions ⌊i·h/size⌋ to ⌈(i+1)·h/size⌉ of each sliding axis."""

    def along(axis: int, size: int, regions: int) -> Along:
        def place(j: int) -> tuple[int, int]:
            return j * size // regions, ceil_div((j + 1) * size, regions) - 1

        stride = Fraction(size, regions)
        return Along(axis, ceil_div(size - 1, regions) + 1, stride, places=places_of(stride, place))

    axes = enumerate(zip(ins[i][2:], out[2:]), 2)
    return (Along(0), None, *(along(axis, *sizes) if sizes[1] > 1 else None for axis, sizes in axes))
