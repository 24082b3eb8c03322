"""A frame that is too tall for a column goes on in the next one: its boxes from a row on are in one of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from costcalc.drawing.even_parts import even_parts
from costcalc.drawing.frame_layout import FrameLayout
from costcalc.drawing.sheet_columns import GUTTER, MAX_COLUMNS, MAX_HEIGHT_TO_WIDTH, where_one_wire_goes_down
from costcalc.drawing.sketch import Sketch

LEAST_ROWS = 2  # of a frame, in each of its parts


class Cut(NamedTuple):
    """Where a drawing may be cut: its y, and the frame and its row that it is in front of; no frame is the whole."""

    y: float
    frame: str
    row: int


class SplitSketch(NamedTuple):
    """A sketch with frames in parts; `continues` has the frame before each part that is not the first of its frame."""

    sketch: Sketch
    continues: Mapping[str, str]


def with_split_frames(sketch: Sketch, whole: FrameLayout, frames: Mapping[str, FrameLayout]) -> SplitSketch | None:
    """The sketch with outermost frames in parts, where those in columns make it no taller than wanted; None if none
    help. A frame that is drawn once for several stays whole."""
    once = {box.path[0] for box in sketch.boxes if box.path and box.copies == 1 and not box.is_pill}
    possible = [Cut(whole.tops[row], "", row) for row in where_one_wire_goes_down(whole)]
    possible += [cut for name in frames if name in once for cut in _within(name, frames[name], whole)]
    for many in range(2, MAX_COLUMNS + 1):
        cuts = _cuts(sorted(possible), whole.height, many)
        ends = [0.0, *(cut.y for cut in cuts), whole.height]
        highest = max(end - begin for begin, end in itertools.pairwise(ends))
        if highest <= MAX_HEIGHT_TO_WIDTH * (whole.width * len(cuts) + whole.width + GUTTER * len(cuts)):
            within = [cut for cut in cuts if cut.frame]
            return _in_parts(sketch, frames, within) if within else None
    return None


def _within(name: str, inside: FrameLayout, whole: FrameLayout) -> Iterator[Cut]:
    """Where a frame may be cut that is alone in its row, with one way in and one out."""
    row, last = whole.level_of(name), len(inside.rows.rows) - 1
    if len(whole.rows.rows[row]) == 1 and len(inside.sources_in) == len(inside.sources_out) == 1:
        for at in where_one_wire_goes_down(inside):
            if LEAST_ROWS < at <= last - LEAST_ROWS:
                yield Cut(whole.tops[row] + inside.tops[at], name, at)


def _cuts(possible: Sequence[Cut], height: float, many: int) -> Sequence[Cut]:
    """Where at most so many columns are cut, of which the highest is as low as can be, to 2 %."""
    return even_parts(partial(_greedy, possible, height), height / many, many - 1)


def _greedy(possible: Sequence[Cut], height: float, most: float) -> list[Cut]:
    found: list[Cut] = []
    top = 0.0
    while height - top > most:
        later = [cut for cut in possible if cut.y > top]
        fitting = [cut for cut in later if cut.y - top <= most]
        if not later:
            break
        found.append(fitting[-1] if fitting else later[0])
        top = found[-1].y
    return found


def _in_parts(sketch: Sketch, frames: Mapping[str, FrameLayout], cuts: Sequence[Cut]) -> SplitSketch:
    """The sketch with the members of each frame from each cut on in a frame that continues it."""
    renamed: dict[tuple[str, str], str] = {}  # the frame and a member of it, to the part that the member is in
    headings = dict(sketch.headings)
    continues: dict[str, str] = {}
    for cut in cuts:
        inside = frames[cut.frame]
        before = renamed.get((cut.frame, inside.members[-1].name), cut.frame)
        part = f"{before}\0continued"  # a name that no block has
        continues[part] = before
        headings[part] = f"{sketch.headings.get(cut.frame, '')} (cont.)"
        behind = [member.name for member in inside.members if inside.level_of(member.name) >= cut.row]
        renamed |= {(cut.frame, name): part for name in behind}
    boxes = []
    for box in sketch.boxes:
        outer, *inner = box.path or ("",)
        member = inner[0] if inner else box.key
        boxes.append(replace(box, path=(renamed.get((outer, member), outer), *inner)) if box.path else box)
    return SplitSketch(replace(sketch, boxes=boxes, headings=headings), continues)
