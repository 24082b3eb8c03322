"""The differences between two networks of one spec, in words: channels, image sizes, copies of a block."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from costcalc.analysis.cost import Cost
from costcalc.analysis.walk import Row
from costcalc.dims import Shape
from costcalc.table import Image, shape_text
from costcalc.text import plural


def describe_changes(before: Cost, after: Cost) -> list[str]:
    """`stage5.more.mbconv: 2 → 3 copies`, `stage1: 32 → 40 channels`: by block; by layer if no block differs."""
    found = [*_copies(before, after)]
    shapes = [(block.name, block.output_shape) for block in before.fold(1, ())]
    found += _shapes(shapes, {block.name: block.output_shape for block in after.fold(1, ())})
    if not found:
        found += _shapes(_rows(before), dict(_rows(after)))
    return found or [*_costs(before, after)]


def _copies(before: Cost, after: Cost) -> Iterator[str]:
    """The layers of each block whose number of copies differs, under the common beginning of their names."""
    times = [{row.name: row.times for row in cost.layers} for cost in (before, after)]
    groups: dict[tuple[str, int, int], list[str]] = {}
    for name in dict.fromkeys([*times[1], *times[0]]):
        old, new = (known.get(name, 0) for known in times)
        if old != new:
            groups.setdefault((name.split(".")[0], old, new), []).append(name)
    for (_, old, new), names in groups.items():
        alike = takewhile(lambda parts: len({*parts}) == 1, zip(*[name.split(".") for name in names]))
        yield f"{'.'.join(parts[0] for parts in alike)}: {old} → {plural(new, 'copy', 'copies')}"


def _rows(cost: Cost) -> list[tuple[str, Shape]]:
    return [(row.name, cost.layouts.shown(row.output_shape, row.name)) for row in cost.layers]


def _shapes(before: list[tuple[str, Shape]], after: dict[str, Shape]) -> Iterator[str]:
    """The output shapes that differ; a change that the next block or layer passes on is said once."""
    said = ""
    for name, old in before:
        change, unit = _change(old, after.get(name, old))
        if change and change != said:
            yield f"{name}: {change}{unit}"
        said = change  # pooled channels are features, and as many


def _change(old: Shape, new: Shape) -> tuple[str, str]:
    """The change and its unit: `32 → 40`, ` channels`; or `56×56 → 57×57`; empty without a difference."""
    if old == new:
        return "", ""
    image = isinstance(old, Image) and len(old) > 2
    if len(old) == len(new) and (image or len(old) == 2) and (old[0], *old[2:]) == (new[0], *new[2:]):
        return f"{old[1]} → {new[1]}", (" channel" if image else " feature") + "s" * (new[1] != 1)
    if len(old) == len(new) and image and old[:2] == new[:2]:
        return f"{'×'.join(map(str, old[2:]))} → {'×'.join(map(str, new[2:]))}", ""
    return f"{shape_text(old)} → {shape_text(new)}", ""


def _costs(before: Cost, after: Cost) -> Iterator[str]:
    """Layers of the same shape whose params or MACs differ."""
    rows: dict[str, Row] = {row.name: row for row in after.layers}
    for old in before.layers:
        new = rows.get(old.name, old)
        for metric, what in (("params", "param"), ("macs", "MAC")):
            if getattr(old, metric) != getattr(new, metric):
                yield f"{old.name}: {getattr(old, metric):,} → {plural(getattr(new, metric), what)}"
                break
