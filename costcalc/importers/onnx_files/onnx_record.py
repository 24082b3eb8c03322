"""What an ONNX file says, as plain data: inputs, tensors, and nodes in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import ImportRefused, shorten
from costcalc.importers.onnx_files.onnx_file import read_model
from costcalc.importers.onnx_files.onnx_functions import functions_of, inlined
from costcalc.importers.onnx_files.onnx_nodes import MAX_NAME, OnnxNode, OnnxTensor, node_of, tensor_of, text

Dim = int | str  # a number, or a name; "" if the file says neither


class FileNode(NamedTuple):
    """A node as viewers of the file find it: its name, which may be empty, its op and its outputs."""

    name: str
    op: str
    outputs: tuple[str, ...]


class OnnxRecord(NamedTuple):
    """A file. `shapes` are those that it says itself."""

    name: str
    producer: str
    opset: int
    inputs: Mapping[str, tuple[Dim, ...]]
    tensors: Mapping[str, OnnxTensor]
    nodes: tuple[OnnxNode, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[Dim, ...]]
    file_nodes: tuple[FileNode, ...] = ()  # of its graph, in order


def record_of(path: Path) -> OnnxRecord:
    """What a file says. Raises ImportRefused for one whose graph is not whole, and as `read_model` does."""
    model = read_model(path)
    graph = model.graph
    if graph.sparse_initializer:
        name = text(graph.sparse_initializer[0].values.name)
        raise ImportRefused(f"{path.name}: its tensor {shorten(name)!r} is sparse")
    versions = {text(one.domain) or "ai.onnx": one.version for one in model.opset_import}
    if "ai.onnx" not in versions:
        raise ImportRefused(f"{path.name} does not say which version of ONNX's operators it uses")
    tensors = {text(one.name): tensor_of(one) for one in graph.initializer}
    given = {text(one.name): one for one in graph.input}
    inputs = {name: _input_shape(one, path.name) for name, one in given.items() if name not in tensors}
    said = [*graph.value_info, *graph.output]
    shapes = {text(one.name): shape for one in said if (shape := _shape(one)) is not None}
    nodes = [node_of(one)._replace(at=(number,)) for number, one in enumerate(graph.node)]
    nodes = inlined(nodes, functions_of(model), versions["ai.onnx"])
    whole = tuple(FileNode(text(one.name), text(one.op_type), tuple(map(text, one.output))) for one in graph.node)
    outputs = [text(one.name) for one in graph.output]
    producer = text(model.producer_name)[:MAX_NAME]
    record = OnnxRecord(
        path.name, producer, versions["ai.onnx"], inputs, tensors, needed(nodes, outputs), tuple(outputs), shapes,
        whole,
    )  # fmt: skip
    _check(record)
    return record


def needed(nodes: Sequence[OnnxNode], outputs: list[str]) -> tuple[OnnxNode, ...]:
    """The nodes that lead to an output."""
    wanted, found = {*outputs}, []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            wanted.update(filter(None, node.inputs))
            found.append(node)
    return tuple(found[::-1])


def _check(record: OnnxRecord) -> None:
    """Raises ImportRefused for a name that is made twice, or read before it is made."""
    known = {*record.inputs, *record.tensors}
    for node in record.nodes:
        for name in filter(None, node.inputs):
            if name not in known:
                said = f"node {node.label!r} reads {shorten(name)!r}, which nothing before it makes"
                raise ImportRefused(f"{record.name}: {said}")
        for name in filter(None, node.outputs):
            if name in known:
                raise ImportRefused(f"{record.name}: {shorten(name)!r} is made twice, by node {node.label!r} too")
            known.add(name)
    if not record.outputs:
        raise ImportRefused(f"{record.name} has no output")
    for name in record.outputs:
        if name not in known:
            raise ImportRefused(f"{record.name}: nothing makes its output {shorten(name)!r}")


def _input_shape(one: Any, where: str) -> tuple[Dim, ...]:
    """The shape of an input of the graph. Raises ImportRefused for one that is no tensor, or has no shape."""
    kind = one.type.WhichOneof("value")
    if kind != "tensor_type":
        what = (kind or "thing without a type").removesuffix("_type").replace("_", " ")
        raise ImportRefused(f"{where}: its input {shorten(text(one.name))!r} is a {what}, and no tensor")
    shape = _shape(one)
    if shape is None:
        raise ImportRefused(
            f"{where}: its input {shorten(text(one.name))!r} has no shape, and how many axes it has is open"
        )
    return shape


def _shape(one: Any) -> tuple[Dim, ...] | None:
    """The shape of a value; None without one."""
    if one.type.WhichOneof("value") != "tensor_type" or not one.type.tensor_type.HasField("shape"):
        return None
    return tuple(
        dim.dim_value if dim.WhichOneof("value") == "dim_value" and dim.dim_value >= 0 else text(dim.dim_param)
        for dim in one.type.tensor_type.shape.dim
    )


def shape_text(shape: tuple[Any, ...]) -> str:
    """A shape as text."""
    return "×".join(str(size) or "?" for size in shape) or "1"
