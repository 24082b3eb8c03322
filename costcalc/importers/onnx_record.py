"""What an ONNX file says, as plain data: inputs, tensors, and nodes in order."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import isfinite, prod
from pathlib import Path
from typing import Any, NamedTuple

from costcalc.errors import ImportRefused, shorten
from costcalc.importers.onnx_file import read_model

Dim = int | str  # a number, or a name; "" if the file says neither
MAX_NAME = 200  # characters
FORMATS = {  # the numbers of raw data, little-endian
    "FLOAT": "f", "DOUBLE": "d", "FLOAT16": "e", "INT64": "q", "INT32": "i", "INT16": "h", "INT8": "b", "UINT64": "Q",
    "UINT32": "I", "UINT16": "H", "UINT8": "B", "BOOL": "?",
}  # fmt: skip
FIELDS = {"FLOAT": "float_data", "DOUBLE": "double_data", "INT64": "int64_data", "UINT64": "uint64_data"}
FLOATS = {"FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"}


class OnnxTensor(NamedTuple):
    """A tensor that is stored in a file. `entries` are its numbers, in row-major order, if it is small."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    entries: tuple[Any, ...] | None = None


class OnnxNode(NamedTuple):
    """A node: its op, with its domain unless that is ONNX's own, and attributes as Python values. `path` is that of its
    module, if the exporter wrote it."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    path: str | None = None

    @property
    def label(self) -> str:
        """Its name for messages."""
        return shorten(self.name or next(filter(None, self.outputs), self.op))


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
    functions = {(text(one.domain), text(one.name)) for one in model.functions}
    given = {text(one.name): one for one in graph.input}
    inputs = {name: _input_shape(one, path.name) for name, one in given.items() if name not in tensors}
    said = [*graph.value_info, *graph.output]
    shapes = {text(one.name): shape for one in said if (shape := _shape(one)) is not None}
    nodes = tuple(_node(one, functions) for one in graph.node)
    outputs = [text(one.name) for one in graph.output]
    producer = text(model.producer_name)[:MAX_NAME]
    kept = needed(nodes, outputs)
    record = OnnxRecord(
        path.name, producer, versions["ai.onnx"], inputs, tensors, kept, tuple(outputs), shapes
    )  # fmt: skip
    _check(record)
    return record


def needed(nodes: tuple[OnnxNode, ...], outputs: list[str]) -> tuple[OnnxNode, ...]:
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


def tensor_of(one: Any) -> OnnxTensor:
    """A TensorProto, with its numbers if they are few."""
    from onnx import TensorProto

    try:
        dtype = TensorProto.DataType.Name(one.data_type)
    except ValueError:
        raise ImportRefused(
            f"tensor {shorten(text(one.name))!r} has the type {one.data_type}, which ONNX has not"
        ) from None
    shape = tuple(one.dims)
    if any(size < 0 for size in shape):
        raise ImportRefused(f"tensor {shorten(text(one.name))!r} has the shape {shape}")
    return OnnxTensor(text(one.name), shape, dtype, _entries(one, dtype, prod(shape)))


def _entries(one: Any, dtype: str, count: int) -> tuple[Any, ...] | None:
    """The numbers of a tensor; None if they are not there, many, or none that sizes are made of."""
    if dtype not in FORMATS or one.data_location == 1:  # external
        return None
    layout = f"<{count}{FORMATS[dtype]}"
    if one.raw_data:
        try:
            if len(one.raw_data) != struct.calcsize(layout):
                return None
        except struct.error:
            return None
        return _exact(struct.unpack(layout, one.raw_data))
    field = FIELDS.get(dtype, "int32_data" if dtype != "FLOAT16" else "")
    values = getattr(one, field) if field else ()
    if len(values) != count:
        return None
    return _exact(tuple(map(bool, values)) if dtype == "BOOL" else tuple(values))


def text(value: str | bytes) -> str:
    """A text of the file. The parser hands on bytes where it is no UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _exact(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Numbers with floats as Fractions, whole ones as ints; None if one is infinite or none."""
    if not all(isfinite(value) for value in values):
        return None
    return tuple(exact_number(value) for value in values)


def exact_number(value: Any) -> Any:
    """A float as the Fraction that it is, or as an int."""
    if not isinstance(value, float):
        return value
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


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


def _node(one: Any, functions: set[tuple[str, str]]) -> OnnxNode:
    """A NodeProto."""
    domain, name, op = text(one.domain), text(one.name), text(one.op_type)
    is_local = (domain, op) in functions
    if domain not in ("", "ai.onnx"):
        op = f"{domain}::{op}"
    attributes = {text(given.name): _attribute(given) for given in one.attribute}
    written = {text(pair.key): text(pair.value) for pair in one.metadata_props}
    return OnnxNode(
        f"local function {op}" if is_local else op, name[:MAX_NAME], tuple(map(text, one.input)),
        tuple(map(text, one.output)), attributes, _path(name, written.get("pkg.torch.onnx.name_scopes")),
    )  # fmt: skip


def _attribute(one: Any) -> Any:
    """The value of an attribute; None of one that is a graph, a type or sparse."""
    match one.type:
        case 1:
            return one.f
        case 2:
            return one.i
        case 3:
            return one.s.decode("utf-8", "replace")
        case 4:
            return tensor_of(one.t)
        case 6:
            return tuple(one.floats)
        case 7:
            return tuple(one.ints)
        case 8:
            return tuple(text.decode("utf-8", "replace") for text in one.strings)
    return None


def _path(name: str, scopes: str | None) -> str | None:
    """The path of the module that a node belongs to: torch's exporters write it into `name_scopes`, as a Python list
    whose last entry is the op, or into the name, as `/layer1/layer1.0/conv1/Conv`."""
    if scopes:
        names = [part.strip(" '\"") for part in scopes.strip("[] ").split(",")]
        return names[-2][:MAX_NAME] if len(names) > 1 else ""
    if not name.startswith("/"):
        return None
    parts = name[1:MAX_NAME].split("/")[:-1]
    ends = [part for part, after in pairwise([*parts, ""]) if not after.startswith(f"{part}.")]
    return ".".join(ends)


def shape_text(shape: tuple[Any, ...]) -> str:
    """A shape as text."""
    return "×".join(str(size) or "?" for size in shape) or "1"
