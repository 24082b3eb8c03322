"""A drawing as SVG: text is text, light colours are attributes, dark ones a style sheet that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from costcalc.drawing.drawing import DrawingData, PlacedBox, PlacedFrame, PlacedWire
from costcalc.drawing.sketch import BAR_HEIGHT, HEADING_SIZE, LABEL_SIZE, LINE_HEIGHT, LINE_SIZE, PADDING, TITLE_SIZE

INK, PAPER, WIRE, FINE, SHADE = "#111111", "#ffffff", "#555555", "#444444", "#1f5fa8"
DARK = {
    "ink": "#eeeeee",
    "paper": "#16181c",
    "box": "#22252b",
    "wire": "#a9adb5",
    "fine": "#b8bcc4",
    "shade": "#2f6db5",
}
MOST_SHADE = 0.6  # opacity of the largest box
FRAME_SHADE, MOST_FRAMES = 0.04, 4  # black over each frame, of so many within each other
FONT = "DejaVu Sans, Verdana, Arial, Helvetica, sans-serif"
HEAD = 26.0  # px above the drawing for its title and note
STYLE = (
    "@media (prefers-color-scheme: dark) {{ .paper {{ fill: {paper} }} .ink {{ fill: {ink} }} .fine {{ fill: {fine} }} "
    ".box {{ fill: {box}; stroke: {fine} }} .frame {{ fill: #ffffff; stroke: {fine} }} .shade {{ fill: {shade} }} "
    ".bar {{ fill: {ink} }} .rail {{ fill: {paper}; stroke: {fine} }} .wire {{ stroke: {wire} }} "
    ".head {{ fill: {wire} }} }}"
).format(**DARK)


def svg(drawing: DrawingData, *, name: str = "drawing") -> Iterator[str]:
    """The drawing as an SVG document, line by line. `name` keeps the ids of several on one page apart."""
    sketch = drawing.sketch
    width, height = _number(drawing.width), _number(drawing.height + HEAD)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc" font-family="{FONT}">\n'
    )
    yield f'<title id="{name}-title">{_text(sketch.title)}</title>\n'
    yield f'<desc id="{name}-desc">{_text(sketch.description)}</desc>\n'
    yield f"<style>{STYLE}</style>\n"
    yield (
        f'<defs><marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path class="head" d="M0 0.5 8 4 0 7.5z" fill="{WIRE}"/></marker></defs>\n'
    )
    yield f'<rect class="paper" width="{width}" height="{height}" fill="{PAPER}"/>\n'
    yield _line(sketch.title, 16, 18, TITLE_SIZE + 1, INK, "ink", 'font-weight="bold"')
    yield f'<g transform="translate(0 {_number(HEAD)})">\n'
    for frame in drawing.frames:
        yield from _frame(frame)
    for wire in drawing.wires:
        yield from _wire(wire, name)
    for box in drawing.boxes:
        yield from _box(box)
    for wire in drawing.wires:
        yield from _label(wire)
    yield "</g>\n</svg>\n"


def _frame(frame: PlacedFrame) -> Iterator[str]:
    at = frame.place
    opacity = FRAME_SHADE if frame.depth <= MOST_FRAMES else 0
    yield (
        f'<rect class="frame" x="{_number(at.x)}" y="{_number(at.y)}" width="{_number(at.width)}" '
        f'height="{_number(at.height)}" rx="6" fill="#000000" fill-opacity="{opacity}" stroke="{FINE}" '
        'stroke-opacity="0.35"/>\n'
    )
    yield _line(frame.heading, at.x + 8, at.y + 14, HEADING_SIZE, FINE, "fine")


def _wire(placed: PlacedWire, name: str) -> Iterator[str]:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in placed.points)
    yield (
        f'<polyline class="wire" points="{points}" fill="none" stroke="{WIRE}" stroke-width="1.2" '
        f'stroke-linejoin="round" marker-end="url(#{name}-head)"/>\n'
    )


def _label(placed: PlacedWire) -> Iterator[str]:
    if placed.label_at is not None:
        yield _line(placed.wire.label, *placed.label_at, LABEL_SIZE, FINE, "fine")


def _box(placed: PlacedBox) -> Iterator[str]:
    box, at = placed.box, placed.place
    rect = f'x="{_number(at.x)}" y="{_number(at.y)}" width="{_number(at.width)}" height="{_number(at.height)}"'
    radius = _number(min(at.height / 2, 12)) if box.is_pill else "4"
    layers = f' data-layers="{" ".join(map(str, box.layers))}"' if box.layers else ""
    yield f'<g class="node"{layers}><title>{_text(box.hover or box.title)}</title>\n'
    yield f'<rect class="box" {rect} rx="{radius}" fill="{PAPER}" stroke="{WIRE}"/>\n'
    if box.shade:
        opacity = _number(round(MOST_SHADE * box.shade, 3))
        yield f'<rect class="shade" {rect} rx="{radius}" fill="{SHADE}" fill-opacity="{opacity}"/>\n'
    middle = at.x + at.width / 2
    y = at.y + (at.height / 2 + 4 if box.is_pill else PADDING + TITLE_SIZE - 1)
    size = LINE_SIZE if box.is_pill else TITLE_SIZE
    bold = "" if box.is_pill else ' font-weight="bold"'
    yield _line(box.title, middle, y, size, INK, "ink", f'text-anchor="middle"{bold}')
    for line in box.lines:
        y += LINE_HEIGHT
        yield _line(line, middle, y, LINE_SIZE, INK, "ink", 'text-anchor="middle"')
    if box.share is not None:
        x, top, room = at.x + PADDING, at.bottom - PADDING - BAR_HEIGHT + 2, at.width - 2 * PADDING
        yield (
            f'<rect class="rail" x="{_number(x)}" y="{_number(top)}" width="{_number(room)}" height="{BAR_HEIGHT}" '
            f'fill="{PAPER}" stroke="{WIRE}" stroke-width="0.5"/>\n'
        )
        yield (
            f'<rect class="bar" x="{_number(x)}" y="{_number(top)}" width="{_number(round(room * box.share, 1))}" '
            f'height="{BAR_HEIGHT}" fill="{INK}"/>\n'
        )
    yield "</g>\n"


def _line(text: str, x: float, y: float, size: float, colour: str, kind: str, more: str = "") -> str:
    return (
        f'<text class="{kind}" x="{_number(x)}" y="{_number(y)}" font-size="{size}" fill="{colour}" '
        f'unicode-bidi="isolate"{" " if more else ""}{more}>{_text(text)}</text>\n'
    )


def _text(text: str) -> str:
    return escape(text, quote=True)


def _number(value: float) -> str:
    return f"{round(value, 3):g}" if abs(value) < 1e5 else str(round(value, 1))
