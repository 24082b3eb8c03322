"""In which range of sizes a pattern of layers holds, and why not beyond it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from costcalc.dims import Truth, all_of, at_least, divides
from costcalc.errors import ImportRefused, shorten
from costcalc.importers.symbolic_sizes.layer_pattern import LayerPattern
from costcalc.ops.needs import AtLeast, Divides, Need

NOT_COMPARED = "it was not compared with the network there"
MAX_SAID = 300  # characters of a reason


class Range(NamedTuple):
    """The sizes of a knob at which a pattern holds, and why not below and above them. From `counts_from` on it counts
    the same as the network, whose views differ below `low`."""

    low: int
    high: int
    step: int = 1
    below: str = ""
    above: str = NOT_COMPARED
    counts_from: int | None = None

    def holds(self, size: Any) -> Truth:
        """Does it hold at this size? None for a symbol."""
        return all_of((at_least(size, self.low), at_least(self.high, size), divides(self.step, size)))

    def counts_at(self, size: int) -> bool:
        """Does it count the same at this size?"""
        return bool(self.for_counts.holds(size))

    @property
    def for_counts(self) -> Range:
        """The sizes at which it counts the same."""
        return self if self.counts_from is None else self._replace(low=self.counts_from, below="")

    def needs(self, size: Any) -> Iterator[Need]:
        """What must hold for this size."""
        if self.below or self.step > 1:  # else the rules of layers say it
            yield AtLeast(size, self.low, message=self.below or f"its sizes in steps of {self.step} start there")
        yield AtLeast(self.high, size, message=self.above)
        if self.step > 1:
            yield Divides(self.step, size)


class Pattern(NamedTuple):
    """A pattern, the ranges of the knobs that are free in it, and how it was found."""

    layers: LayerPattern
    ranges: Mapping[str, Range]
    fixed: Mapping[str, int]
    samples: int
    checks: int

    def holds(self, values: Mapping[str, Any]) -> Truth:
        """Does it hold at these values of the knobs: True, False, None for symbols, or an array of bools?"""
        if any(values[name] != size for name, size in self.fixed.items()):
            return False
        return all_of(one.holds(values[name]) for name, one in self.ranges.items())

    def needs(self, values: Mapping[str, Any], *, for_counts: bool = False) -> list[Need]:
        """What must hold for it to hold, or `for_counts` alone."""
        ranges = {name: one.for_counts if for_counts else one for name, one in self.ranges.items()}
        found = [need for name, one in ranges.items() for need in one.needs(values[name])]
        for need in found:
            need.of_layer = False
        return found

    @property
    def where(self) -> str:
        """Its ranges: `1 ≤ batch ≤ 65536, 32 ≤ r ≤ 7168 in steps of 32`."""
        steps = {name: f" in steps of {one.step}" if one.step > 1 else "" for name, one in self.ranges.items()}
        return ", ".join(f"{one.low} ≤ {name} ≤ {one.high}{steps[name]}" for name, one in self.ranges.items())

    @property
    def found(self) -> str:
        """How it was found, for readers."""
        forms = len(self.layers.forms)
        if not forms:
            return f"compared with the network at {self.samples + self.checks} sizes"
        layers = f"{forms} layer{'s' * (forms > 1)}"
        return f"sizes of {layers} found from {self.samples} sizes, checked at {self.checks} more"


def said(error: ImportRefused) -> str:
    """What the network says, without what to do about its inputs; in messages braces are gaps."""
    return shorten(error.message.replace("{", "(").replace("}", ")"), MAX_SAID)
