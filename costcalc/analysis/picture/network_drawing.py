"""The drawing of a network: its sketch in the style that is asked for, laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from costcalc.analysis.cost import Cost
from costcalc.analysis.picture.network_sketch import network_sketch
from costcalc.analysis.picture.network_volumes import network_volumes
from costcalc.drawing import Drawing
from costcalc.drawing.sheet_layout import laid_out
from costcalc.drawing.styles import STYLES, VOLUMES
from costcalc.errors import UsageError, unknown

LEAST_WIDTH = 100  # px


def network_drawing(
    cost: Cost, *, depth: int | None = None, shade: str = "macs", style: str = "blocks", every_layer: bool = False,
    width: int | None = None, copies: bool = False, seconds: Mapping[str, float] | None = None,
) -> Drawing:  # fmt: skip
    """The drawing of a network, as `Net.drawing` has it."""
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    if width is not None and width < LEAST_WIDTH:
        raise UsageError(f"a drawing of {width} px cannot be read; give it {LEAST_WIDTH} or more")
    if style == VOLUMES:
        if depth is not None or every_layer:
            raise UsageError("volumes are the layers themselves: leave out depth and every_layer")
        return Drawing(network_volumes(cost, shade=shade, width=width, seconds=seconds))
    sketch = network_sketch(cost, depth=depth, shade=shade, every_layer=every_layer, copies=copies, seconds=seconds)
    return Drawing.of(laid_out(sketch, width=width))


def pictures(costs: Sequence[Cost], shade: str = "macs") -> str:
    """The drawings of networks side by side as HTML, for notebooks. Ids are made of what is drawn, so that those of
    several networks on a page differ."""
    drawn = []
    for cost in costs:
        drawing = network_drawing(cost, shade=shade)
        name = "d" + sha256(drawing.svg().encode("utf-8", "backslashreplace")).hexdigest()[:12]
        drawn.append(f'<div style="overflow-x:auto">{drawing.svg(name)}</div>')
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{"".join(drawn)}</div>'
