"""Windows of convolutions and pooling: the output size along each spatial axis, and when a window fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costcalc.dims import Shape, Size, all_of, ceil_div, decided, divides, equal, maximum, output_size, prod
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
