"""Which layout a drawing has: with its frames whole, or with those that are too tall in parts."""

from __future__ import annotations

from collections.abc import Mapping

from costcalc.drawing.drawing import DrawingData, Point
from costcalc.drawing.nested_layout import WHOLE, NestedLayout
from costcalc.drawing.sheet_columns import MAX_HEIGHT_AFTER_CUT, is_too_tall
from costcalc.drawing.sketch import Sketch, with_outputs
from costcalc.drawing.split_frames import with_split_frames

MAX_GROWTH = 1.25  # times its area, of a drawing whose frames are in parts


def laid_out(
    sketch: Sketch, *, columns: bool = True, width: float | None = None, sheet: Point | None = None
) -> DrawingData:
    """The sketch with places. With `columns` a tall drawing is cut where one wire goes down, and goes on beside, as far
    as the `width` in px allows, and of frames that are too tall for a column each part is a frame. A drawing that is
    wider still is shown smaller. On a `sheet` of this width and height, in any unit, it has the columns in which it is
    shown largest."""
    layout = NestedLayout(with_outputs(sketch))
    whole = layout.drawing(columns, width, sheet)
    if not columns or sheet is not None or not is_too_tall(whole.width, whole.height):
        return whole
    split = with_split_frames(layout.opened(), layout.frames[WHOLE], layout.outermost())
    if split is None:
        return whole
    parted = NestedLayout(*split).drawing(columns, width, None)
    is_larger = parted.width * parted.height > MAX_GROWTH * whole.width * whole.height
    is_lower = parted.height <= MAX_HEIGHT_AFTER_CUT * whole.height
    return parted if is_lower and not is_larger and _begin_columns(parted, split.continues) else whole


def _begin_columns(drawing: DrawingData, continues: Mapping[str, str]) -> bool:
    """Does each frame that continues another one stand in a later column?"""
    places = {frame.name: frame.place for frame in drawing.frames}
    return all(place.x > places[continues[name]].right for name, place in places.items() if name in continues)
