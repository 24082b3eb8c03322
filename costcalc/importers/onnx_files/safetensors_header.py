"""The header of a .safetensors file: which tensors are in it. Their data is never read.

Eight bytes say how long the header is; it is JSON, an object with dtype, shape and data_offsets of each tensor; the
data follows, without gaps (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from costcalc.dims import MAX_SIZE
from costcalc.errors import ImportRefused, UnknownName, UsageError, shorten, why

MAX_HEADER_BYTES = 25_000_000
MAX_AXES = 64
BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
FIELDS = ("dtype", "shape", "data_offsets")


class StoredTensor(NamedTuple):
    """A tensor of a file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int  # of its data
    end: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


def read_tensors(path: Path) -> list[StoredTensor]:
    """The tensors of a file, in the order of its header. Raises UnknownName for a file that does not exist, UsageError
    for one that cannot be read, ImportRefused for one whose header is not as it must be."""
    said = repr(str(path)[:200])
    try:
        if path.is_dir():
            raise UsageError(f"{said} is a folder, not a safetensors file")
        if path.exists() and not path.is_file():
            raise UsageError(f"{said} is no regular file")
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                _refuse(said, f"its header would have {length:,} bytes, and the file has {size:,}")
            if length > MAX_HEADER_BYTES:
                _refuse(said, f"its header has {length:,} bytes, more than {MAX_HEADER_BYTES:,}")
            header = file.read(length)
    except FileNotFoundError:
        raise UnknownName(f"there is no file {said}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {said}: {why(error)}") from None
    tensors = [_tensor(said, name, entry) for name, entry in _entries(said, header) if name != "__metadata__"]
    _check_data(said, tensors, size - 8 - length)
    return tensors


def _refuse(said: str, problem: str) -> NoReturn:
    raise ImportRefused(f"{said} is no safetensors file, or damaged: {problem}")


def _entries(said: str, header: bytes) -> list[tuple[str, Any]]:
    """The pairs of the header. JSON keeps the last of two equal names; here they are refused."""
    if not header.startswith(b"{"):
        _refuse(said, "its header is no JSON object")
    try:
        text = header.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _refuse(said, "its header is no JSON")
    names = [name for name, _ in found]
    if len({*names}) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        _refuse(said, f"it has {shorten(twice)!r} twice")
    return list(found)


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object."""


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _tensor(said: str, name: str, entry: Any) -> StoredTensor:
    """A tensor of the header. Refuses one that has other fields than it must, or sizes that are none."""
    where = f"tensor {shorten(name)!r}"
    if not isinstance(entry, _Pairs) or sorted(key for key, _ in entry) != sorted(FIELDS):
        _refuse(said, f"{where} needs {', '.join(FIELDS)}")
    given = dict(entry)
    dtype, shape, offsets = (given[field] for field in FIELDS)
    if not isinstance(dtype, str) or dtype not in BITS:
        _refuse(said, f"{where} has the type {shorten(str(dtype))!r}, which is none")
    if not _are_sizes(shape) or len(shape) > MAX_AXES or any(size > MAX_SIZE for size in shape):
        _refuse(said, f"{where} has a shape that is none")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _refuse(said, f"{where} has data_offsets that are none")
    tensor = StoredTensor(name, dtype, tuple(shape), *offsets)
    bits = tensor.elements * BITS[dtype]
    if bits != 8 * (tensor.end - tensor.start):
        _refuse(
            said, f"{where} has {tensor.elements:,} numbers of {BITS[dtype]} bits in other than {bits // 8:,} bytes"
        )
    return tensor


def _are_sizes(values: Any) -> bool:
    """Is this a list of whole numbers from 0?"""
    return type(values) is list and all(type(value) is int and value >= 0 for value in values)


def _check_data(said: str, tensors: list[StoredTensor], length: int) -> None:
    """Refuses data that overlaps, has gaps, or ends elsewhere than the file."""
    at = 0
    for tensor in sorted(tensors, key=lambda one: (one.start, one.end)):
        if tensor.start != at:
            _refuse(said, f"the data of tensor {shorten(tensor.name)!r} starts at {tensor.start:,} and not at {at:,}")
        at = tensor.end
    if at != length:
        _refuse(said, f"its tensors have {at:,} bytes of data, and the file {length:,}")
