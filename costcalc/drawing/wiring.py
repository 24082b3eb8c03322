"""Wires in the gap between two rows: down, level on a track of their own, and down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

STEM, TRACK, ARROW = 16.0, 8.0, 14.0  # px: down from a box beside its label, from track to track, down to the next row
SPREAD = 12.0  # px between wires that end at one box
MIN_WIRE_DISTANCE = 4.0  # px between upright pieces that can be told apart
STRAIGHT = 0.05  # px: less is no bend


class Run(NamedTuple):
    """A wire in a gap: from x to x, of a source; wires of one source may share a track."""

    begin: float
    end: float
    source: str


def tracks(runs: Sequence[Run]) -> list[int]:
    """The track of each run, from above; -1 for one that goes straight down. Level pieces of different sources do not
    meet, and of two that go the same way the one that ends further on is the upper one, so that they do not cross. One
    that begins above where another one ends is the upper one, so that they do not go down on each other."""
    found = [-1] * len(runs)
    bent = [at for at, run in enumerate(runs) if abs(run.begin - run.end) > STRAIGHT]
    order = sorted(bent, key=lambda at: -runs[at].begin if runs[at].end > runs[at].begin else runs[at].begin)
    order = _beginning_above(order, runs)
    spans: dict[str, tuple[float, float]] = {}
    for at in bent:
        run = runs[at]
        low, high = spans.get(run.source, (run.begin, run.begin))
        spans[run.source] = min(low, run.begin, run.end), max(high, run.begin, run.end)
    track_of: dict[str, int] = {}
    for at in order:
        source = runs[at].source
        if source not in track_of:
            low, high = spans[source]
            taken = [
                track for other, track in track_of.items() if spans[other][0] <= high + 4 and low - 4 <= spans[other][1]
            ]
            track_of[source] = max(taken, default=-1) + 1
        found[at] = track_of[source]
    return found


def _beginning_above(order: Sequence[int], runs: Sequence[Run]) -> list[int]:
    """The order with each run before those of other sources that end where it begins, as far as there is one."""
    found: list[int] = []
    for at in order:
        first = next(
            (
                place for place, other in enumerate(found)
                if runs[other].source != runs[at].source and abs(runs[other].end - runs[at].begin) < MIN_WIRE_DISTANCE
            ),
            len(found),
        )  # fmt: skip
        found.insert(first, at)
    return found


def gap_height(found: Sequence[int], stem: float = STEM) -> float:
    """The height of a gap with these tracks."""
    return stem + TRACK * (max(found, default=-1) + 1) + ARROW


def ends_at(width: float, centre: float, begins: Sequence[float]) -> list[float]:
    """Where wires that come from these x end at the top of a box: one in its middle, others beside it, in the order of
    where they come from."""
    if len(begins) == 1:
        return [centre]
    order = sorted(range(len(begins)), key=begins.__getitem__)
    step = min(SPREAD, (width - 10) / max(len(begins) - 1, 1))
    straight = [rank for rank, at in enumerate(order) if abs(begins[at] - centre) <= STRAIGHT]
    middle = straight[0] if straight else (len(begins) - 1) / 2
    if straight and max(middle, len(begins) - 1 - middle) * step > width / 2 - 5:
        step = (width / 2 - 5) / max(middle, len(begins) - 1 - middle)
    ends = [0.0] * len(begins)
    for rank, at in enumerate(order):
        ends[at] = round(centre + (rank - middle) * step, 1)
    return ends
