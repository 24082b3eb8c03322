"""A network that is a chain, as volumes: each layer by the tensor that it writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from costcalc.analysis.cost import Cost
from costcalc.analysis.output_layouts import OutputLayouts
from costcalc.analysis.picture.box_numbers import BoxNumbers
from costcalc.analysis.picture.box_units import Rowset, Unit
from costcalc.analysis.picture.layer_groups import layer_groups
from costcalc.analysis.picture.op_words import arrow_words
from costcalc.analysis.walk import Row
from costcalc.dims import is_rational
from costcalc.drawing.shapes import Picture
from costcalc.drawing.text_widths import cut_in_the_middle
from costcalc.drawing.volumes import Volume, volumes_picture
from costcalc.errors import UsageError
from costcalc.table import shape_text, visible
from costcalc.text import plural

MAX_VOLUMES = 24  # VGG-16 has 22
LONGEST_NAME = 20  # characters


def network_volumes(
    cost: Cost, *, shade: str = "macs", width: int | None = None, seconds: Mapping[str, float] | None = None
) -> Picture:  # fmt: skip
    """The picture of a network as volumes. Raises UsageError for one that has branches, more than 24 boxes, or tensors
    that are no images and vectors of known sizes; and as `network_sketch` does."""
    numbers, rowset = BoxNumbers(cost, shade, seconds), Rowset(cost.layers)
    units = [Unit(group.rows, str(cost.layers[group.rows[0]].name)) for group in layer_groups(cost.layers)]
    _check(cost, rowset, units)
    numbers.measure(units)
    layouts = cost.layouts
    volumes = [volume for unit in units for volume in _volumes(unit, cost.layers, numbers, layouts)]
    title = visible(cost.title or cost.target)
    notes = [numbers.total_text, "height, width and channels by doublings"]
    return volumes_picture(title, f"{plural(len(volumes), 'tensor')}, one after the other", notes, volumes, width)


def _check(cost: Cost, rowset: Rowset, units: Sequence[Unit]) -> None:
    links = rowset.links(units)
    name = visible(cost.target)
    why = ""
    if any(not is_rational(size) for row in cost.layers for size in row.output_shape):
        why = "has symbols for sizes"
    elif sorted(links) != [(at, at + 1) for at in range(len(units) - 1)]:
        forks = [source for source, target in links if target != source + 1] or [0]
        why = f"branches at {visible(units[forks[0]].name)!r}"
    elif len(units) > MAX_VOLUMES:
        why = f"has {len(units)} boxes, more than the {MAX_VOLUMES} that fit"
    elif odd := [row for row in cost.layers if len(row.output_shape) not in (2, 4)]:
        shape = shape_text(odd[0].output_shape)
        why = f"has {visible(str(odd[0].name))!r}, whose {visible(shape)} is neither an image nor a vector"
    if why:
        raise UsageError(f"{name} {why}: volumes are of a chain of images and vectors", "use --style blocks")


def _volumes(unit: Unit, rows: Sequence[Row], numbers: BoxNumbers, layouts: OutputLayouts) -> Iterator[Volume]:
    """The tensor that the layers of a unit write; where they flatten it, that before and that behind."""
    inside = [rows[at] for at in unit.rows]
    flat = next((at for at, row in enumerate(inside) if at and _is_flattened(inside[at - 1], row)), None)
    name = unit.name.removesuffix(f".{inside[0].op.name}")
    title = cut_in_the_middle(visible(name), LONGEST_NAME)
    title += f" ×{inside[0].times}" if inside[0].times != 1 else ""
    last = inside[-1] if flat is None else inside[flat - 1]
    op = "" if inside[0].op.is_input else arrow_words(inside[0].op, inside[0].output_shape)
    cost = numbers.line(unit)
    lines = (_shape(last, layouts), *cost.split(" · "))[: 3 if cost else 1]
    yield _volume(last, title, lines, op, numbers.shade(unit), numbers.exactly(unit), unit.rows)
    if flat is not None:
        flattened = inside[flat]
        many = (_shape(flattened, layouts),)
        yield _volume(flattened, "", many, "flatten", 0.0, visible(f"{flattened.name}: a vector"), ())


def _is_flattened(before: Row, row: Row) -> bool:
    return len(before.output_shape) == 4 and len(row.output_shape) == 2 and any(n != 1 for n in before.output_shape[2:])


def _shape(row: Row, layouts: OutputLayouts) -> str:
    return visible(shape_text(layouts.shown(row.output_shape, row.name)))


def _volume(
    row: Row, title: str, lines: tuple[str, ...], op: str, shade: float, hover: str, layers: tuple[int, ...]
) -> Volume:
    _, *sizes = map(int, row.output_shape)
    if len(sizes) == 1 or sizes[1:] == [1, 1]:
        return Volume(title, lines, op, sizes[0], 0, 0, shade, hover, layers)
    channels, height, width = sizes
    return Volume(title, lines, op, height, width, channels, shade, hover, layers)
