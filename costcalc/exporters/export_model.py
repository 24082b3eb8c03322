"""A network as a file: a spec with repeated blocks folded, or a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from costcalc.errors import CostcalcError, ShapeError, SpecError, unknown
from costcalc.exporters.spec_knobs import WrittenKnob, with_knobs
from costcalc.files import write
from costcalc.graph import Graph, Repeat, digraph, nodes_of, unroll
from costcalc.graph.freezing import any_frozen, frozen_tensors, is_frozen
from costcalc.models.graph_architecture import GraphArchitecture
from costcalc.net import Net, Target, load
from costcalc.result import Result
from costcalc.store import graph_hash
from costcalc.table import Column, Table
from costcalc.text import plural

SUFFIXES = {
    ".yaml": "yaml", ".yml": "yaml", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid",
    ".onnx": "onnx",
}  # fmt: skip
TOTALS = ("params", "macs", "elementwise", "activations", "buffers", "peak_bytes")  # that a spec must have too
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))
MAX_DEPTH = 10**6  # of blocks: nothing is folded


@dataclass(frozen=True, eq=False, repr=False)
class Exported(Result):
    """A network as text: its format, its layers with repeats written out, those that the text has, and the hash of
    the network, which does not depend on names."""

    text: str | bytes
    target: str
    format: str
    layers: int
    distinct_layers: int
    graph_hash: str

    @property
    def lines(self) -> int:
        """The lines of the text; of a binary file none."""
        return self.text.count("\n") if isinstance(self.text, str) else 0

    @property
    def contents(self) -> str:
        """How long it is, in words."""
        of = "" if self.layers == self.distinct_layers else f" that stand for {self.layers:,}"
        size = plural(self.lines, "line") if self.lines else plural(len(self.text), "byte")
        return f"{size}, {plural(self.distinct_layers, 'layer')}{of}"

    def table(self) -> Table:
        """One row: how long the text is, and what it stands for."""
        row = {key: value for key, value in self._fields().items() if key != "text"}
        kinds = {key: "int" if isinstance(value, int) else "text" for key, value in row.items()}
        columns = [Column(key, key.replace("_", " "), kind) for key, kind in kinds.items()]
        return Table("", columns, [row])

    def _fields(self) -> dict[str, Any]:
        return {
            "target": self.target, "format": self.format, "layers": self.layers,
            "distinct_layers": self.distinct_layers, "lines": self.lines, "graph_hash": self.graph_hash,
            "text": self.text if isinstance(self.text, str) else "",
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.target} as {self.format}: {self.contents}"


def export(target: Target, path: str | PathLike[str] | None = None, *, format: str | None = None) -> Exported:
    """The network as a spec, with repeated blocks folded (`yaml`), as a drawing (`dot`, `mermaid`), or as a file for
    viewers, without weights (`onnx`, which is bytes); written to `path`, whose suffix says the format.

    A spec is read back before it is handed out: its repeats written out, it is the same network. Raises UnknownName for
    an unknown format, UsageError for a network that a spec cannot say, OSError.
    """
    path = None if path is None else Path(path)
    format = format_of(format, path)
    net = load(target)
    exported = as_spec(net, path) if format == "yaml" else as_shown(net, format)
    if path is not None:
        write(path, exported.text)
    return exported


def format_of(format: str | None, path: Path | None) -> str:
    """The format by its name, or by the suffix of a path; without both it is a spec. Raises UnknownName."""
    if format is not None:
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        return format
    if path is None or str(path) == "-":
        return "yaml"
    if path.suffix.lower() not in SUFFIXES:
        raise unknown("suffix", path.suffix or path.name, SUFFIXES)
    return SUFFIXES[path.suffix.lower()]


def as_spec(net: Net, path: Path | None = None) -> Exported:
    """The network as a spec. Raises CostcalcError if it is another network once it is read back: a bug of ours."""
    from costcalc.exporters.write_spec import spec_text

    graph, knobs = with_knobs(net)
    layers = net.layers(unrolled=True)
    frozen, partly = frozen_layers(net) if any_frozen(layers) else ([], [])
    text = spec_text(net, graph, knobs, "" if path is None else path.stem, frozen)
    unsaid = [*partly, *kept_without_floats(layers)]
    text = "".join(f"# a spec cannot say that {what}\n" for what in unsaid) + text
    read = load(text)
    known = {one.size: net.knobs[one.size] for one in knobs}
    check_equal(net, Net(GraphArchitecture(digraph(graph), known)), read, knobs)
    back = unroll(read.bound)
    return Exported(
        text, net.label, "yaml", distinct_layer_count(layers), distinct_layer_count(read.bound), graph_hash(back)
    )


def check_equal(net: Net, ours: Net, read: Net, knobs: Sequence[WrittenKnob]) -> None:
    """Raises CostcalcError unless the layers that were written are those that are read, at the knobs' values and at
    twice each, and cost what the network costs."""
    own = {one.knob.name: one.knob.default for one in knobs}
    larger = [{one.knob.name: 2 * one.knob.default} for one in knobs if 2 * one.knob.default <= one.knob.high]
    for values in [{}, *larger]:
        sizes = {one.size: one.step * {**own, **values}[one.knob.name] for one in knobs}
        if hash_at(ours, sizes) != hash_at(read, values):
            raise CostcalcError(f"{net.label}: read back at {sizes}, its spec is another network; please report it")
    costs = [model.cost(unrolled=True) for model in (net, read)]
    different = [name for name in TOTALS if len({cost.total(name) for cost in costs}) > 1]
    if different:
        raise CostcalcError(f"{net.label}: read back, its spec has other {', '.join(different)}; please report it")


def hash_at(model: Net, values: Mapping[str, Any]) -> str | None:
    """The hash of a model at these values of its knobs; None where it is no network."""
    try:
        return graph_hash(model.layers(values, unrolled=True))
    except (SpecError, ShapeError):
        return None


def kept_without_floats(layers: Graph) -> list[str]:
    """A sentence about the indices and truths that layers keep for their gradients, if there are any."""
    found: set[str] = set()
    for _, data in nodes_of(layers):
        read = [data["inputs"][i] for i in getattr(data["op"], "kept", ())]
        found.update(str(source) for source in read if "element_bytes" in layers.nodes[source])
    more = f" and {len(found) - 1} more" if found and len(found) > 1 else ""
    return [f"{min(found)!r}{more} holds no floats: it counts 4 bytes for each element kept"] if found else []


def frozen_layers(net: Net) -> tuple[list[str], list[str]]:
    """The layers all of whose params are frozen; and a sentence about each that has some frozen."""
    layers, whole, partly = net.layers(unrolled=True), [], []
    for row in net.cost(unrolled=True).layers:
        what = frozen_tensors(row.name, layers.nodes[row.name].get("frozen"))
        learned = [tensor.name for tensor in row.op.weights(*row.input_shapes) if tensor.role != "buffer"]
        frozen = [name for name in learned if is_frozen(name, what)]
        if learned and frozen == learned:
            whole.append(row.name)
        elif frozen:
            partly.append(f"{row.name!r} has frozen {', '.join(frozen)} and learns {', '.join({*learned} - {*frozen})}")
    return whole, partly


def as_shown(net: Net, format: str) -> Exported:
    """The network as a drawing, its repeats as frames; or for viewers of ONNX, its repeats written out."""
    layers = unroll(net.bound)
    of = net.bound if format != "onnx" else layers
    if format == "onnx":
        from costcalc.exporters.onnx_model import onnx_bytes

        shown: str | bytes = onnx_bytes(net)
    else:
        shown = net.diagram(format, depth=MAX_DEPTH, every_layer=True)
    return Exported(
        shown, net.label, format, distinct_layer_count(layers), distinct_layer_count(of), graph_hash(layers)
    )


def distinct_layer_count(graph: Graph) -> int:
    """The layers that a graph has, those of a repeat once."""
    return sum(_distinct_layer_counts(graph))


def _distinct_layer_counts(graph: Graph) -> Iterator[int]:
    for _, data in nodes_of(graph):
        op = data["op"]
        yield distinct_layer_count(op.body) if isinstance(op, Repeat) else int(not op.is_input)
