"""The memory of a step as a line of events: bytes that are taken or given back, and moments at which we look at them.

A body that is repeated stands once in it, between a Begin and an End that say how many copies there are. A copy that
changes what is held by c, and holds up to p more than before, makes m times m·c, and up to p + max(0, (m − 1)·c).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from costcalc.dims import Size, maximum

WEIGHTS, BUFFERS, GRADIENTS, OPTIMIZER, DATA, KEPT, TEMPORARY = KINDS = (
    "weights", "buffers", "gradients", "optimizer", "inputs and targets", "activations kept", "temporary",
)  # fmt: skip


class Change(NamedTuple):
    """Memory of a kind that is taken; or given back, if the sign is −1."""

    kind: str
    size: Size
    sign: int = 1

    @property
    def bytes(self) -> Size:
        """By how much it changes what is held."""
        return self.size if self.sign == 1 else -self.size


class Moment(NamedTuple):
    """A moment at which a layer is computed."""

    layer: Any
    phase: str  # forward, loss, recomputation, backward or update


class Begin(NamedTuple):
    """The start of a body that stands for several copies."""

    copies: Size


class End(NamedTuple):
    """The end of that body."""


Event = Change | Moment | Begin | End


def peaks_of(events: Iterable[Event]) -> dict[Moment, Size]:
    """The most bytes held at each moment, starting from none, in numbers; a moment of a body that stands for several
    copies is the largest of theirs. On arrays high_moments.py is faster."""
    stack: list[tuple[Size, dict[Moment, Size], Size]] = []  # of the bodies around: change and peaks so far, and copies
    change: Size = 0
    peaks: dict[Moment, Size] = {}
    for event in events:
        match event:
            case Moment():
                peaks[event] = maximum(peaks[event], change) if event in peaks else change
            case Begin(copies):
                stack.append((change, peaks, copies))
                change, peaks = 0, {}
            case End():
                before, around, copies = stack.pop()
                higher = before + maximum(0, (copies - 1) * change)
                around.update({moment: peak + higher for moment, peak in peaks.items()})
                change, peaks = before + copies * change, around
            case Change():
                change = change + event.bytes
    return peaks


def parts_at(events: Iterable[Event], moment: Moment, peak: int) -> dict[str, int]:
    """The bytes of each kind that are held at the moment when `peak` bytes are; the step has its bodies written out."""
    held: Counter[str] = Counter()
    for event in events:
        if isinstance(event, Change):
            held[event.kind] += event.bytes
        elif event == moment and held.total() == peak:
            break
    return {kind: held[kind] for kind in KINDS}


class HeldMemory:
    """Memory that is held, by key; taking it and giving it back are events of a timeline."""

    def __init__(self) -> None:
        self.held: dict[Any, Change] = {}
        self.timeline: list[Event] = []

    def moment(self, layer: Any, phase: str) -> None:
        """A layer is computed now."""
        self.timeline.append(Moment(layer, phase))

    def take(self, key: Any, size: Size, kind: str = TEMPORARY) -> None:
        """Takes memory."""
        if size.__class__ is not int or size:
            self.held[key] = Change(kind, size)
            self.timeline.append(self.held[key])

    def free(self, key: Any) -> None:
        """Gives memory back, if it is held."""
        if key in self.held:
            kind, size, _ = self.held.pop(key)
            self.timeline.append(Change(kind, size, -1))
