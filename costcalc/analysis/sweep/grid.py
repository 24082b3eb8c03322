"""The grid of a sweep: the values of each knob, and blocks of their combinations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, product
from math import lcm, prod
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from costcalc.analysis.metric_names import check_not_a_metric
from costcalc.dims import canonical, is_rational, to_exact
from costcalc.dims.exact_array import ExactArray
from costcalc.errors import PointsDiffer, UsageError, shorten, unknown
from costcalc.models.knob import RESERVED_KNOBS, Knob
from costcalc.models.knob_texts import parse_settings

MAX_VALUES_OF_A_KNOB = 1_000_000

Axes = Mapping[str, tuple[Any, ...]]  # the values of each knob


class Span(NamedTuple):
    """The common denominator of a knob's values, and the smallest and the largest numerator."""

    den: int
    low: int
    high: int

    @classmethod
    def of(cls, values: Sequence[Any]) -> Span:
        """The span of ints and Fractions."""
        den = lcm(*(value.denominator for value in values))
        return cls(den, int(min(values) * den), int(max(values) * den))

    def column(self, values: Sequence[Any], shape: tuple[int, ...]) -> ExactArray:
        """Some of the values as an array."""
        nums = ExactArray.of([value.numerator * (self.den // value.denominator) for value in values], shape)
        return ExactArray(nums.num, self.den, (self.low, self.high))


@dataclass(frozen=True)
class Grid:
    """Every combination of these values; the last knob changes fastest. For a block of another grid, `start` is the
    index of its first point there, and `within` the slice of each knob's values. Values are numbers, bools (of a flag)
    or words (of a choice)."""

    axes: Axes
    whole: Mapping[str, Span] = field(default_factory=dict)  # spans of the whole grid, for a block of it
    start: int = 0
    within: tuple[slice, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values of each knob."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def size(self) -> int:
        """The number of points."""
        return prod(self.shape)

    @cached_property
    def spans(self) -> Mapping[str, Span]:
        """The span of each numeric knob; for a block, in the whole grid."""
        return self.whole or {name: Span.of(self.axes[name]) for name in self.numbers}

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The knobs whose values are numbers."""
        return tuple(name for name, values in self.axes.items() if not isinstance(values[0], bool | str))

    @property
    def kinds(self) -> dict[str, Any]:
        """The one value of each flag and choice. Raises PointsDiffer for one with several."""
        words = [name for name in self.axes if name not in self.numbers]
        for name in words:
            if len(self.axes[name]) > 1:
                key = np.arange(len(self.axes[name])).reshape(self._along(name))
                raise PointsDiffer(key, f"{name} differs between points of an array")
        return {name: self.axes[name][0] for name in words}

    @property
    def denominators(self) -> Mapping[str, int]:
        """The common denominator of each numeric knob."""
        return {name: span.den for name, span in self.spans.items()}

    def column(self, name: str) -> ExactArray:
        """The values of a numeric knob along its axis, with the bounds of the whole grid."""
        return self.spans[name].column(self.axes[name], self._along(name))

    def array(self, name: str) -> Any:
        """The values of a knob along its axis: numerators, bools or words."""
        return self.column(name).num if name in self.numbers else np.array(self.axes[name]).reshape(self._along(name))

    def _along(self, name: str) -> tuple[int, ...]:
        at = [*self.axes].index(name)
        return tuple(-1 if i == at else 1 for i in range(len(self.axes)))

    def take(self, chosen: Sequence[Any], within: tuple[slice, ...] = ()) -> Grid:
        """The grid with the values at these indices of each knob."""
        axes = {name: tuple([values[i] for i in at]) for (name, values), at in zip(self.axes.items(), chosen)}
        return Grid(axes, self.spans, 0, within)

    def part(self, x: Any) -> Any:
        """The part of a size or mask of the whole grid at this block of it; an axis of length 1 is broadcast."""
        array = x.num if isinstance(x, ExactArray) else x
        if not getattr(array, "ndim", 0):
            return x
        part = array[tuple(slice(None) if n == 1 else at for n, at in zip(array.shape, self.within))]
        return ExactArray(part, x.den, x.bounds) if isinstance(x, ExactArray) else part

    def blocks(self, points: int) -> Iterator[Grid]:
        """The grid in its own order, cut into blocks of at most so many points."""
        below = [*accumulate(reversed(self.shape), mul, initial=1)][::-1][1:]  # points for each value of a knob
        cut = next(i for i, size in enumerate(below) if size <= points)
        steps = [1] * cut + [points // below[cut]] + [*self.shape[cut + 1 :]]
        slices = [[slice(i, i + step) for i in range(0, n, step)] for n, step in zip(self.shape, steps)]
        start = self.start
        for within in product(*slices):
            values = {name: given[at] for (name, given), at in zip(self.axes.items(), within)}
            block = Grid(values, self.spans, start, within)
            yield block
            start += block.size


def read_axes(
    texts: Iterable[str], knobs: Mapping[str, Knob], owner: str, *, numbers: bool = False
) -> dict[str, tuple[Any, ...]]:
    """Axes from `["r=128:600:8", "w=0.5,1", "head=linear,conv"]`: FROM:TO:STEP, both ends included, or values with
    commas.

    Raises UnknownName for an unknown knob, UsageError for an empty range, a value that the knob does not take, and with
    `numbers` for a flag or choice.
    """
    axes: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, _, given = (part.strip() for part in text.partition("="))
        if name in axes:
            raise UsageError(f"{shorten(name)!r} is swept twice; give all its values at once")
        knob, parts = _knob(name, knobs, owner, numbers), given.split(":")
        if len(parts) > 1:
            axes[name] = _range(knob, parts, knobs, owner)
        else:
            axes[name] = tuple(_parsed(name, value, knobs, owner) for value in given.split(","))
            _each_once(name, axes[name])
    return axes


def given_axes(
    given: Mapping[str, Any], knobs: Mapping[str, Knob], owner: str, *, numbers: bool = False
) -> dict[str, tuple[Any, ...]]:
    """Axes from Python: for each knob an iterable of values, a value, or a text as on the command line. Values may be
    texts too.

    Raises as `read_axes` does.
    """
    axes: dict[str, tuple[Any, ...]] = {}
    for name, values in given.items():
        if isinstance(values, str):
            axes |= read_axes([f"{name}={values}"], knobs, owner, numbers=numbers)
            continue
        knob = _knob(name, knobs, owner, numbers)
        exact = to_exact(values)  # a numpy scalar becomes a number
        axes[name] = tuple(
            _parsed(name, value, knobs, owner) if isinstance(value, str) else knob.check(to_exact(value))
            for value in (exact if isinstance(exact, Iterable) else [exact])
        )
        if not axes[name]:
            raise UsageError(f"{name} has no values to sweep over")
        symbol = next((value for value in axes[name] if not is_rational(value)), None)
        if knob.is_size and symbol is not None:
            raise UsageError(f"{name} is swept over numbers; {shorten(str(symbol))!r} is not one")
        _each_once(name, axes[name])
    return axes


def _knob(name: str, knobs: Mapping[str, Knob], owner: str, numbers: bool) -> Knob:
    if name in RESERVED_KNOBS and name not in knobs:
        raise UsageError(f"{name} is swept in tables alone: `costcalc sweep {owner} {name}=all`")
    if name not in knobs:
        raise unknown("knob", name, knobs, of=owner)
    if numbers and not knobs[name].is_size:
        raise UsageError(f"knob {name!r} is not numeric: compare its settings with `costcalc compare`")
    check_not_a_metric(name)
    return knobs[name]


def _parsed(name: str, value: str, knobs: Mapping[str, Knob], owner: str) -> Any:
    return parse_settings([f"{name}={value}"], knobs, owner)[name]


def _range(knob: Knob, parts: list[str], knobs: Mapping[str, Knob], owner: str) -> tuple[Any, ...]:
    name = knob.name
    text = shorten(f"{name}={':'.join(parts)}")
    if not knob.is_size:
        values = ",".join(knob.choices or ("true", "false"))
        raise UsageError(f"{text!r}: {name} is not numeric; give values with commas, as in {name}={values}")
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise UsageError(f"{text!r}: write FROM:TO:STEP, as in r=128:600:8")
    low, high = (_parsed(name, part, knobs, owner) for part in parts[:2])
    step = parse_settings([f"{name}={parts[2]}"], {name: Knob(name, 1, "real", -(2**31))}, owner)[name]
    if not is_rational(step) or step <= 0:
        raise UsageError(f"{text!r}: the step is {parts[2].strip()}; it must be larger than 0")
    if high < low:
        raise UsageError(f"{text!r} goes down; write the smaller end first")
    count = int((high - low) // step) + 1
    if count > MAX_VALUES_OF_A_KNOB:
        raise UsageError(f"{text!r} has {count:,} values; one knob has at most {MAX_VALUES_OF_A_KNOB:,}")
    if count > 1:
        knob.check(canonical(low + Fraction(step)))  # no step leaves the whole numbers if the first does not
    den = lcm(low.denominator, step.denominator)
    start, by = int(low * den), int(step * den)
    steps = range(start, start + by * count, by)
    return tuple(steps) if den == 1 else tuple(canonical(Fraction(n, den)) for n in steps)


def _each_once(name: str, values: tuple[Any, ...]) -> None:
    if len({*values}) < len(values):
        twice = next(value for value, times in Counter(values).items() if times > 1)
        raise UsageError(f"{name} = {twice} is there twice; give each value once")
