"""Parts of a whole that are about as large as each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

STEP = 1.02  # times, from limit to limit
Part = TypeVar("Part")


def even_parts(fill: Callable[[float], Sequence[Part]], limit: float, most: int) -> Sequence[Part]:
    """The parts that `fill` makes at the lowest limit, to 2 % and from this one on, at which they are `most` or fewer.
    Does not end if no limit is high enough."""
    while len(parts := fill(limit)) > most:
        limit *= STEP
    return parts
