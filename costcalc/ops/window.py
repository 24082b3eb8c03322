"""Windows of convolutions and pooling: the output size along each spatial axis, and when a window fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import (
    Shape,
    Size,
    all_of,
    at_least,
    ceil_div,
    decided,
    divides,
    equal,
    exact_div,
    floor_div,
    is_symbolic,
    maximum,
    minimum,
    one_number,
    output_size,
    prod,
)
from costcalc.errors import PointsDiffer, UsageError
from costcalc.ops.needs import Fact, Fits, Need

WINDOW_SYNONYMS = {"kernel_size": "kernel", "strides": "stride", "dilation_rate": "dilation"}


def per_axis(value: Any, x: Shape) -> tuple[Any, ...]:
    """The value of each sliding axis; one value stands for all."""
    return value if type(value) is tuple else (value,) * (len(x) - 2)


def sliding(self: Any, x: Shape) -> list[tuple[Any, ...]]:
    """(size, kernel, stride, padding, dilation) of every axis a window slides along."""
    k, s, p, d = self.kernel, self.stride, self.padding, self.dilation
    if tuple in (type(k), type(s), type(p), type(d)):
        return [*zip(x[2:], *(per_axis(value, x) for value in (k, s, p, d)))]
    return [(size, k, s, p, d) for size in x[2:]]


def output_sizes(self: Any, x: Shape) -> list[Size]:
    """The output size along each sliding axis: see `dims.output_size`."""
    return [output_size(size, k, s, p, d) for size, k, s, p, d in sliding(self, x)]


def padded(self: Any, x: Shape) -> Shape:
    """The input with the zeros of padding 'same', TensorFlow's: as many as ⌈n/s⌉ windows need."""
    ends = ((size, (ceil_div(size, s) - 1) * s + d * (k - 1) + 1) for size, k, s, _, d in sliding(self, x))
    return (*x[:2], *(maximum(size, end) for size, end in ends))


def padding_before(self: Any, x: Shape) -> list[Size]:
    """The zeros before the elements of each sliding axis; an odd number of 'same' has one more behind."""
    if self.padding != "same":
        return [p for _, _, _, p, _ in sliding(self, x)]
    return [(after - size) // 2 for size, after in zip(x[2:], padded(self, x)[2:])]


def makes_padded_copy(self: Any, x: Shape) -> bool:
    """Does torch pad a copy first? Its convolutions have no argument for 'same' with a stride or an odd reach."""
    if self.padding != "same":
        return False
    simple = (truth for _, k, s, _, d in sliding(self, x) for truth in (equal(s, 1), divides(2, d * (k - 1))))
    return not decided(all_of(simple), "what torch pads")


def window_elements(self: Any, x: Shape) -> Size:
    """k·k, or k for every sliding axis."""
    return prod(per_axis(self.kernel, x))


def sliding_axes(self: Any, x: Shape, *names: str) -> Iterator[Need]:
    """n, c and the sliding axes, as many as the op wants; a per-axis field has one entry for each."""
    rank = len(x) - 2
    wanted = getattr(self, "rank", None)
    if wanted is None:
        words = "needs an input of shape (batch, channels, sizes …), got one of {} axes"
        yield Fact(rank >= 1, words, len(x))
    else:
        yield Fact(rank == wanted, "needs {} sliding axes after batch and channels, got {}", wanted, rank)
    for name in names:
        value = getattr(self, name)
        if type(value) is tuple:
            yield Fact(len(value) == rank, "{} has {} entries for {} sliding axes", name, len(value), rank)


def window_fits(self: Any, x: Shape) -> Iterator[Need]:
    """The window fits into each padded axis."""
    yield from sliding_axes(self, x, "kernel", "stride", "padding", "dilation")
    if self.padding.__class__ is not str:
        for size, k, _, p, d in sliding(self, x):
            yield fits(size, k, p, d)


def fits(size: Size, kernel: Size, padding: Size, dilation: Size, overhang: Size = 0) -> Need:
    """A window reaches dilation·(kernel − 1) + 1 positions, and past the end by `overhang` of them at most."""
    padded = not (padding.__class__ is int and padding == 0)
    return Fits(dilation * (kernel - 1) + 1, size + 2 * padding, overhang, padded=padded)


def positions_on_input(self: Any, x: Shape) -> Size:
    """The pairs of a window and one of its positions that lie on the input and not in its padding, over all windows.

    Along each axis they are windows·k, less those before the start and after the end; axes multiply.
    """
    return prod(_pairs_along(*axis) for axis in sliding(self, x))


def _pairs_along(size: Size, kernel: Size, stride: Size, padding: Any, dilation: Size) -> Size:
    windows, reach = output_size(size, kernel, stride, padding, dilation), dilation * (kernel - 1) + 1
    if padding.__class__ is int and padding == 0:
        return windows * kernel
    covered = (windows - 1) * stride + reach
    before = floor_div(maximum(covered - size, 0), 2) if padding.__class__ is str else padding
    outside = [_hanging(over, windows, kernel, stride, dilation) for over in (before, covered - size - before)]
    return windows * kernel - sum(outside)


def _hanging(over: Size, windows: Size, kernel: Size, stride: Size, dilation: Size) -> Size:
    """Pairs of a window and a position that hang over one end by `over` positions, and by `stride` less for each next
    window: Σ min(kernel, ⌈(over − i·stride)/dilation⌉)."""
    most = dilation * kernel
    more = 0 if at_least(most, over) is True else _ceilings(over - most, windows, stride, dilation)
    return _ceilings(over, windows, stride, dilation) - more


def _ceilings(over: Size, windows: Size, stride: Size, dilation: Size) -> Size:
    """Σ ⌈(over − i·stride)/dilation⌉ over windows i, as long as it is positive.

    Every dilation-th term is `stride` less than the one before, so that each of `dilation` sums is arithmetic.
    """
    if is_symbolic(dilation):
        raise UsageError("macs_on_input needs a numeric dilation; set it")
    step = one_number(dilation)
    if step is None:
        raise PointsDiffer(dilation.num, "the dilation differs between points of an array")
    terms, total = minimum(windows, ceil_div(maximum(over, 0), stride)), 0
    for first in range(step):
        n = maximum(0, ceil_div(terms - first, dilation))
        total += n * ceil_div(over - first * stride, dilation) - stride * exact_div(n * (n - 1), 2)
    return total
