"""Receptive fields, jumps and strides as tables show them: `11×11`, `whole`, `?`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from costcalc.analysis.memory import Layer
from costcalc.analysis.phases import Number
from costcalc.analysis.receptive_field import reads_of, sights
from costcalc.ops.reads import UNKNOWN
from costcalc.table import Batchless

WORDS = {"inf": "whole", "nan": "?"}


def receptive_fields(layers: Sequence[Layer]) -> Iterator[Batchless | None]:
    """Of one element of each layer's output. Where neighbours lie less than an element apart, as behind an upsampling,
    it is the most that one may see."""
    return (
        _as_shown({a: _ceil(wide) for a, wide in sight.fields.items()}, len(sight.sizes)) for sight in sights(layers)
    )


def _ceil(number: Number) -> Number:
    return math.ceil(number) if math.isfinite(number) else number


def jumps(layers: Sequence[Layer]) -> Iterator[Batchless | None]:
    """Between neighbours of each layer's output."""
    return (_as_shown(sight.jumps, len(sight.sizes)) for sight in sights(layers))


def strides(layers: Sequence[Layer]) -> Iterator[Batchless | None]:
    """Of each layer."""
    return (_as_shown(sight.strides, len(sight.sizes)) for sight in sights(layers))


def stride_between(leaving: Iterable[Batchless | None], entering: Iterable[Batchless | None]) -> Batchless | None:
    """The product of the strides of layers, from the jumps of those that leave and enter them; None if these differ."""
    jumps = [{tuple(value) for value in values if value is not None} for values in (leaving, entering)]
    if any(len(values) != 1 for values in jumps):
        return None
    (after,), (before,) = jumps
    return Batchless([_exact(Fraction(n) / m) for n, m in zip(after, before)]) if len(after) == len(before) else None


def without_positions(totals: Mapping[str, Batchless | None]) -> Iterator[str]:
    """Why a network has no jump and no stride."""
    if empty := [name for name in ("jump", "stride") if name in totals and totals[name] is None]:
        yield f"{' and '.join(empty)}: empty where an output has no positions, as behind a global pool"


def remarks(layers: Sequence[Layer]) -> Iterator[str]:
    """From which layer on the field is larger than the input, and from which on it is not known."""
    seen = [*zip(layers, sights(layers))]
    for layer, sight in seen:
        if any(math.inf > number > sight.sizes[a] for a, number in sight.fields.items()):
            size = "×".join(map(str, sight.sizes.values()))
            yield f"receptive field: from {layer.name} on larger than the input of {size}: it reaches into padding"
            break
    for layer, sight in seen:
        if any(map(math.isnan, sight.fields.values())):
            yield f"receptive field: not known (?) from {layer.name} on: {_why_unknown(layer, layers)}"
            break


def _why_unknown(layer: Layer, layers: Sequence[Layer]) -> str:
    unknown = [
        reads == UNKNOWN or any(one is not None and one.window is None for one in reads if not isinstance(one, str))
        for reads in reads_of(layer, {one.name: one.output_shape for one in layers})
    ]
    return f"{layer.op.name} does not say what it reads" if any(unknown) else "what it reads does not lie evenly"


def _as_shown(numbers: Mapping[int, Number], rank: int) -> Batchless | None:
    """`11×11`; None without positions."""
    found = [_exact(numbers[a]) for a in range(rank) if a in numbers]
    if not found or len(found) < rank:
        return None
    return Batchless(found)


def _exact(number: Number) -> int | Fraction | str:
    if isinstance(number, float):
        return WORDS[str(number)]
    return int(number) if number.denominator == 1 else number


def largest(values: Iterable[Batchless | None]) -> Batchless | None:
    """Axis by axis, of several layers with as many axes as the first."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    whole, unknown = WORDS.values()
    alike = [value for value in there if len(value) == len(there[0])]
    return Batchless(
        max(axis, key=lambda each: (each == whole, each == unknown, 0 if isinstance(each, str) else each))
        for axis in zip(*alike)
    )
