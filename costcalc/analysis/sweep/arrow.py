"""Points as columns of Arrow, and Parquet files of them.

A column has the narrowest type that holds all its values: int64, else decimal128 up to 38 digits, else text. Real knobs
and ratios are float64, the nearest to the exact value; flags are bool, choices text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from costcalc import files
from costcalc.analysis.sweep.points import Points
from costcalc.errors import MissingExtra

DECIMAL128_DIGITS = 38


def import_pyarrow() -> Any:
    """The module pyarrow with its parts. Raises MissingExtra without it."""
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("Parquet files need pyarrow", "parquet") from None
    return pyarrow


def arrow_table(points: Points, denominators: Mapping[str, int]) -> Any:
    """Points as a pyarrow.Table."""
    return import_pyarrow().table(
        {name: _column(num, denominators.get(name, 1)) for name, num in points.columns.items()}
    )


def _column(num: Any, den: int) -> Any:
    pa = import_pyarrow()
    if den != 1:
        values = {n: float(Fraction(n, den)) for n in {*num.tolist()}}
        return pa.array([values[n] for n in num.tolist()], pa.float64())
    if num.dtype != object:
        return pa.array(num.tolist() if num.dtype.kind == "U" else num)
    numbers = num.tolist()
    if not all(isinstance(n, int) for n in numbers):
        return pa.array([None if n is None else float(n) for n in numbers], pa.float64())
    most = max(map(abs, numbers), default=0)
    if most < 10**DECIMAL128_DIGITS:
        return pa.array(numbers, pa.int64() if most < 2**63 else pa.decimal128(DECIMAL128_DIGITS, 0))
    return pa.array([*map(str, numbers)], pa.string())


def common_schema(schemas: Iterable[Any]) -> Any:
    """The widest type of each column: decimals for int64 and decimals, text for text and anything else."""
    pa = import_pyarrow()
    width = {pa.bool_(): 0, pa.int64(): 0, pa.float64(): 1, pa.decimal128(DECIMAL128_DIGITS, 0): 2, pa.string(): 3}
    widest: list[Any] = []
    names: list[str] = []
    for schema in schemas:
        names, types = schema.names, schema.types
        widest = [max(pair, key=width.__getitem__) for pair in zip(types, widest or types)]
    return pa.schema([*zip(names, widest)])


def write_parquet(path: Path, schema: Any, tables: Iterable[Any]) -> None:
    """Writes each table as a row group of one Parquet file, all of them or none. Raises OSError."""
    pa = import_pyarrow()
    with files.atomic_file(path) as out, pa.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.cast(schema))
