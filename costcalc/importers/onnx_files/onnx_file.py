"""Reads an ONNX file without the data of its tensors: a model of 2 GB takes the memory of its graph.

A file is a protobuf message, whose fields are a number, a length and bytes; tensors lie some messages deep. Whatever
data is longer than a shape can be is passed over, never read; what is left goes to the parser of the package onnx.
Data in other files is never opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from costcalc.errors import ImportRefused, MissingExtra, UnknownName, UsageError, why

MAX_FILE_BYTES = 2**31 - 1  # protobuf has no larger messages
MAX_GRAPH_BYTES = 2**28  # without the data
KEPT_BYTES = 2**13  # of data in a tensor: 1,024 numbers of int64
MAX_DEPTH = 64  # of messages in messages, as those of bodies in bodies
NESTED = {  # the messages that hold tensors, by the numbers of their fields (onnx.proto)
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
DATA = {4, 5, 6, 7, 9, 10, 11}  # the fields of a tensor with its numbers
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


class _Damaged(Exception):
    """No protobuf message."""


def read_model(path: Path) -> Any:
    """The onnx.ModelProto of a file, without large data. Raises MissingExtra without the package onnx, UnknownName for
    a file that does not exist, UsageError for one that cannot be read, ImportRefused for one that is no ONNX file."""
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError as error:
        raise MissingExtra("reading ONNX files needs the package onnx", "onnx") from error
    said = repr(str(path)[:200])
    try:
        if path.is_dir():
            raise UsageError(f"{said} is a folder, not an ONNX file")
        if path.exists() and not path.is_file():
            raise UsageError(f"{said} is no regular file")
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size > MAX_FILE_BYTES:
                hint = "save its tensors as external data: they are never opened"
                raise ImportRefused(f"{said} has {size:,} bytes, and protobuf reads at most {MAX_FILE_BYTES:,}", hint)
            message = ModelProto.FromString(_without_data(file, 0, size, "model", MAX_DEPTH))
    except FileNotFoundError:
        raise UnknownName(f"there is no file {said}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {said}: {why(error)}") from None
    except (_Damaged, DecodeError):
        raise ImportRefused(f"{said} is no ONNX file, or damaged") from None
    if not message.HasField("graph"):
        raise ImportRefused(f"{said} is no ONNX file, or damaged: it has no graph")
    return message


def _without_data(file: BinaryIO, start: int, end: int, kind: str, depth: int) -> bytes:
    """The bytes of a message from `start` to `end`, without data of more than KEPT_BYTES in any tensor of it."""
    if not depth:
        raise _Damaged
    kept, data = bytearray(), 0
    while start < end:
        number, wire, body, after = _field(file, start, end)
        inner = NESTED.get(kind, {}).get(number) if wire == LENGTH and after - start > KEPT_BYTES else None
        if inner:
            changed = _without_data(file, body, after, inner, depth - 1)
            kept += _varint(number << 3 | LENGTH) + _varint(len(changed)) + changed
        else:
            is_data = kind == "tensor" and number in DATA
            data += (after - body) * is_data
            if not (is_data and data > KEPT_BYTES):
                if len(kept) + after - start > MAX_GRAPH_BYTES:
                    raise ImportRefused(f"a graph of more than {MAX_GRAPH_BYTES:,} bytes without the data of tensors")
                file.seek(start)
                kept += file.read(after - start)
        start = after
    return bytes(kept)


def _field(file: BinaryIO, start: int, end: int) -> tuple[int, int, int, int]:
    """The number of a field and its wire type, and where its body starts and ends."""
    file.seek(start)
    head = file.read(min(20, end - start))
    key, at = _number(head, 0)
    number, wire = key >> 3, key & 7
    if wire == LENGTH:
        length, at = _number(head, at)
        after = start + at + length
    elif wire == VARINT:
        after = start + _number(head, at)[1]
    elif wire in (EIGHT_BYTES, FOUR_BYTES):
        after = start + at + (8 if wire == EIGHT_BYTES else 4)
    else:
        raise _Damaged
    if not number or after > end:
        raise _Damaged
    return number, wire, start + at, after


def _number(head: bytes, at: int) -> tuple[int, int]:
    """A number in seven bits a byte, the low ones first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(head):
            raise _Damaged
        value |= (head[at] & 127) << shift
        at += 1
        if head[at - 1] < 128:
            return value, at
    raise _Damaged


def _varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])
