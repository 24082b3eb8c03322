"""The blocks of a picture that are drawn once: how many there are of each, and the frames around those that repeat
together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from costcalc.analysis.picture.box_units import prefixes

TOGETHER = "\0×"  # in the name of a frame around blocks that repeat together, `s.0–5\0×2` around s.0 and s.1


@dataclass
class Copies:
    """The blocks that are drawn once by the name of the first, and the frames around such blocks."""

    found: dict[str, tuple[int, str]] = field(default_factory=dict)  # how many there are, and the name of the last
    together: dict[str, int] = field(default_factory=dict)  # how many blocks repeat in a frame
    around: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the frames around a block, the outermost first

    def add(self, blocks: Sequence[str], last: str, times: int) -> str:
        """Blocks that stand so often one behind the other, to the `last`. Returns the name of what holds them."""
        last = next((self.found[frame][1] for frame in self._frames(last) if frame in self.found), last)
        frame = blocks[0]
        if len(blocks) > 1:
            frame = f"{_spanned(frame, last)}{TOGETHER}{len(blocks)}"
            self.together[frame] = sum(self._of_one_depth(block) for block in blocks)
            self.around |= {block: (frame, *self.around.get(block, ())) for block in blocks}
        self.found[frame] = times, last
        return frame

    def _frames(self, block: str) -> tuple[str, ...]:
        return (*self.around.get(block, ()), block)

    def _of_one_depth(self, block: str) -> int:
        return prod(self.found[frame][0] for frame in self._frames(block) if frame in self.found)

    def of(self, block: str) -> int:
        """How many copies there are of a block, with those of the blocks around it."""
        return prod(map(self._of_one_depth, (*prefixes(block), block)))

    def frames(self, name: str, *, is_block: bool) -> tuple[str, ...]:
        """The frames that a layer or a block is in, the outermost first."""
        blocks = (frame for block in prefixes(name) for frame in self._frames(block))
        return (*blocks, *(self.around.get(name, ()) if is_block else ()))

    def titled(self, name: str, short: str) -> str:
        """The name of a block or a frame for a reader, made of what is left of it in the frame around it: `1–5` for the
        blocks from `layer1.1` to `layer1.5`, and `0–5: 2 blocks` where each second one is equal."""
        if name in self.together:
            return f"{short}: {self.together[name]} blocks"
        return _spanned(short, self.found[name][1]) if name in self.found else short


def left_of(name: str, frames: Sequence[str]) -> str:
    """What is left of the name of a layer, a block or a frame in the innermost of these frames."""
    name = name.partition(TOGETHER)[0]
    if not frames:
        return name
    frame = frames[-1].partition(TOGETHER)[0]
    around = frame if name.startswith(f"{frame}.") else frame.rpartition(".")[0]
    return name[len(around) + 1 :] if around else name


def _spanned(name: str, last: str) -> str:
    return f"{name}–{last.rpartition('.')[2]}"
