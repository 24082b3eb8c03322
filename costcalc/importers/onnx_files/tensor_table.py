"""The tensors of a .safetensors file as a table: names, shapes, types, params and bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costcalc.errors import UsageError
from costcalc.importers.onnx_files.onnx_record import shape_text
from costcalc.importers.onnx_files.safetensors_header import StoredTensor, read_tensors
from costcalc.result import Result
from costcalc.table import COUNT, IN_BYTES, Column, LazySequence, Table, cell
from costcalc.text import plural

NAME, PARAMS, BYTES = (
    Column("name", "tensor", "text"),
    Column("params", "params", measure=COUNT),
    Column("bytes", "bytes", measure=IN_BYTES),
)
TENSOR_COLUMNS = (NAME, Column("shape", "shape", "text", 1), Column("dtype", "type", "text", 2), PARAMS, BYTES)
BLOCK_COLUMNS = (Column("name", "block", "text"), Column("tensors", "tensors", rank=1), PARAMS, BYTES)
COUNTS_ALL = (
    "params: the numbers of all tensors; the file does not say which are learned: running statistics and tables of "
    "indices are among them"
)


@dataclass(frozen=True, eq=False, repr=False)
class TensorTable(Result):
    """The tensors of a file, in the order of their names; with a `depth` all whose names agree in so many parts as one
    row."""

    path: str
    tensors: tuple[StoredTensor, ...]
    depth: int | None = None

    @property
    def params(self) -> int:
        """The numbers of all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def bytes(self) -> int:
        """The bytes of all tensors."""
        return sum(tensor.end - tensor.start for tensor in self.tensors)

    def table(self) -> Table:
        """A row for each tensor, or for each block of them."""
        totals = {"name": "total", "params": self.params, "bytes": self.bytes}
        if self.depth is None:
            rows: Any = LazySequence(lambda one: {**_record(one), "shape": shape_text(one.shape)}, self.tensors)
            return Table(self.path, TENSOR_COLUMNS, rows, totals, self.notes())
        totals["tensors"] = len(self.tensors)
        return Table(self.path, BLOCK_COLUMNS, self._blocks(self.depth), totals, self.notes())

    def _blocks(self, depth: int) -> list[dict[str, Any]]:
        found: dict[str, list[StoredTensor]] = {}
        for tensor in self.tensors:
            found.setdefault(".".join(tensor.name.split(".")[:depth]), []).append(tensor)
        return [
            {"name": name, "tensors": len(some), **TensorTable(self.path, tuple(some))._totals()}
            for name, some in found.items()
        ]

    def _totals(self) -> dict[str, int]:
        return {"params": self.params, "bytes": self.bytes}

    def notes(self) -> list[str]:
        """What the numbers count, and how many are of each type."""
        types: dict[str, int] = {}
        for tensor in self.tensors:
            types[tensor.dtype] = types.get(tensor.dtype, 0) + tensor.elements
        each = ", ".join(f"{cell(count, 'int')} {dtype}" for dtype, count in types.items())
        return [COUNTS_ALL, *([f"types: {each}"] if each else [])]

    def _fields(self) -> dict[str, Any]:
        blocks = {} if self.depth is None else {"blocks": self._blocks(self.depth)}
        totals = {"tensors": len(self.tensors), **self._totals()}
        return {"target": self.path, "totals": totals, **blocks, "tensors": LazySequence(_record, self.tensors)}

    def _summary(self) -> str:
        return f"{self.path}: {plural(len(self.tensors), 'tensor')}, params={self.params}, bytes={self.bytes}"


def _record(tensor: StoredTensor) -> dict[str, Any]:
    return {
        "name": tensor.name, "shape": [*tensor.shape], "dtype": tensor.dtype, "params": tensor.elements,
        "bytes": tensor.end - tensor.start,
    }  # fmt: skip


def tensors(path: Any, depth: int | None = None) -> TensorTable:
    """The tensors of a .safetensors file: `tensors("model.safetensors").params`. Only its header is read.

    With a `depth` the table has a row for all whose names agree in so many parts. Raises UnknownName, UsageError and
    ImportRefused.
    """
    if depth is not None and depth < 1:
        raise UsageError(f"depth is at least 1, got {depth}")
    found = read_tensors(Path(path))
    return TensorTable(str(path), tuple(sorted(found, key=lambda tensor: _by_number(tensor.name))), depth)


def _by_number(name: str) -> list[Iterable[Any]]:
    """A key by which `layers.10` comes after `layers.9`."""
    parts = re.split(r"(\d{1,18})", name)
    return [(int(part), part) if i % 2 else (-1, part) for i, part in enumerate(parts)]
