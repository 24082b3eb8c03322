"""A network as a file: a spec with repeated blocks folded, or a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from costcalc.errors import CostcalcError, ImportRefused, ShapeError, SpecError, unknown
from costcalc.files import write
from costcalc.graph import Graph, Repeat, nodes_of, unroll
from costcalc.graph.freezing import any_frozen, frozen_tensors, is_frozen
from costcalc.net import Net, Target, load
from costcalc.result import Result
from costcalc.store import graph_hash
from costcalc.table import Column, Table
from costcalc.text import plural

SUFFIXES = {
    ".yaml": "yaml", ".yml": "yaml", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid"
}  # fmt: skip
FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))


@dataclass(frozen=True, eq=False, repr=False)
class Exported(Result):
    """A network as text: its format, its layers with repeats written out, those that the text has, and the hash of
    the network, which does not depend on names."""

    text: str
    target: str
    format: str
    layers: int
    distinct_layers: int
    graph_hash: str

    @property
    def lines(self) -> int:
        """The lines of the text."""
        return self.text.count("\n")

    @property
    def contents(self) -> str:
        """How long it is, in words."""
        of = "" if self.layers == self.distinct_layers else f" that stand for {self.layers:,}"
        return f"{plural(self.lines, 'line')}, {plural(self.distinct_layers, 'layer')}{of}"

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
            "text": self.text,
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.target} as {self.format}: {self.contents}"


def export(target: Target, path: str | PathLike[str] | None = None, *, format: str | None = None) -> Exported:
    """The network as a spec, with repeated blocks folded (`yaml`), or as a drawing (`dot`, `mermaid`); written to
    `path`, whose suffix says the format.

    A spec is read back before it is handed out: its repeats written out, it is the same network. Raises UnknownName for
    an unknown format, UsageError for a network that a spec cannot say, OSError.
    """
    path = None if path is None else Path(path)
    format = format_of(format, path)
    net = load(target)
    exported = as_spec(net, path) if format == "yaml" else as_drawing(net, format)
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

    layers = net.layers(unrolled=True)
    frozen, partly = frozen_layers(net) if any_frozen(layers) else ([], [])
    text = spec_text(net, "" if path is None else path.stem, frozen)
    text = "".join(f"# a spec cannot say that {what}\n" for what in partly) + text
    read = load(text)
    sizes = {name: 2 * knob.default for name, knob in read.knobs.items() if knob.is_size}
    for values in [{}, *({name: size} for name, size in sizes.items() if size <= read.knobs[name].high)]:
        if not are_equal(net, read, values):
            at = f" at {values}" if values else ""
            raise CostcalcError(f"{net.label}: read back, its spec is another network{at}; please report it")
    return Exported(text, net.label, "yaml", layer_count(layers), layer_count(read.bound), graph_hash(layers))


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


def are_equal(net: Net, read: Net, values: Mapping[str, Any]) -> bool:
    """Are two models the same network at these values of knobs? Where one of them is none, so must the other be."""
    hashes: list[str | None] = []
    for model in (net, read):
        try:
            hashes.append(graph_hash(model.layers(values, unrolled=True)))
        except (SpecError, ShapeError, ImportRefused):
            hashes.append(None)
    return hashes[0] == hashes[1]


def as_drawing(net: Net, format: str) -> Exported:
    """The network as a drawing, its repeats as frames."""
    from costcalc.report import text

    cost = net.cost()
    drawn, layers = text(cost.tables(), cost.to_dict(), format), unroll(net.bound)
    return Exported(drawn, net.label, format, layer_count(layers), layer_count(net.bound), graph_hash(layers))


def layer_count(graph: Graph) -> int:
    """The layers that a graph has, those of a repeat once."""
    return sum(_layer_counts(graph))


def _layer_counts(graph: Graph) -> Iterator[int]:
    for _, data in nodes_of(graph):
        op = data["op"]
        yield layer_count(op.body) if isinstance(op, Repeat) else int(not op.is_input)
