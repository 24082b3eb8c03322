"""A model as the text of a spec: its head, and its layers with repeated blocks folded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from costcalc.dims import MAX_SIZE, is_symbolic, size_symbol
from costcalc.errors import CostcalcError, UsageError
from costcalc.exporters.branches import with_branches
from costcalc.exporters.layer_tree import tree_of, valid_name
from costcalc.exporters.macros import find_macros
from costcalc.exporters.repeated_blocks import folded
from costcalc.exporters.size_text import plain
from costcalc.exporters.spec_items import ItemWriter, Path, Scope
from costcalc.exporters.yaml_text import flow, lines_of
from costcalc.graph import Graph, nodes_of
from costcalc.models.knob import SMALLEST_REAL, Knob
from costcalc.models.model import Model


def spec_text(model: Model, name: str = "", frozen: Collection[str] = ()) -> str:
    """The spec of a model. Knobs that its layers can take as symbols stay knobs; the others are numbers. `frozen`: the
    layers that learn nothing."""
    graph, knobs = symbolic(model)
    sizes = {str(node): data["op"].size for node, data in nodes_of(graph) if data["op"].is_input}
    inputs = input_names(sizes)
    readers = readers_of(graph)
    entries = with_branches(folded(tree_of(graph, frozen), readers), readers)
    first = ItemWriter()
    first.items(entries, (), scope_of(inputs), only(inputs))
    items = ItemWriter(first.said, first.hidden).items(entries, (), scope_of(inputs), only(inputs))
    macros = find_macros(items, [*knobs, *inputs.values()])
    name = valid_name(name or model.label.partition("@")[0].rpartition(":")[2], "net")
    blocks = [line for macro in macros for line in (f"  {macro.signature}:", *lines_of(macro.items, 4))]
    blocks = ["blocks:", *blocks] if blocks else []
    return "\n".join([*head(model, name, knobs, inputs, sizes), *blocks, "layers:", *lines_of(items)]) + "\n"


def scope_of(inputs: Mapping[str, str]) -> Scope:
    """The outermost list before its first layer: the inputs have their names."""
    places: dict[str, Path] = {node: (name,) for node, name in inputs.items()}
    return Scope(places, {*places.values()})


def only(names: Mapping[str, str]) -> str | None:
    """The input that the first layer reads without saying so, if there is one alone."""
    return next(iter(names)) if len(names) == 1 else None


def symbolic(model: Model) -> tuple[Graph, dict[str, Knob]]:
    """The layers without repeats, with a symbol for each knob of sizes that can be one, and these knobs, at their
    values by default. One that is a number of copies, and those of an architecture without symbols, are numbers."""
    known = {name: replace(knob, default=model.values[name]) for name, knob in model.knobs.items()}
    free = {name: size_symbol(name, real=knob.kind == "real") for name, knob in known.items() if knob.may_be_symbol}
    graph = with_symbols(model, free)
    if graph is None:
        graph, all_free, free = model.layers(unrolled=True), free, {}
        for name, symbol in all_free.items():
            if (more := with_symbols(model, {**free, name: symbol})) is not None:
                graph, free = more, {**free, name: symbol}
    return graph, {name: known[name] for name in free}


def with_symbols(model: Model, symbols: Mapping[str, Any]) -> Graph | None:
    """The layers, repeats written out, with symbols for these knobs; None if there are none, as for a symbol that is
    a number of copies."""
    try:
        return model.layers(symbols, unrolled=True)
    except CostcalcError:
        return None


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


def head(model: Model, name: str, knobs: Mapping[str, Knob], inputs: Mapping[str, str], sizes: Any) -> list[str]:
    """The lines before the layers. Raises UsageError for inputs that a spec cannot have."""
    title = model.title if model.title not in ("", "imported") else f"{model.label}, imported"
    lines = [f"name: {name}", f"title: {flow(title)}", f"source: {flow(model.source or model.label)}"]
    batches = {size[0] for size in sizes.values()}
    if len(batches) != 1 or not all(len(size) > 1 for size in sizes.values()):
        shown = "; ".join(f"{node} {size}" for node, size in sizes.items())
        raise UsageError(f"the inputs of a spec have one batch in front, and those of {model.label} are {shown}")
    said = {key: knob_entry(knob) for key, knob in knobs.items() if key != "batch"}
    (batch,) = batches
    if not is_symbolic(batch):  # the sizes of its layers hold for this one alone
        said["batch"] = {"default": batch, "min": batch, "max": batch, "about": "fixed when this file was written"}
    elif knobs["batch"].default != 1:
        said["batch"] = {"default": knobs["batch"].default}
    if said:
        lines += ["knobs:", *(f"  {key}: {flow(entry)}" for key, entry in said.items())]
    axes = {inputs[node]: plain(tuple(size[1:])) for node, size in sizes.items()}
    return [*lines, f"input: {flow(axes['input'])}" if [*axes] == ["input"] else f"inputs: {flow(axes)}"]


def knob_entry(knob: Knob) -> Any:
    """A knob as a spec has it."""
    kept = {"default": plain(knob.default)}
    if knob.kind == "real":
        kept["kind"] = "real"
    low, high = (1 if knob.kind == "integer" else SMALLEST_REAL), MAX_SIZE
    kept |= {
        key: plain(value) for key, value, usual in (("min", knob.low, low), ("max", knob.high, high)) if value != usual
    }
    kept |= {key: getattr(knob, key) for key in ("about", "letter") if getattr(knob, key)}
    return kept if len(kept) > 1 else kept["default"]
