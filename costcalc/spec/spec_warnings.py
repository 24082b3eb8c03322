"""Warnings about a spec without errors: names that nothing reads, and names that the library has too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from costcalc.errors import CostcalcError, Place, Problem
from costcalc.graph import Graph
from costcalc.spec.library import entries, library_folder
from costcalc.spec.spec_tree import Item, Spec, all_items


def spec_warnings(spec: Spec, graph: Graph) -> Iterator[Problem]:
    """All warnings about a spec and the graph that its defaults make."""
    yield from unused_names(spec)
    yield from shadowed_names(spec)
    yield from unread_layers(graph)


def unused_names(spec: Spec) -> Iterator[Problem]:
    """Knobs, sizes, blocks, parameters and inputs that nothing reads."""
    items = [item for group in (spec.items, *(b.items for b in spec.blocks.values())) for item in all_items(group)]
    defaults = [default for block in spec.blocks.values() for default in block.parameters.values() if default]
    axes = [axis for axes in spec.inputs.values() for axis in axes]
    names = set().union(*map(_names_in, items), *(read.names for read in (*defaults, *spec.sizes.values(), *axes)))
    for knob in spec.knobs.values():
        if knob.name not in names and knob.name != "batch":
            yield Problem(knob.place, f"knob {knob.name!r} changes nothing", "no expression reads it", True)
    for name, size in spec.sizes.items():
        if name not in names:
            yield Problem(size.place, f"size {name!r} is never read", "", True)
    kinds = {item.kind for item in items}
    for block in spec.blocks.values():
        if block.name not in kinds:
            yield Problem(block.place, f"block {block.name!r} is never used", "", True)
        inside: set[str] = set().union(*map(_names_in, all_items(block.items)))
        for name in [name for name in block.parameters if name not in inside]:
            yield Problem(block.place, f"block {block.name!r} never reads its parameter {name!r}", "", True)
    if len(spec.inputs) > 1:
        sources = {source for item in items for source in item.sources or ()}
        for name in [name for name in spec.inputs if name not in sources]:
            yield Problem(spec.items[0].place, f"input {name!r} is never read", f"from: {name} reads it", True)


def _names_in(item: Item) -> set[str]:
    return {*item.reads, *(item.when.names if item.when else ())}


def shadowed_names(spec: Spec) -> Iterator[Problem]:
    """Names that the library has too, and presets that set nothing."""
    inside = Path(spec.file).resolve().parent == library_folder()
    try:
        taken = {entry.name for entry in entries() if not (inside and entry.spec == spec.name)}
    except CostcalcError:  # a broken spec in the library is its own problem
        taken = set()
    hint = "`costcalc show NAME` means that one; give yours another name, or use its path"
    if spec.name in taken:
        yield Problem(Place(spec.file, 1, 1), f"the library has a {spec.name!r} too", hint, True)
    for preset in spec.presets.values():
        if preset.name in taken:
            yield Problem(preset.place, f"the library has a {preset.name!r} too", hint, True)
        if not preset.settings:
            yield Problem(preset.place, f"preset {preset.name!r} sets nothing", "", True)


def unread_layers(graph: Graph) -> Iterator[Problem]:
    """Layers whose output nothing reads, and which do not end the network."""
    read = {source for _, data in graph.nodes(data=True) for source in data["inputs"]}
    for name, data in graph.nodes(data=True):
        if name not in read and name not in graph.graph["outputs"] and data["inputs"]:
            hint = "it is counted; what a network puts out besides stands in a `side`"
            yield Problem(data.get("place"), f"no layer reads the layer {data.get('label', name)!r}", hint, True)
