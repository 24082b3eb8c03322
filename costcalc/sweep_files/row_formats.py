"""The formats whose rows are written in pieces, which workers make, and how pieces become the file.

The file is the same as if all rows were written at once.
"""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from costcalc.analysis.sweep.arrow import arrow_table, common_schema, import_pyarrow, write_parquet
from costcalc.analysis.sweep.points import Points
from costcalc.dims import canonical
from costcalc.files import explaining_write_errors, replace_file
from costcalc.table import Column, Table
from costcalc.table.json_csv import csv_cell, csv_lines

ROWS_AT_ONCE = 2**16  # the text of a cell takes 60 bytes of memory
LENGTH_BYTES = 8  # before each piece of Arrow


@dataclass(frozen=True)
class RowFormat(ABC):
    """The columns of a file, and how points become bytes of it."""

    columns: tuple[Column, ...]
    denominators: Mapping[str, int]  # of the knobs
    bytes_per_cell: ClassVar[int]  # about, on the disk; docs/grids.md
    rows_per_second: ClassVar[int]  # about, of one process

    @abstractmethod
    def head(self) -> bytes:
        """The bytes before all pieces."""

    @abstractmethod
    def piece(self, points: Points) -> bytes:
        """The bytes of a chunk's points, which follow those of the chunk before."""

    @abstractmethod
    def finish(self, part: Path, path: Path) -> None:
        """Makes the file at `path` from the head and all pieces in `part`. Raises OSError."""


class CsvFormat(RowFormat):
    """Rows of a CSV, as `table.json_csv` writes it. The file is the head and the pieces, one after another."""

    bytes_per_cell = 8
    rows_per_second = 400_000

    def head(self) -> bytes:
        """The first line: the titles of the columns."""
        return "".join(csv_lines(Table("", self.columns, []))).encode()

    def piece(self, points: Points) -> bytes:
        """Points as lines."""
        parts = (points.take(slice(at, at + ROWS_AT_ONCE)) for at in range(0, len(points), ROWS_AT_ONCE))
        return "".join(map(self._lines, parts)).encode()

    def _lines(self, points: Points) -> str:
        cells, signs = zip(*(self._cells(column, points.columns[column.key]) for column in self.columns))
        return "".join(map((",".join(signs) + "\n").__mod__, zip(*cells)))

    def _cells(self, column: Column, num: Any) -> tuple[Iterable[Any], str]:
        """The values of a column, and the format of one in a line."""
        if column.key in self.denominators:
            den = self.denominators[column.key]
            texts = {n: csv_cell(canonical(Fraction(n, den)), column) for n in {*num.tolist()}}
            return map(texts.__getitem__, num.tolist()), "%s"
        if num.dtype == "int64":
            return num.tolist(), "%d"
        return (csv_cell(value, column) for value in num.tolist()), "%s"

    def finish(self, part: Path, path: Path) -> None:
        """Moves the part to its place."""
        with explaining_write_errors(path):
            replace_file(part, path)


class ParquetFormat(RowFormat):
    """Rows of a Parquet file. A piece is an Arrow stream after its length in bytes, and becomes a row group. The file
    is made at the end, because the types of its columns depend on all pieces."""

    bytes_per_cell = 2  # of pieces and file together
    rows_per_second = 900_000

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def piece(self, points: Points) -> bytes:
        """Points as a compressed Arrow stream, after its length."""
        pa, out = import_pyarrow(), io.BytesIO()
        table = arrow_table(points.select(column.key for column in self.columns), self.denominators)
        out.write(bytes(LENGTH_BYTES))
        with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
            stream.write_table(table)
        out.seek(0)
        out.write((out.getbuffer().nbytes - LENGTH_BYTES).to_bytes(LENGTH_BYTES, "little"))
        return out.getvalue()

    def finish(self, part: Path, path: Path) -> None:
        """Makes the file, with one piece in memory at a time."""
        with open(part, "rb") as file:
            schema = common_schema(stream.schema for stream in _streams(file))
            tables = (stream.read_all() for stream in _streams(file))
            write_parquet(path, schema, (table for table in tables if table.num_rows))


def _streams(file: BinaryIO) -> Iterator[Any]:
    """The Arrow stream of each piece of a file."""
    pa, at, end = import_pyarrow(), 0, os.fstat(file.fileno()).st_size
    while at < end:
        file.seek(at)
        size = int.from_bytes(file.read(LENGTH_BYTES), "little")
        yield pa.ipc.open_stream(file)
        at += LENGTH_BYTES + size
