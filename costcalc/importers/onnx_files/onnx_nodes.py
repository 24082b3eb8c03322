"""Nodes and tensors of an ONNX file as plain data."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import isfinite, prod
from typing import Any, NamedTuple

from costcalc.errors import ImportRefused, shorten

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
    module, if the exporter wrote it. `at` are the numbers of the nodes of the file that it stands for, the one that has
    its cost first."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    path: str | None = None
    at: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Its name for messages."""
        return shorten(self.name or next(filter(None, self.outputs), self.op))


class Reference(NamedTuple):
    """An attribute within a function, whose value is that of an attribute of the call."""

    name: str


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


def with_overload(op: str, one: Any) -> str:
    """The name of an op with its overload, where the file and the package know of one: functions may differ in that."""
    overload = text(getattr(one, "overload", ""))
    return f"{op}:{overload}" if overload else op


def node_of(one: Any) -> OnnxNode:
    """A NodeProto."""
    domain, name, op = text(one.domain), text(one.name), text(one.op_type)
    if domain not in ("", "ai.onnx"):
        op = f"{domain}::{op}"
    op = with_overload(op, one)
    op = op if op.isprintable() else repr(op)[1:-1]  # it stands in messages
    attributes = {text(given.name): attribute_of(given) for given in one.attribute}
    written = {text(pair.key): text(pair.value) for pair in one.metadata_props}
    return OnnxNode(
        op, name[:MAX_NAME], tuple(map(text, one.input)),
        tuple(map(text, one.output)), attributes, _path(name, written.get("pkg.torch.onnx.name_scopes")),
    )  # fmt: skip


def attribute_of(one: Any) -> Any:
    """The value of an attribute; None of one that is a graph, a type or sparse."""
    if one.ref_attr_name:
        return Reference(text(one.ref_attr_name))
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
            return tuple(said.decode("utf-8", "replace") for said in one.strings)
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
