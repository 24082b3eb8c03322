"""The blocks of a picture that are drawn once: how many there are of each, and the frames around those that repeat
together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from costcalc.analysis.picture.box_units import prefixes


class Run(NamedTuple):
    """Copies one behind the other: how many, and the name of the last block."""

    times: int
    last: str


@dataclass
class Copies:
    """The blocks that are drawn once by the name of the first, and the frames around such blocks."""

    runs: dict[str, Run] = field(default_factory=dict)  # by the block or the frame that is drawn
    blocks_in_frame: dict[str, int] = field(default_factory=dict)  # that repeat together
    frames_around: dict[str, tuple[str, ...]] = field(default_factory=dict)  # a block, the outermost first
    stem_of: dict[str, str] = field(default_factory=dict)  # of a frame around several blocks: `s.0–5`

    def add(self, blocks: Sequence[str], last: str, times: int) -> str:
        """Records `times` consecutive copies of `blocks`; `last` names the last block. Returns the name of the frame
        around them: that of the block if there is one."""
        last = next((self.runs[frame].last for frame in self._frames(last) if frame in self.runs), last)
        frame = blocks[0]
        if len(blocks) > 1:
            stem = _spanned(frame, last)
            frame = f"{stem}\0×{len(blocks)}"  # no layer has this name, nor has a frame of other blocks
            self.stem_of[frame] = stem
            self.blocks_in_frame[frame] = sum(self._of_one_depth(block) for block in blocks)
            self.frames_around |= {block: (frame, *self.frames_around.get(block, ())) for block in blocks}
        self.runs[frame] = Run(times, last)
        return frame

    def _frames(self, block: str) -> tuple[str, ...]:
        return (*self.frames_around.get(block, ()), block)

    def _of_one_depth(self, block: str) -> int:
        return prod(self.runs[frame].times for frame in self._frames(block) if frame in self.runs)

    def of(self, block: str) -> int:
        """How many copies there are of a block, with those of the blocks around it."""
        return prod(map(self._of_one_depth, (*prefixes(block), block)))

    def frames(self, name: str, *, is_block: bool) -> tuple[str, ...]:
        """The frames that a layer or a block is in, the outermost first."""
        blocks = (frame for block in prefixes(name) for frame in self._frames(block))
        return (*blocks, *(self.frames_around.get(name, ()) if is_block else ()))

    def titled(self, name: str, short: str) -> str:
        """The name of a block or a frame for a reader, made of what is left of it in the frame around it: `1–5` for the
        blocks from `layer1.1` to `layer1.5`, and `0–5: 2 blocks` where each second one is equal."""
        if name in self.blocks_in_frame:
            return f"{short}: {self.blocks_in_frame[name]} blocks"
        return _spanned(short, self.runs[name].last) if name in self.runs else short


def left_of(name: str, frames: Sequence[str], stem_of: Mapping[str, str]) -> str:
    """What is left of the name of a layer, a block or a frame in the innermost of these frames."""
    name = stem_of.get(name, name)
    if not frames:
        return name
    frame = stem_of.get(frames[-1], frames[-1])
    around = frame if name.startswith(f"{frame}.") else frame.rpartition(".")[0]
    return name[len(around) + 1 :] if around else name


def _spanned(name: str, last: str) -> str:
    return f"{name}–{last.rpartition('.')[2]}"
