"""Flat records as a Parquet file."""

from __future__ import annotations

import io
import json
from typing import Any

from costcalc.analysis.sweep.arrow import import_pyarrow


def parquet_bytes(rows: list[dict[str, Any]]) -> bytes:
    """Flat rows with the same keys as a Parquet file. Raises MissingExtra without pyarrow."""
    pyarrow = import_pyarrow()
    names = list(rows[0]) if rows else []
    columns = {name: pyarrow.array(*_one_type([row[name] for row in rows])) for name in names}
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def _one_type(values: list[Any]) -> tuple[list[Any], str]:
    """A column in the narrowest type that holds its values exactly, and the name of that type; JSON text for mixed
    types."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return values, "bool"
    if kinds == {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return values, "int64"
    if kinds == {float} or (kinds == {int, float} and all(_fits(value) for value in values)):
        return [None if value is None else float(value) for value in values], "float64"
    if kinds == {str}:
        return [None if v is None else v.encode("utf-8", "backslashreplace").decode() for v in values], "string"
    return [None if value is None else json.dumps(value) for value in values], "string"


def _fits(value: Any) -> bool:
    return value is None or abs(value) <= 2**53
