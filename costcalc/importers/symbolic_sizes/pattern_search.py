"""Finds the pattern of a network's layers in the sizes that are free, and in which range of sizes it holds.

The network is run at six sizes, the forms of its layers are found, and it is run again at others to compare: at odd
ones, with a batch of 1, at the smallest and the largest of the range. One difference, and the pattern does not hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import gcd, prod

from costcalc.errors import ImportRefused
from costcalc.importers.symbolic_sizes.input_sizes import BATCH, InputSizes, Letters
from costcalc.importers.symbolic_sizes.layer_pattern import LayerPattern, LayersDiffer, Sample, check_alike
from costcalc.importers.symbolic_sizes.pattern_range import Pattern, said
from costcalc.importers.symbolic_sizes.range_search import RangeSearch
from costcalc.importers.symbolic_sizes.sample_runs import SampleRuns
from costcalc.importers.symbolic_sizes.sample_sizes import (
    BATCHES,
    SAMPLES,
    Span,
    drawn,
    spans,
    steps_of,
)

CHECKS = 4  # at least
REFITS = 3  # with the sizes at which forms were wrong among the samples


class PatternSearch:
    """Searches a pattern in which some knobs are `free`; the others have the sizes in `fixed`."""

    def __init__(
        self, name: str, sizes: InputSizes, run: Callable[[Letters], Sample], free: Sequence[str],
        fixed: Mapping[str, int],
    ):  # fmt: skip
        self.name, self.runs = name, SampleRuns(sizes, run, free, fixed)
        self.apart = True  # are the sides of images sampled apart?
        # of `spans`: where one step has a pattern, others do
        self.places_to_try = [0, 1, 2] if self.runs.lengths else [0]
        self.lone = ""  # why the pattern does not hold at a batch of 1
        self.lone_counts = False  # does it hold there for counts?

    def pattern(self) -> Pattern:
        """The pattern in the smallest step that has one. Raises ImportRefused, with what the network says."""
        try:
            pattern, span = self.within(1)
        except ImportRefused as error:
            if not self.runs.lengths:
                raise
            pattern, span = self.in_steps(error)
        return self.with_ranges(pattern, span)

    def in_steps(self, error: ImportRefused) -> tuple[LayerPattern, dict[str, Span]]:
        """The pattern in the smallest step above 1; each is a part of the default, at which the network runs."""
        default = gcd(*(self.runs.sizes.knobs[name].default for name in self.runs.lengths))
        found: dict[int, tuple[LayerPattern, dict[str, Span]]] = {}

        def works(step: int) -> bool:
            if step not in found:
                with suppress(ImportRefused):
                    found[step] = self.within(step)
            return step in found

        for chain in steps_of(default) if default > 1 else ():
            if not works(default):
                break
            like = found[default][0].samples[0]
            least = 1 + bisect_left(chain[1:-1], True, key=lambda step: self.may_work(step, like))
            next(filter(works, chain[least:]))
            if [*found] != [default]:
                break
        if not found:
            raise error
        return found[min(found)]

    def may_work(self, step: int, like: Sample) -> bool:
        """Does the network take this step, with the layers of a sample in a multiple of it? Asks two runs."""
        knobs, which = self.runs.sizes.knobs, self.places_to_try[0]
        span = {name: [*spans(knobs[name].default, step)][which] for name in self.runs.lengths}
        try:
            for batch, place in zip(BATCHES[:2], cheapest_first(self.places(span, 0))):
                check_alike(like, self.runs.sample(self.runs.letters(batch, place)))
        except ImportRefused:
            return False
        return True

    def within(self, step: int) -> tuple[LayerPattern, dict[str, Span]]:
        """The pattern in this step, and where its samples are. Raises the first ImportRefused if there is none."""
        first: ImportRefused | None = None
        others: list[tuple[int, LayerPattern, dict[str, Span]]] = []  # that have other layers at the default
        by_knob = {name: [*spans(self.runs.sizes.knobs[name].default, step)] for name in self.runs.lengths}
        for i in self.places_to_try:
            span = {name: known[i] for name, known in by_knob.items()}
            try:
                others.append((i, self.fitted(span), span))
            except ImportRefused as error:
                first = first or error
                continue
            if self.holds_at_default(others[-1][1]):
                others = others[-1:]
                break
        if not others:
            raise first or ImportRefused("no sizes are left to try")
        i, pattern, span = others[0]
        self.places_to_try = [i]
        return pattern, span

    def holds_at_default(self, pattern: LayerPattern) -> bool:
        """Has the network the layers of a pattern at its default lengths?"""
        lengths = {name: size for name, size in self.runs.letters(1, {}).items() if name != BATCH}
        batches = (1, 2) if self.runs.has_batch else (1,)
        return any(self.runs.same(pattern, self.runs.letters(batch, lengths)) for batch in batches)

    def fitted(self, span: Mapping[str, Span]) -> LayerPattern:
        """A pattern of samples in a span, which holds at other sizes in it."""
        places = cheapest_first(self.places(span, 0))
        if self.apart and any(len(self.runs.sizes.letters_of(name)) == 2 for name in self.runs.lengths):
            try:
                self.runs.sample(self.runs.letters(BATCHES[0], places[0]))
            except ImportRefused:
                self.apart = False  # may its sides differ?
                try:
                    self.runs.sample(self.runs.letters(BATCHES[0], (places := cheapest_first(self.places(span, 0)))[0]))
                except ImportRefused:
                    self.apart = True
                    raise
        samples: list[Sample] = []
        for batch, one in zip(BATCHES, places):
            samples.append(self.runs.sample(self.runs.letters(batch, one)))
            check_alike(samples[0], samples[-1])  # before it runs at all the others
        pattern = LayerPattern(self.name, samples)
        for refit in range(REFITS):
            wrong = self.wrong(pattern, self.places(span, refit + 1)[-2:])
            if not wrong:
                return pattern
            samples += map(self.runs.sample, wrong)
            pattern = LayerPattern(self.name, samples)
        raise self.runs.why

    def wrong(self, pattern: LayerPattern, places: Sequence[Mapping[str, int]]) -> list[Letters]:
        """At which of two places a pattern does not hold: with a batch of 1, unless that alone differs, and of 17."""
        self.lone, self.lone_counts = "", False
        self.runs.matched.clear()
        one, *others = (self.runs.letters(batch, place) for batch, place in zip((1, 17, 4), (*places, places[1])))
        found: list[Letters] = [
            letters for letters in others[: 1 if self.runs.lengths else 2] if not self.runs.same(pattern, letters)
        ]
        if not self.runs.same(pattern, one):
            self.lone = said(self.runs.why)
            two = self.runs.letters(2, places[0])
            if not self.runs.has_batch:
                found.append(one)
            elif not self.runs.same(pattern, two):
                found.append(two)
            self.lone_counts = not found and self.runs.same_counts(pattern, one)
        return found

    def places(self, span: Mapping[str, Span], seed: int) -> list[dict[str, int]]:
        """Sizes of each letter of a length, one for each sample. Raises LayersDiffer if the span has too few."""
        columns: dict[str, list[int]] = {}
        for name, where in span.items():
            letters = self.runs.sizes.letters_of(name)
            rows = drawn(where, len(letters) if self.apart else 1, SAMPLES, seed + 10 * len(columns))
            if not rows:
                raise LayersDiffer(f"{self.name} has too few sizes in steps of {where.step}")
            for i, letter in enumerate(letters):
                columns[letter] = [row[i if self.apart else 0] for row in rows]
        return [dict(zip(columns, row)) for row in zip(*columns.values())] if columns else [{}] * SAMPLES

    def with_ranges(self, pattern: LayerPattern, span: Mapping[str, Span]) -> Pattern:
        """The pattern with the range of each knob. Raises LayersDiffer if it does not hold at the default sizes within
        its ranges."""
        search = RangeSearch(self.runs, pattern, self.lone, self.lone_counts)
        ranges = search.ranges(span)
        by_default = {name: knob.default for name, knob in self.runs.sizes.knobs.items()} | self.runs.fixed
        found = Pattern(pattern, ranges, self.runs.fixed, len(pattern.samples), 0)
        at_default = all(one.counts_at(by_default[name]) for name, one in ranges.items())
        if at_default and not search.holds(self.runs.sizes.letters(by_default)):
            raise LayersDiffer(str(self.runs.why))
        for seed in range(REFITS + 1, REFITS + 5):
            if len(self.runs.matched) < CHECKS:
                place = self.places(span, seed)[-1]
                if not self.runs.same(pattern, self.runs.letters(29 + seed, place)):
                    raise LayersDiffer(str(self.runs.why))
        return found._replace(checks=len(self.runs.matched))


def cheapest_first(places: list[dict[str, int]]) -> list[dict[str, int]]:
    """The two smallest of the places, at which a network shows whether it has more layers at larger sizes; then the
    largest, which another refuses; and the rest."""
    small, other, *rest, large = sorted(places, key=lambda place: prod(place.values()))
    return [small, other, large, *rest]
