"""A picture as PNG or PDF, drawn by matplotlib in light colours."""

from __future__ import annotations

import io
import warnings
from typing import Any

from costcalc.chart.draw import UNDATED, import_matplotlib, quietly
from costcalc.drawing.shapes import LOOKS, Group, Picture, Polygon, Polyline, Rect, Shape, Text

PX = 72 / 96  # points in a px
DOTS = 192  # an inch, of a PNG: two a px
MAX_DOTS = 30_000  # along one side of a PNG
UNDATED_PDF = {"Creator": None, "Producer": None, "CreationDate": None}
STYLE = {"pdf.fonttype": 42, "text.parse_math": False, "font.family": "DejaVu Sans", "path.simplify": False}


def render(picture: Picture, format: str) -> bytes:
    """The bytes of a picture; `format` is png or pdf. Raises MissingExtra without matplotlib."""
    out = io.BytesIO()
    plotting = import_matplotlib()
    with quietly(), plotting.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that its font lacks
        plotting.rcdefaults()
        plotting.rcParams.update(STYLE)
        shown = (picture.shown_width or picture.width) / picture.width
        longest = max(picture.width, picture.height) * shown
        dots = min(DOTS, MAX_DOTS / longest * 96)
        metadata = UNDATED_PDF if format == "pdf" else UNDATED[format]
        _figure(picture, shown).savefig(out, format=format, dpi=dots, metadata=metadata)
    return out.getvalue()


def _figure(picture: Picture, scale: float) -> Any:
    """A figure whose axes are px of the picture, y downwards."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(picture.width * scale / 96, picture.height * scale / 96))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    for order, shape in enumerate(_flat((*picture.head, *picture.shapes))):
        _draw(axes, shape, scale * PX, order)
    return figure


def _flat(shapes: Any) -> Any:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _draw(axes: Any, shape: Shape, point: float, order: int) -> None:
    """Draws one shape; a `point` is a px of the picture in points."""
    from matplotlib import patches

    if isinstance(shape, Text):
        axes.text(
            shape.x, shape.y, shape.text, fontsize=shape.size * point, color=LOOKS[shape.kind].fill, zorder=order,
            ha="center" if shape.is_centred else "left", va="baseline", weight="bold" if shape.is_bold else "normal",
        )  # fmt: skip
    elif isinstance(shape, Polyline):
        _draw_wire(axes, shape, point, order)
    elif isinstance(shape, Polygon):
        axes.add_patch(patches.Polygon(shape.points, closed=True, zorder=order, **_look(shape, point)))
    elif isinstance(shape, Rect):
        at, style = shape.place, f"round,pad=0,rounding_size={shape.radius}" if shape.radius else "square,pad=0"
        axes.add_patch(
            patches.FancyBboxPatch((at.x, at.y), at.width, at.height, style, zorder=order, **_look(shape, point))
        )


def _look(shape: Rect | Polygon, point: float) -> dict[str, Any]:
    from matplotlib.colors import to_rgba

    look = LOOKS[shape.kind]
    edge = to_rgba(look.stroke, look.edge) if look.stroke else "none"
    return {"facecolor": to_rgba(look.fill, shape.opacity), "edgecolor": edge, "linewidth": look.line * point}


def _draw_wire(axes: Any, shape: Polyline, point: float, order: int) -> None:
    """A wire with its head, 7 px long, as in the SVG."""
    from matplotlib import patches

    look = LOOKS[shape.kind]
    (*_, before, (x, y)) = shape.points
    length, half = 7 * look.line, 3 * look.line
    dx, dy = (_sign(x - before[0]), _sign(y - before[1]))
    body = [*shape.points[:-1], (x - dx * length * 0.8, y - dy * length * 0.8)]
    axes.plot(*zip(*body), color=look.stroke, linewidth=look.line * point, zorder=order, solid_capstyle="butt")
    back = x - dx * length, y - dy * length
    head = [(x, y), (back[0] - dy * half, back[1] + dx * half), (back[0] + dy * half, back[1] - dx * half)]
    axes.add_patch(patches.Polygon(head, closed=True, color=LOOKS["head"].fill, linewidth=0, zorder=order))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
