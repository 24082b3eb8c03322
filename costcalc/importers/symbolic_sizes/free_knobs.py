"""Which knobs of an imported network may be symbols together, and why each of the others may not.

The sides of an image, or an image and a text, are tried apart where they are refused together: a layer that fits one
width leaves the height free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from costcalc.errors import ImportRefused
from costcalc.importers.symbolic_sizes.input_sizes import BATCH

Refusal = Callable[[tuple[str, ...]], ImportRefused | None]  # why there is no pattern in these knobs; None if there is


class FreeKnobs:
    """Those of some knobs that may be symbols: `found`, the others at their defaults; and `why` the others may not."""

    def __init__(self, knobs: Sequence[str], refusal: Refusal):
        self.refusal = refusal
        self.why: dict[str, ImportRefused] = {}
        self.asked: dict[str, int] = {}  # with how many knobs that reason was found
        batch = tuple([name for name in knobs if name == BATCH])
        lengths = tuple([name for name in knobs if name != BATCH])
        self.found = (*knobs,)
        if not self.works(self.found):
            self.found = self.apart(batch, lengths)
            if not self.found and batch and lengths:
                self.found = batch if self.works(batch) else lengths if self.works(lengths) else self.apart((), lengths)

    def apart(self, batch: tuple[str, ...], lengths: tuple[str, ...]) -> tuple[str, ...]:
        """The lengths that are free each on its own, and together; else the first of them."""
        if len(lengths) < 2:
            return ()
        alone = tuple([name for name in lengths if self.works((*batch, name))])
        if 1 < len(alone) < len(lengths) and self.works((*batch, *alone)):
            return (*batch, *alone)
        return (*batch, alone[0]) if alone else ()

    def works(self, knobs: tuple[str, ...]) -> bool:
        """May these be symbols together? Notes why not: for a length in the fewest knobs, for the batch alone."""
        refused = self.refusal(knobs)
        if refused is None:
            return True
        for name in knobs:
            fewer = len(knobs) < self.asked.get(name, len(knobs) + 1)
            if name not in self.why or (fewer and (name != BATCH or len(knobs) == 1)):
                self.why[name], self.asked[name] = refused, len(knobs)
        return False
