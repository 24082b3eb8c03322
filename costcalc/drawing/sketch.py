"""What a drawing shows, before it has places: boxes with their texts, wires between them, and frames around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import ceil

from costcalc.drawing.text_widths import text_width

TITLE_SIZE, LINE_SIZE, LABEL_SIZE, HEADING_SIZE = 12, 10, 9, 11  # of type, in px
LINE_HEIGHT = 14
PADDING = 8  # between the edge of a box and its texts
BAR_HEIGHT = 5
MIN_WIDTH = 96  # of a box with costs
MIN_PILL_WIDTH = 40.0  # of a pill, which would be a circle with one letter
GRAIN = 12.0  # widths of boxes are multiples of it, so that nearly equal ones are equal
NO_CHANNELS, DOUBLING = 16.0, 22.0  # the width for one channel, and how much more for twice as many
Path = tuple[str, ...]  # of the frames that something is in, the outermost first


@dataclass(frozen=True)
class Box:
    """A box: one layer or several that are drawn as one.

    `share` is its part of the network's cost, None for what has none by nature; `shade` its part of the largest box,
    from 0 to 1. `layers` are the numbers of its rows in the table of the network.
    """

    key: str
    title: str
    lines: tuple[str, ...] = ()
    path: Path = ()
    share: float | None = None
    shade: float = 0.0
    hover: str = ""  # its exact numbers
    layers: tuple[int, ...] = ()
    leaving: tuple[int, ...] = ()  # those of its rows whose outputs leave it, one of each shape
    is_pill: bool = False  # small and round: add, concat, inputs
    channels: int = 0  # that leave it, which its width shows; 0: its width shows nothing
    least_width: float = 0.0  # px, for its channels
    name: str = ""  # in full: of its layer, or of the block that it stands for
    cost: str = ""  # the last of its lines, if it has a cost
    is_folded: bool = False  # a block, or several boxes as one: its lines have no ops
    copies: int = 1  # of equal blocks that are drawn once
    details: tuple[str, ...] = ()  # those of its lines that say which layers it holds or reads

    @property
    def width(self) -> float:
        """In px."""
        texts = [text_width(self.title, TITLE_SIZE, bold=True), *(text_width(line, LINE_SIZE) for line in self.lines)]
        if self.is_pill:
            return max(ceil(max(texts) / 2 + PADDING) * 2.0, MIN_PILL_WIDTH)
        least = max(MIN_WIDTH, *texts) + 2 * PADDING
        return max(ceil(least / GRAIN) * GRAIN, self.least_width)

    @property
    def height(self) -> float:
        """In px."""
        if self.is_pill:
            return 22.0 + LINE_HEIGHT * len(self.lines)
        bar = 0 if self.share is None else BAR_HEIGHT + 4
        return 2.0 * PADDING + LINE_HEIGHT * (1 + len(self.lines)) - 2 + bar


@dataclass(frozen=True)
class Wire:
    """From one box to another; `label` is the shape of what goes along it."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Sketch:
    """Boxes in the order of the network, wires, and the heading of each frame by its name."""

    title: str
    boxes: Sequence[Box]
    wires: Sequence[Wire]
    headings: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    notes: tuple[str, ...] = ()
    stem_of: Mapping[str, str] = field(default_factory=dict)  # of frames whose names do not begin those in them
    outputs: Mapping[str, str] = field(default_factory=dict)  # of the network: their shapes, by the boxes they leave


def with_outputs(sketch: Sketch) -> Sketch:
    """The sketch with a pill for each output of the network, to which a wire leads."""
    ends = [Wire(box, f"output of {box}", shape) for box, shape in sketch.outputs.items()]
    pills = [Box(wire.target, "output", hover="an output of the network", is_pill=True, name="output") for wire in ends]
    return replace(sketch, boxes=[*sketch.boxes, *pills], wires=[*sketch.wires, *ends], outputs={})


def with_channel_widths(boxes: Sequence[Box]) -> list[Box]:
    """The boxes with widths for their channels: of those of a frame none is narrower than one with fewer channels, and
    those with as many are as wide."""
    found = [*boxes]
    order = sorted(
        (at for at, box in enumerate(boxes) if box.channels), key=lambda at: (boxes[at].path, boxes[at].channels)
    )
    for _, same in groupby(order, key=lambda at: boxes[at].path):
        widest = 0.0
        for channels, those in groupby(same, key=lambda at: boxes[at].channels):
            alike = [*those]
            least = round((NO_CHANNELS + DOUBLING * doublings(channels)) / GRAIN) * GRAIN
            widest = max(widest, least, *(boxes[at].width for at in alike))
            for at in alike:
                found[at] = replace(boxes[at], least_width=widest)
    return found


def doublings(count: int) -> float:
    """How often 1 is doubled to make a count; between powers of two in proportion, as no two machines' logarithms need
    agree."""
    power = count.bit_length() - 1
    return power + count / (1 << power) - 1
