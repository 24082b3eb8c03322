"""Which points: the values of each knob, and the grid they span, cut into blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, product
from math import lcm, prod
from operator import mul
from typing import Any

from costcalc.dims.given import exact, is_number, normal
from costcalc.errors import UnknownName, UsageError, did_you_mean
from costcalc.spec.library import parse_settings
from costcalc.spec.model import Knob

MOST_VALUES = 1_000_000  # of one knob
BLOCK = 2**19  # points that are worked out together: four megabytes for each metric

Axes = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Block:
    """A part of a grid: the values of each knob in it, over the denominator that all of the grid's values of it share,
    and the number of its first point. Its points are in the grid's order, the last knob changing fastest."""

    axes: Axes
    denominators: Mapping[str, int]
    start: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Values of each knob."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def size(self) -> int:
        """Points."""
        return prod(self.shape)


@dataclass(frozen=True)
class Grid:
    """Every combination of these values."""

    axes: Axes

    @property
    def size(self) -> int:
        """Points."""
        return prod(len(values) for values in self.axes.values())

    @cached_property
    def denominators(self) -> dict[str, int]:
        """What makes whole numbers of all values of a knob."""
        return {name: lcm(*(value.denominator for value in values)) for name, values in self.axes.items()}

    def blocks(self, points: int = BLOCK) -> Iterator[Block]:
        """The grid in its own order, cut into blocks of at most so many points (one value of each knob at least)."""
        values = list(self.axes.values())
        within = [*accumulate((len(v) for v in reversed(values)), mul, initial=1)][::-1]  # points below each knob
        cut = next((i for i in range(len(values)) if within[i + 1] <= points), 0)
        step = max(1, points // within[cut + 1]) if values else 1
        pieces = [[(one,) for one in v] for v in values[:cut]]
        pieces += [[v[i : i + step] for i in range(0, len(v), step)] for v in values[cut : cut + 1]]
        start = 0
        for chosen in product(*pieces):
            block = Block(dict(zip(self.axes, [*chosen, *values[cut + 1 :]])), self.denominators, start)
            yield block
            start += block.size


def read_axes(texts: Iterable[str], knobs: Mapping[str, Knob], owner: str) -> dict[str, tuple[Any, ...]]:
    """`["r=128:600:8", "w=0.5,1"]`: FROM:TO:STEP, both ends included, or values with commas.

    Raises UnknownName for a knob that is none, UsageError for a range that is empty or a value the knob does not take.
    """
    axes: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, _, given = (part.strip() for part in text.partition("="))
        if name in axes:
            raise UsageError(f"{name[:64]!r} is swept twice; give all its values at once")
        parts = given.split(":")
        if len(parts) > 1:
            axes[name] = _range(name, parts, knobs, owner)
        else:
            axes[name] = tuple(_one(name, value, knobs, owner) for value in given.split(","))
        _each_once(name, axes[name])
    return axes


def given_axes(given: Mapping[str, Any], knobs: Mapping[str, Knob], owner: str) -> dict[str, tuple[Any, ...]]:
    """Axes from Python: for each knob an iterable of numbers, a number, or a text as on the command line.

    Raises as `read_axes` does.
    """
    axes: dict[str, tuple[Any, ...]] = {}
    for name, values in given.items():
        if isinstance(values, str):
            axes |= read_axes([f"{name}={values}"], knobs, owner)
            continue
        knob = _knob(name, knobs, owner)
        found = values if isinstance(values, Iterable) else [values]
        axes[name] = tuple(knob.check(normal(exact(_plain(value)))) for value in found)
        if not axes[name]:
            raise UsageError(f"{name} has no values to sweep over")
        _each_once(name, axes[name])
    return axes


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value  # of numpy's numbers Python's


def _knob(name: str, knobs: Mapping[str, Knob], owner: str) -> Knob:
    if name not in knobs:
        hint = did_you_mean(name, knobs)
        raise UnknownName(f"{owner} has no knob {name[:64]!r}" + (f"; {hint}" if hint else ""))
    if not knobs[name].is_size:
        raise UsageError(f"knob {name!r} is no number: compare its settings with `costcalc compare`")
    return knobs[name]


def _one(name: str, value: str, knobs: Mapping[str, Knob], owner: str) -> Any:
    knob = _knob(name, knobs, owner)
    return parse_settings([f"{knob.name}={value}"], knobs, owner)[knob.name]


def _range(name: str, parts: list[str], knobs: Mapping[str, Knob], owner: str) -> tuple[Any, ...]:
    written = f"{name}={':'.join(parts)}"[:80]
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise UsageError(f"{written!r}: write FROM:TO:STEP, as in r=128:600:8")
    low, high = (_one(name, part, knobs, owner) for part in parts[:2])
    step = parse_settings([f"{name}={parts[2]}"], {name: Knob(name, 1, "real", -(2**31))}, owner)[name]
    if not is_number(step) or step <= 0:
        raise UsageError(f"{written!r}: the step is {parts[2].strip()}; it must be larger than 0")
    if high < low:
        raise UsageError(f"{written!r} goes down; write the smaller end first")
    count = (high - low) // step + 1
    if count > MOST_VALUES:
        raise UsageError(f"{written!r} has {count:,} values; one knob has at most {MOST_VALUES:,}")
    return tuple(knobs[name].check(normal(low + Fraction(step) * i)) for i in range(int(count)))


def _each_once(name: str, values: tuple[Any, ...]) -> None:
    if len({*values}) < len(values):
        twice = next(value for i, value in enumerate(values) if value in values[:i])
        raise UsageError(f"{name} = {twice} is there twice; give each value once")
