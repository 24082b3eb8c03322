"""numpy's broadcasting: axes of 1 stretch, and a shape of fewer axes has axes of 1 before them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from costcalc.dims import Shape, broadcast_size
from costcalc.ops.needs import AtLeast, Broadcasts, Fact, Need


def to_rank(x: Shape, rank: int) -> Shape:
    """The shape with axes of 1 before it, so that it has `rank` axes."""
    return (1,) * (rank - len(x)) + x


def stretches_to(x: Shape, size: Shape) -> Iterator[Need]:
    """x broadcasts to this size, and to no more."""
    words = "an input of shape {} does not stretch to {}"
    yield Fact(len(x) <= len(size), words, x, size)
    for a, b in zip(reversed(x), reversed(size)):
        yield Broadcasts(a, b, message=words, message_sizes=(x, size))
        yield AtLeast(b, a, message=words, message_sizes=(x, size))


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of a + b."""
    rank = max(len(a), len(b))
    return tuple(map(broadcast_size, to_rank(a, rank), to_rank(b, rank)))


def joined_shape(self: Any, *ins: Shape) -> Shape:
    """All inputs broadcast together."""
    return reduce(broadcast, ins)


def broadcast_fits(ins: tuple[Shape, ...]) -> Iterator[Need]:
    """From the last, each axis equal or 1."""
    out = ins[0]
    for x in ins[1:]:
        for a, b in zip(reversed(out), reversed(x)):
            yield Broadcasts(a, b, message="inputs {} and {} differ in size", message_sizes=(out, x))
        out = broadcast(out, x)
