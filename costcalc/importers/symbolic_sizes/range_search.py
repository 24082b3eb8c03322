"""Finds in which range of sizes a pattern of layers holds, by runs of the network."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import prod

from costcalc.errors import ShapeError
from costcalc.importers.symbolic_sizes.input_sizes import BATCH, Letters
from costcalc.importers.symbolic_sizes.layer_pattern import LayerPattern, LayersDiffer
from costcalc.importers.symbolic_sizes.pattern_range import NOT_COMPARED, Range
from costcalc.importers.symbolic_sizes.sample_runs import SampleRuns
from costcalc.importers.symbolic_sizes.sample_sizes import BATCHES, LARGEST_BATCH, TIMES_LARGER, Span
from costcalc.ops.check_needs import assumptions, needs_of


class RangeSearch:
    """Searches the range of each free knob of a pattern. `lone` is the reason if it does not hold at a batch of 1, and
    `lone_counts` says whether it holds there for counts."""

    def __init__(self, runs: SampleRuns, pattern: LayerPattern, lone: str, lone_counts: bool):
        self.runs, self.pattern, self.lone, self.lone_counts = runs, pattern, lone, lone_counts

    def ranges(self, span: Mapping[str, Span]) -> dict[str, Range]:
        """The range of each knob, compared with the network at both ends."""
        lengths = self.together({name: self.range(name, span[name]) for name in self.runs.lengths})
        return {BATCH: self.batches(), **lengths} if self.runs.has_batch else lengths

    def holds(self, letters: Letters) -> bool:
        """Does the pattern hold at these sizes? At a batch of 1 where views differ, does it hold for counts?"""
        for_counts = self.lone_counts and letters[BATCH] == 1
        return (self.runs.same_counts if for_counts else self.runs.same)(self.pattern, letters)

    def together(self, ranges: dict[str, Range]) -> dict[str, Range]:
        """The ranges of lengths, raised alike until the pattern holds where all of them are at their least: a network
        may ask for so many positions, of whatever sides. Raises LayersDiffer if it does not below the default."""
        if len(ranges) < 2:
            return ranges

        def corner(times: int) -> dict[str, int]:
            least = {
                letter: one.low + times * one.step
                for name, one in ranges.items()
                for letter in self.runs.sizes.letters_of(name)
            }
            return self.runs.letters(BATCHES[0], least)

        if self.runs.same(self.pattern, corner(0)):
            return ranges
        knobs = self.runs.sizes.knobs
        most = min((knobs[name].default - one.low) // one.step for name, one in ranges.items())
        times = 1 + bisect_left(range(1, most + 1), True, key=lambda times: self.runs.same(self.pattern, corner(times)))
        if times > most:
            raise LayersDiffer(str(self.runs.why))
        below = self.runs.why_at(self.pattern, corner(times - 1))
        return {
            name: one._replace(low=one.low + times * one.step, below=below, counts_from=None)
            for name, one in ranges.items()
        }

    def batches(self) -> Range:
        """The range of the batch, at the lengths of a sample."""
        lengths = [{name: n for name, n in one.letters.items() if name != BATCH} for one in self.pattern.samples]
        inside = min(lengths, key=lambda letters: prod(letters.values()))

        def differs(batch: int) -> bool:
            return not self.runs.same(self.pattern, self.runs.letters(batch, inside))

        found = Range(2 if self.lone else 1, LARGEST_BATCH, 1, self.lone, counts_from=1 if self.lone_counts else None)
        if not differs(LARGEST_BATCH):
            return found
        most = bisect_left(range(LARGEST_BATCH), True, BATCHES[-1], LARGEST_BATCH, key=differs) - 1
        return found._replace(high=most, above=self.runs.why_at(self.pattern, self.runs.letters(most + 1, inside)))

    def range(self, knob: str, span: Span) -> Range:
        """The range of a length, all of whose letters are equal at its ends."""
        letters, step = self.runs.sizes.letters_of(knob), span.step
        inside = [one.letters[letter] // step for one in self.pattern.samples for letter in letters]
        others = {letter: size for letter, size in self.pattern.samples[1].letters.items() if letter != BATCH}

        def at(times: int) -> dict[str, int]:
            return self.runs.letters(BATCHES[0], {**others, **dict.fromkeys(letters, times * step)})

        def differs(times: int) -> bool:
            return not self.runs.same(self.pattern, at(times))

        least = 1 + bisect_left(range(1, min(inside)), True, key=lambda times: fits(self.pattern, at(times)))
        below = ""
        if not self.holds_at_least(at(least)):
            least = least + 1 + bisect_left(range(least + 1, min(inside)), True, key=lambda times: not differs(times))
            below = self.runs.why_at(self.pattern, at(least - 1))
        most, above = max(*inside, TIMES_LARGER * self.runs.sizes.knobs[knob].default // step), NOT_COMPARED
        if differs(most):
            most = bisect_left(range(most), True, max(inside), most, key=differs) - 1
            above = self.runs.why_at(self.pattern, at(most + 1))
        return Range(least * step, most * step, step, below, above)

    def holds_at_least(self, letters: Letters) -> bool:
        """Does a pattern hold at the least lengths, with the least batch of those at which it does?"""
        least = {**letters, **({BATCH: 2 if self.lone and not self.lone_counts else 1} if self.runs.has_batch else {})}
        return self.holds(least) and (not self.lone_counts or self.runs.same(self.pattern, letters))


def fits(pattern: LayerPattern, letters: Letters) -> bool:
    """Do the rules of all layers take these sizes?"""
    try:
        graph, shapes = pattern.with_shapes(letters)
        for _, data in graph.nodes(data=True):
            assumptions(needs_of(data["op"], tuple([shapes[source] for source in data["inputs"]])))
    except ShapeError:
        return False
    return True
