"""The names in a picture: what is left of them in their frames, and how many copies there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import gcd

from costcalc.analysis.picture.block_copies import Copies, left_of
from costcalc.analysis.picture.box_units import Rowset, Unit, prefixes
from costcalc.drawing.sketch import Path
from costcalc.drawing.text_widths import cut_in_the_middle
from costcalc.table import visible

LONGEST_NAME = 28  # characters


class SketchNames:
    """Names the boxes and the frames of a picture."""

    def __init__(self, rowset: Rowset, units: Sequence[Unit], repeated: Copies):
        self.rows, self.units, self.repeated = rowset.rows, units, repeated
        self.heads = Counter(prefix for unit in units for prefix in prefixes(unit.name))

    def frames_of(self, unit: Unit) -> Path:
        """The frames that a box is in, the outermost first."""
        return self.repeated.frames(unit.name, is_block=unit.is_folded)

    def span(self, unit: Unit) -> str:
        """The first and the last layer of boxes that are one."""
        names = (str(self.rows[at].name) for at in (min(unit.rows), max(unit.rows)))
        return " – ".join(cut_in_the_middle(visible(name), LONGEST_NAME) for name in names)

    def title(self, unit: Unit, path: Path) -> str:
        """What is left of its name in its frame, without the op's name at its end, which the words below have; and how
        many copies there are, if no frame says so."""
        name = left_of(unit.name, path, self.repeated.stem_of)
        head, _, last = name.rpartition(".")
        alone = self.heads[unit.name.rpartition(".")[0]] == 1
        if head and alone and not unit.is_folded and last == self.rows[unit.rows[0]].op.name:
            name = head
        copies = self._copies([self.rows[at].times for at in unit.drawn], unit.copies) // self._copies_of(path)
        return cut_in_the_middle(visible(self.repeated.titled(unit.name, name)), LONGEST_NAME) + (
            f" ×{copies}" if copies > 1 else ""
        )

    def headings(self, paths: Iterable[Path]) -> dict[str, str]:
        """The heading of each frame: its name in the frame around it, and how many copies there are."""
        found: dict[str, str] = {}
        for path in paths:
            for depth, frame in enumerate(path):
                if frame not in found:
                    name = self.repeated.titled(frame, left_of(frame, path[:depth], self.repeated.stem_of))
                    copies = self._copies_of(path[: depth + 1]) // self._copies_of(path[:depth])
                    found[frame] = visible(name) + (f" ×{copies}" if copies > 1 else "")
        return found

    def _copies_of(self, path: Path) -> int:
        """How many copies there are of the innermost frame of a path, in all."""
        return self._frame_copies[path[-1]] if path else 1

    @cached_property
    def _frame_copies(self) -> Mapping[str, int]:
        """The copies of each frame: the greatest divisor of those of its boxes."""
        found: dict[str, int] = {}
        for unit in self.units:
            copies = self._copies([self.rows[at].times for at in unit.drawn], unit.copies)
            for frame in self.frames_of(unit):
                found[frame] = gcd(found.get(frame, 0), copies)
        return found

    def _copies(self, times: Sequence[object], copies: int) -> int:
        """How many copies there are of layers: what divides the times of all, and those that are drawn once."""
        return copies * (gcd(*(n if isinstance(n, int) else 1 for n in times)) or 1)

    def short_name(self, unit: Unit) -> str:
        """Its name without that of its op at the end."""
        op = self.rows[unit.rows[0]].op.name
        return visible(unit.name if unit.is_folded else unit.name.removesuffix(f".{op}"))
