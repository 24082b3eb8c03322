"""Finds the pattern of a network's layers in the sizes that are free, and in which range of sizes it holds.

The network is run at six sizes, the forms of its layers are found, and it is run again at others to compare: at odd
ones, with a batch of 1, at the smallest and the largest of the range. One difference, and the pattern does not hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import gcd, prod
from typing import Any

from costcalc.errors import ImportRefused, ShapeError
from costcalc.importers.symbolic_sizes.input_sizes import BATCH, InputSizes, Letters
from costcalc.importers.symbolic_sizes.layer_pattern import LayerPattern, LayersDiffer, Sample, check_alike
from costcalc.importers.symbolic_sizes.pattern_range import NOT_COMPARED, Pattern, Range, said
from costcalc.importers.symbolic_sizes.same_counts import check_same_counts
from costcalc.importers.symbolic_sizes.sample_sizes import (
    BATCHES,
    LARGEST_BATCH,
    SAMPLES,
    TIMES_LARGER,
    Span,
    drawn,
    spans,
    steps_of,
)
from costcalc.ops.check_needs import assumptions, needs_of

CHECKS = 4  # at least
REFITS = 3  # with the sizes at which forms were wrong among the samples


class PatternSearch:
    """Searches a pattern in which some knobs are free; the others have the sizes in `fixed`."""

    def __init__(
        self, name: str, sizes: InputSizes, run: Callable[[Letters], Sample], free: Sequence[str],
        fixed: Mapping[str, int],
    ):  # fmt: skip
        self.name, self.sizes, self.run, self.fixed = name, sizes, run, dict(fixed)
        self.lengths = [knob for knob in free if knob != BATCH]  # the sides of images, tokens
        self.has_batch = BATCH in free
        self.ran: dict[tuple[Any, ...], Sample | ImportRefused] = {}
        self.apart = True  # are the sides of images sampled apart?
        self.places_to_try = [0, 1, 2] if self.lengths else [0]  # of `spans`: where one step has a pattern, others do
        self.matched: set[tuple[Any, ...]] = set()  # sizes at which the last pattern was compared and held
        self.lone = ""  # why the pattern does not hold at a batch of 1
        self.lone_counts = False  # does it hold there for counts?
        self.why = ImportRefused("")  # why the last run differed

    # --- runs ------------------------------------------------------------------------------------------------------

    def letters(self, batch: int, lengths: Mapping[str, int]) -> dict[str, int]:
        """The sizes of an input; lengths are by letter."""
        by_default = {name: knob.default for name, knob in self.sizes.knobs.items()}
        letters = self.sizes.letters({**by_default, **self.fixed})
        return {**letters, **lengths, **({BATCH: batch} if self.has_batch else {})}

    def sample(self, letters: Letters) -> Sample:
        """The graph at these sizes, made once. Raises ImportRefused if the network does not run there."""
        key = tuple(letters.items())
        if key not in self.ran:
            try:
                self.ran[key] = self.run(letters)
            except ImportRefused as error:
                self.ran[key] = error
            except ShapeError as error:  # an axis longer than any
                self.ran[key] = ImportRefused(str(error))
        found = self.ran[key]
        if isinstance(found, ImportRefused):
            raise found
        return found

    def same(self, pattern: LayerPattern, letters: Letters) -> bool:
        """Has the network just the layers of the pattern at these sizes?"""
        return self.agrees(pattern.check, letters)

    def same_counts(self, pattern: LayerPattern, letters: Letters) -> bool:
        """Does the network count the same at these sizes, whatever its views are?"""
        return self.agrees(lambda sample: check_same_counts(pattern.at(sample), sample, pattern.samples[0]), letters)

    def agrees(self, check: Callable[[Sample], None], letters: Letters) -> bool:
        """Does a check pass at these sizes?"""
        try:
            check(self.sample(letters))
        except ImportRefused as error:
            self.why = error
            return False
        self.matched.add(tuple(letters.items()))
        return True

    def holds(self, pattern: LayerPattern, letters: Letters) -> bool:
        """Does a pattern hold at these sizes: at a batch of 1, if it has other views there, for counts?"""
        return (self.same_counts if self.lone_counts and letters[BATCH] == 1 else self.same)(pattern, letters)

    # --- the pattern -----------------------------------------------------------------------------------------------

    def pattern(self) -> Pattern:
        """The pattern in the smallest step that has one. Raises ImportRefused, with what the network says."""
        try:
            pattern, span = self.within(1)
        except ImportRefused as error:
            if not self.lengths:
                raise
            pattern, span = self.in_steps(error)
        return self.with_ranges(pattern, span)

    def in_steps(self, error: ImportRefused) -> tuple[LayerPattern, dict[str, Span]]:
        """The pattern in the smallest step above 1; each is a part of the default, at which the network runs."""
        default = gcd(*(self.sizes.knobs[name].default for name in self.lengths))
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
        span = {name: [*spans(self.sizes.knobs[name].default, step)][self.places_to_try[0]] for name in self.lengths}
        try:
            for batch, place in zip(BATCHES[:2], cheapest_first(self.places(span, 0))):
                check_alike(like, self.sample(self.letters(batch, place)))
        except ImportRefused:
            return False
        return True

    def within(self, step: int) -> tuple[LayerPattern, dict[str, Span]]:
        """The pattern in this step, and where its samples are. Raises the first ImportRefused if there is none."""
        first: ImportRefused | None = None
        others: list[tuple[int, LayerPattern, dict[str, Span]]] = []  # that have other layers at the default
        by_knob = {name: [*spans(self.sizes.knobs[name].default, step)] for name in self.lengths}
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
        lengths = {name: size for name, size in self.letters(1, {}).items() if name != BATCH}
        return any(self.same(pattern, self.letters(batch, lengths)) for batch in (1, 2)[: 1 + self.has_batch])

    def fitted(self, span: Mapping[str, Span]) -> LayerPattern:
        """A pattern of samples in a span, which holds at other sizes in it."""
        places = cheapest_first(self.places(span, 0))
        if self.apart and any(len(self.sizes.letters_of(name)) == 2 for name in self.lengths):
            try:
                self.sample(self.letters(BATCHES[0], places[0]))
            except ImportRefused:
                self.apart = False  # may its sides differ?
                try:
                    self.sample(self.letters(BATCHES[0], (places := cheapest_first(self.places(span, 0)))[0]))
                except ImportRefused:
                    self.apart = True
                    raise
        samples: list[Sample] = []
        for batch, one in zip(BATCHES, places):
            samples.append(self.sample(self.letters(batch, one)))
            check_alike(samples[0], samples[-1])  # before it runs at all the others
        pattern = LayerPattern(self.name, samples)
        for refit in range(REFITS):
            wrong = self.wrong(pattern, self.places(span, refit + 1)[-2:])
            if not wrong:
                return pattern
            samples += map(self.sample, wrong)
            pattern = LayerPattern(self.name, samples)
        raise self.why

    def wrong(self, pattern: LayerPattern, places: Sequence[Mapping[str, int]]) -> list[Letters]:
        """At which of two places a pattern does not hold: with a batch of 1, unless that alone differs, and of 17."""
        self.lone, self.lone_counts = "", False
        self.matched.clear()
        one, *others = (self.letters(batch, place) for batch, place in zip((1, 17, 4), (*places, places[1])))
        found: list[Letters] = [
            letters for letters in others[: 1 if self.lengths else 2] if not self.same(pattern, letters)
        ]
        if not self.same(pattern, one):
            self.lone = said(self.why)
            two = self.letters(2, places[0])
            found += [] if self.has_batch and self.same(pattern, two) else [two if self.has_batch else one]
            self.lone_counts = not found and self.same_counts(pattern, one)
        return found

    def places(self, span: Mapping[str, Span], seed: int) -> list[dict[str, int]]:
        """Sizes of each letter of a length, one for each sample. Raises LayersDiffer if the span has too few."""
        columns: dict[str, list[int]] = {}
        for name, where in span.items():
            letters = self.sizes.letters_of(name)
            rows = drawn(where, len(letters) if self.apart else 1, SAMPLES, seed + 10 * len(columns))
            if not rows:
                raise LayersDiffer(f"{self.name} has too few sizes in steps of {where.step}")
            for i, letter in enumerate(letters):
                columns[letter] = [row[i if self.apart else 0] for row in rows]
        return [dict(zip(columns, row)) for row in zip(*columns.values())] if columns else [{}] * SAMPLES

    # --- its ranges ------------------------------------------------------------------------------------------------

    def with_ranges(self, pattern: LayerPattern, span: Mapping[str, Span]) -> Pattern:
        """The pattern, with the range of each knob, compared with the network at both ends. Raises LayersDiffer if it
        does not hold at the default sizes within its ranges."""
        ranges = self.together(pattern, {name: self.range(pattern, name, span[name]) for name in self.lengths})
        if self.has_batch:
            ranges = {BATCH: self.batches(pattern), **ranges}
        by_default = {name: knob.default for name, knob in self.sizes.knobs.items()} | self.fixed
        found = Pattern(pattern, ranges, self.fixed, len(pattern.samples), 0)
        at_default = all(one.counts_at(by_default[name]) for name, one in ranges.items())
        if at_default and not self.holds(pattern, self.sizes.letters(by_default)):
            raise LayersDiffer(str(self.why))
        for seed in range(REFITS + 1, REFITS + 5):
            if len(self.matched) < CHECKS:
                place = self.places(span, seed)[-1]
                if not self.same(pattern, self.letters(29 + seed, place)):
                    raise LayersDiffer(str(self.why))
        return found._replace(checks=len(self.matched))

    def together(self, pattern: LayerPattern, ranges: dict[str, Range]) -> dict[str, Range]:
        """The ranges of lengths, raised alike until the pattern holds where all of them are at their least: a network
        may ask for so many positions, of whatever sides. Raises LayersDiffer if it does not below the default."""
        if len(ranges) < 2:
            return ranges

        def corner(times: int) -> dict[str, int]:
            least = {
                letter: one.low + times * one.step
                for name, one in ranges.items()
                for letter in self.sizes.letters_of(name)
            }
            return self.letters(BATCHES[0], least)

        if self.same(pattern, corner(0)):
            return ranges
        knobs = self.sizes.knobs
        most = min((knobs[name].default - one.low) // one.step for name, one in ranges.items())
        times = 1 + bisect_left(range(1, most + 1), True, key=lambda times: self.same(pattern, corner(times)))
        if times > most:
            raise LayersDiffer(str(self.why))
        below = self.why_at(pattern, corner(times - 1))
        return {
            name: one._replace(low=one.low + times * one.step, below=below, counts_from=None)
            for name, one in ranges.items()
        }

    def batches(self, pattern: LayerPattern) -> Range:
        """The range of the batch, at the lengths of a sample."""
        lengths = [{name: n for name, n in one.letters.items() if name != BATCH} for one in pattern.samples]
        inside = min(lengths, key=lambda letters: prod(letters.values()))

        def differs(batch: int) -> bool:
            return not self.same(pattern, self.letters(batch, inside))

        found = Range(2 if self.lone else 1, LARGEST_BATCH, 1, self.lone, counts_from=1 if self.lone_counts else None)
        if not differs(LARGEST_BATCH):
            return found
        most = bisect_left(range(LARGEST_BATCH), True, BATCHES[-1], LARGEST_BATCH, key=differs) - 1
        return found._replace(high=most, above=self.why_at(pattern, self.letters(most + 1, inside)))

    def range(self, pattern: LayerPattern, knob: str, span: Span) -> Range:
        """The range of a length, all of whose letters are equal at its ends."""
        letters, step = self.sizes.letters_of(knob), span.step
        inside = [one.letters[letter] // step for one in pattern.samples for letter in letters]
        others = {letter: size for letter, size in pattern.samples[1].letters.items() if letter != BATCH}

        def at(times: int, batch: int = BATCHES[0]) -> dict[str, int]:
            return self.letters(batch, {**others, **dict.fromkeys(letters, times * step)})

        def differs(times: int) -> bool:
            return not self.same(pattern, at(times))

        least = 1 + bisect_left(range(1, min(inside)), True, key=lambda times: fits(pattern, at(times)))
        below = ""
        if not self.holds_at_least(pattern, at(least)):
            least = least + 1 + bisect_left(range(least + 1, min(inside)), True, key=lambda times: not differs(times))
            below = self.why_at(pattern, at(least - 1))
        most, above = max(*inside, TIMES_LARGER * self.sizes.knobs[knob].default // step), NOT_COMPARED
        if differs(most):
            most = bisect_left(range(most), True, max(inside), most, key=differs) - 1
            above = self.why_at(pattern, at(most + 1))
        return Range(least * step, most * step, step, below, above)

    def holds_at_least(self, pattern: LayerPattern, letters: Letters) -> bool:
        """Does a pattern hold at the least lengths, with the least batch of those at which it does?"""
        least = {**letters, **({BATCH: 2 if self.lone and not self.lone_counts else 1} if self.has_batch else {})}
        return self.holds(pattern, least) and (not self.lone_counts or self.same(pattern, letters))

    def why_at(self, pattern: LayerPattern, letters: Letters) -> str:
        """Why a pattern does not hold at these sizes."""
        return "" if self.same(pattern, letters) else said(self.why)


def cheapest_first(places: list[dict[str, int]]) -> list[dict[str, int]]:
    """The two smallest of the places, at which a network shows whether it has more layers at larger sizes; then the
    largest, which another refuses; and the rest."""
    small, other, *rest, large = sorted(places, key=lambda place: prod(place.values()))
    return [small, other, large, *rest]


def fits(pattern: LayerPattern, letters: Letters) -> bool:
    """Do the rules of all layers take these sizes?"""
    try:
        graph, shapes = pattern.with_shapes(letters)
        for _, data in graph.nodes(data=True):
            assumptions(needs_of(data["op"], tuple([shapes[source] for source in data["inputs"]])))
    except ShapeError:
        return False
    return True
