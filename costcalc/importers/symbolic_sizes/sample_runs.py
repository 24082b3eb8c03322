"""Runs a network at sizes, each once, and compares its layers with a pattern."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from costcalc.errors import ImportRefused, ShapeError
from costcalc.importers.symbolic_sizes.input_sizes import BATCH, InputSizes, Letters
from costcalc.importers.symbolic_sizes.layer_pattern import LayerPattern, Sample
from costcalc.importers.symbolic_sizes.pattern_range import said
from costcalc.importers.symbolic_sizes.same_counts import check_same_counts


class SampleRuns:
    """The runs of a network at free sizes; all others have the sizes in `fixed`."""

    def __init__(
        self, sizes: InputSizes, run: Callable[[Letters], Sample], free: Sequence[str], fixed: Mapping[str, int]
    ):
        self.sizes, self.run, self.fixed = sizes, run, dict(fixed)
        self.lengths = [knob for knob in free if knob != BATCH]  # the sides of images, tokens
        self.has_batch = BATCH in free
        self.ran: dict[tuple[Any, ...], Sample | ImportRefused] = {}
        self.matched: set[tuple[Any, ...]] = set()  # sizes at which the last pattern was compared and held
        self.why = ImportRefused("")  # why the last run differed

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

    def why_at(self, pattern: LayerPattern, letters: Letters) -> str:
        """Why a pattern does not hold at these sizes."""
        return "" if self.same(pattern, letters) else said(self.why)
