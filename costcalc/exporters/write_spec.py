"""A model as the text of a spec: its head, and its layers with repeated blocks folded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from costcalc.dims import is_symbolic
from costcalc.errors import UsageError
from costcalc.exporters.branches import with_branches
from costcalc.exporters.layer_tree import tree_of, valid_name
from costcalc.exporters.macros import find_macros
from costcalc.exporters.repeated_blocks import folded
from costcalc.exporters.size_text import plain
from costcalc.exporters.spec_items import ItemWriter, Path, Scope
from costcalc.exporters.spec_knobs import WrittenKnob
from costcalc.exporters.yaml_text import flow, lines_of
from costcalc.graph import Graph, nodes_of
from costcalc.models.knob import Knob
from costcalc.models.model import Model

PLAIN_BATCH = Knob("batch", 1, about="examples at once")  # every spec has it


def spec_text(
    model: Model, graph: Graph, knobs: Sequence[WrittenKnob], name: str = "", frozen: Collection[str] = ()
) -> str:
    """The spec of a model, from its layers and the knobs that they have. `frozen`: the layers that learn nothing."""
    shapes = {str(node): data["op"].size for node, data in nodes_of(graph) if data["op"].is_input}
    inputs = input_names(shapes)
    readers = readers_of(graph)
    entries = with_branches(folded(tree_of(graph, frozen), readers), readers)
    first = ItemWriter(readers)
    first.items(entries, (), scope_of(inputs), only(inputs))
    items = ItemWriter(readers, first.said, first.hidden).items(entries, (), scope_of(inputs), only(inputs))
    macros = find_macros(items, [*(one.size for one in knobs), *(one.knob.name for one in knobs)])
    name = valid_name(name or name_of(model.label), "net")
    blocks = [line for macro in macros for line in (f"  {macro.signature}:", *lines_of(macro.items, 4))]
    blocks = ["blocks:", *blocks] if blocks else []
    return "\n".join([*head(model, name, knobs, inputs, shapes), *blocks, "layers:", *lines_of(items)]) + "\n"


def name_of(label: str) -> str:
    """The name in a target: of a file its stem, of a callable or a model of a zoo its own."""
    return PurePath(label.partition("@")[0].rpartition(":")[2]).stem


def scope_of(inputs: Mapping[str, str]) -> Scope:
    """The outermost list before its first layer: the inputs have their names."""
    places: dict[str, Path] = {node: (name,) for node, name in inputs.items()}
    return Scope(places, {*places.values()})


def only(names: Mapping[str, str]) -> str | None:
    """The input that the first layer reads without saying so, if there is one alone."""
    return next(iter(names)) if len(names) == 1 else None


def readers_of(graph: Graph) -> dict[str, set[str]]:
    """The layers that read each layer."""
    readers: dict[str, set[str]] = {}
    for name, data in nodes_of(graph):
        for source in data["inputs"]:
            readers.setdefault(str(source), set()).add(str(name))
    return readers


def input_names(inputs: Mapping[str, Any]) -> dict[str, str]:
    """The names of inputs in a spec; of the only one `input`."""
    if len(inputs) == 1:
        return dict.fromkeys(inputs, "input")
    return {node: valid_name(node, "input") for node in inputs}


def head(
    model: Model, name: str, knobs: Sequence[WrittenKnob], inputs: Mapping[str, str], shapes: Mapping[str, Any]
) -> list[str]:
    """The lines before the layers. Raises UsageError for inputs that a spec cannot have."""
    title = model.title if model.title not in ("", "imported") else f"{model.label}, imported"
    lines = [f"name: {name}", f"title: {flow(title)}", f"source: {flow(model.source or model.label)}"]
    batches = {shape[0] for shape in shapes.values()}
    shown = "; ".join(f"{node} {shape}" for node, shape in shapes.items())
    if len(batches) != 1:
        raise UsageError(f"the inputs of a spec have one batch in front, and those of {model.label} are {shown}")
    said = {one.knob.name: one.entry for one in knobs if one.knob != PLAIN_BATCH}
    (batch,) = batches
    if not is_symbolic(batch):  # the sizes of its layers hold for this one alone
        said["batch"] = {"default": batch, "min": batch, "max": batch, "about": "fixed when this file was written"}
    if said:
        lines += ["knobs:", *(f"  {key}: {flow(entry)}" for key, entry in said.items())]
    if sizes := [one for one in knobs if one.step > 1]:
        lines += ["sizes:", *(f"  {one.size}: {one.step}*{one.knob.name}" for one in sizes)]
    axes = {inputs[node]: plain(tuple(shape[1:])) for node, shape in shapes.items()}
    return [*lines, f"input: {flow(axes['input'])}" if [*axes] == ["input"] else f"inputs: {flow(axes)}"]
