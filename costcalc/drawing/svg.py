"""A picture as SVG: text is text, light colours are attributes, dark ones a style sheet that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from costcalc.drawing.block_shapes import picture_of
from costcalc.drawing.drawing import DrawingData, Point
from costcalc.drawing.row_ranges import row_ranges
from costcalc.drawing.shapes import LOOKS, Group, Look, Picture, Polygon, Polyline, Rect, Shape, Text

FONT = "DejaVu Sans, Verdana, Arial, Helvetica, sans-serif"


def _dark_rules() -> Iterator[str]:
    for kind, look in LOOKS.items():
        rules = {"fill": look.dark_fill, "stroke": look.dark_stroke}
        yield f".{kind} {{ {'; '.join(f'{what}: {color}' for what, color in rules.items() if color)} }}"


STYLE = f"@media (prefers-color-scheme: dark) {{ {' '.join(_dark_rules())} }}"


def svg(picture: DrawingData | Picture, *, name: str = "drawing") -> Iterator[str]:
    """The picture as an SVG document, line by line. `name` keeps the ids of several on one page apart."""
    picture = picture if isinstance(picture, Picture) else picture_of(picture)
    shown = picture.shown_width or picture.width
    width, height, high = map(_number, (picture.width, picture.height, picture.height * shown / picture.width))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{_number(shown)}" '
        f'height="{high}" role="img" aria-labelledby="{name}-title {name}-desc" font-family="{FONT}">\n'
    )
    yield f'<title id="{name}-title">{_text(picture.title)}</title>\n'
    yield f'<desc id="{name}-desc">{_text(picture.description)}</desc>\n'
    yield f"<style>{STYLE}</style>\n"
    yield (
        f'<defs><marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path class="head" d="M0 0.5 8 4 0 7.5z" fill="{LOOKS["head"].fill}"/></marker></defs>\n'
    )
    yield f'<rect class="paper" width="{width}" height="{height}" fill="{LOOKS["paper"].fill}"/>\n'
    for text in picture.head:
        yield from _written(text, name)
    yield "<g>\n"
    for shape in picture.shapes:
        yield from _written(shape, name)
    yield "</g>\n</svg>\n"


def _written(shape: Shape, name: str) -> Iterator[str]:
    match shape:
        case Group():
            layers = f' data-layers="{row_ranges(shape.layers, shape.copies)}"' if shape.layers else ""
            yield f'<g class="node"{layers}><title>{_text(shape.title)}</title>\n'
            for inner in shape.shapes:
                yield from _written(inner, name)
            yield "</g>\n"
        case Text():
            yield _line(shape)
        case Polyline():
            look = f'{_look(LOOKS[shape.kind])} stroke-linejoin="round" marker-end="url(#{name}-head)"'
            yield f'<polyline class="{shape.kind}" points="{_points(shape.points)}" {look}/>\n'
        case Polygon():
            look = _look(LOOKS[shape.kind], shape.opacity)
            yield f'<polygon class="{shape.kind}" points="{_points(shape.points)}" {look} stroke-linejoin="round"/>\n'
        case Rect():
            at = zip(("x", "y", "width", "height"), shape.place)
            rect = " ".join(f'{what}="{_number(value)}"' for what, value in at)
            radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
            yield f'<rect class="{shape.kind}" {rect}{radius} {_look(LOOKS[shape.kind], shape.opacity)}/>\n'


def _look(look: Look, opacity: float = 1.0) -> str:
    parts = [f'fill="{look.fill or "none"}"']
    parts += [f'fill-opacity="{_number(opacity)}"'] * (opacity != 1)
    if look.stroke:
        parts.append(f'stroke="{look.stroke}"')
        parts += [f'stroke-width="{_number(look.line)}"'] * (look.line != 1)
        parts += [f'stroke-opacity="{_number(look.edge)}"'] * (look.edge != 1)
    return " ".join(parts)


def _line(text: Text) -> str:
    more = ' text-anchor="middle"' * text.is_centred + ' font-weight="bold"' * text.is_bold
    return (
        f'<text class="{text.kind}" x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(text.size)}" '
        f'fill="{LOOKS[text.kind].fill}" unicode-bidi="isolate"{more}>{_text(text.text)}</text>\n'
    )


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _text(text: str) -> str:
    return escape(text, quote=True)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
