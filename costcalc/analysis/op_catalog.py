"""The ops that a spec can use, with their shapes and fields, read from their classes."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from inspect import cleandoc
from typing import Any

from costcalc.dims import size_symbol
from costcalc.errors import UnknownName, shorten
from costcalc.ops import OPS, field_kinds
from costcalc.ops.base import layer_ops
from costcalc.ops.plugins import is_op, load_plugins
from costcalc.ops.synonyms import SYNONYMS, field_synonyms, hint
from costcalc.result import TableResult
from costcalc.table import Column, Table

OpDescription = dict[str, Any]


def describe_op(name: str) -> OpDescription:
    """An op by any of its names: docstring, shapes, fields with kinds and defaults, needs. Raises UnknownName."""
    name = name if name in OPS else SYNONYMS.get(name, name)
    is_op(name)  # imports that of an installed package
    if name not in layer_ops():
        raise UnknownName(f"unknown op {shorten(name)!r}; {hint(name, op_names())}")
    text = cleandoc(OPS[name].__doc__ or "")
    pieces = [piece.strip() for piece in re.split(r" {3,}|\n", text)]
    return {
        "op": name,
        "shapes": next((piece for piece in pieces if "->" in piece), ""),
        "about": text,
        "synonyms": sorted(other for other, op in SYNONYMS.items() if op == name),
        "fields": _fields(name),
        "needs": _needs(name),
    }


def op_names() -> list[str]:
    """The ops that a spec can use, without input, which is not a layer."""
    return sorted(layer_ops())


def describe_all_ops() -> list[OpDescription]:
    """Every op, by name."""
    load_plugins()
    return [describe_op(name) for name in op_names()]


def ops_result() -> TableResult:
    """A table with a row for each op."""
    ops = describe_all_ops()
    columns = (Column("op", "op", "text"), Column("shapes", "shapes", "text", 1), Column("fields", "fields", "text"))
    rows = [{**op, "fields": _signature(op)} for op in ops]
    table = Table("", columns, rows, None, ["more about one: costcalc ops NAME"])
    return TableResult(table, {"ops": ops})


def op_result(name: str) -> TableResult:
    """A table of one op, by any of its names: fields as rows, the rest as notes."""
    op = describe_op(name)
    keys = ("field", "takes", "default", *(["also"] if any(field["synonyms"] for field in op["fields"]) else []))
    columns = tuple(Column(key, key, "text") for key in keys)
    rows = [{**field, "default": _written(field), "also": ", ".join(field["synonyms"])} for field in op["fields"]]
    also = [f"also: {', '.join(op['synonyms'])}"] if op["synonyms"] else []
    table = Table(op["op"], columns, rows, None, [op["about"], *also, *op["needs"]])
    return TableResult(table, {"ops": [op]})


def markdown() -> str:
    """The table of docs/specs.md."""
    rows = [f"| `{op['op']}` | {op['shapes'].replace('|', '/')} | {_signature(op)} |" for op in describe_all_ops()]
    return "\n".join(["| op | shapes | fields |", "|---|---|---|", *rows]) + "\n"


def _fields(name: str) -> list[dict[str, Any]]:
    cls: Any = OPS[name]
    kinds = field_kinds(cls)
    return [
        {
            "field": field.name,
            "takes": kinds[field.name].plain_name,
            "needed": field.default is MISSING,
            "default": None if field.default is MISSING else field.default,
            "synonyms": sorted(other for other, own in field_synonyms(cls).items() if own == field.name),
        }
        for field in fields(OPS[name])
    ]


def _written(field: dict[str, Any]) -> str:
    """A default as a spec would write it."""
    value = field["default"]
    if field["needed"]:
        return "needed"
    if isinstance(value, tuple):
        return str([*value])
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _signature(op: OpDescription) -> str:
    return ", ".join(f["field"] if f["needed"] else f"{f['field']}={_written(f)}" for f in op["fields"])


AXES = ("nchw", "ncl", "nc", "ncthw")  # names of the axes of inputs that are tried in turn


def _needs(name: str) -> list[str]:
    """The docstring of its `needs`, and what it refuses, found by a call with symbols for all sizes."""
    cls: Any = OPS[name]
    about = [cls.needs.__doc__.strip().rstrip(".")] if cls.needs.__doc__ else []
    refused: dict[str, None] = {}
    for axes in AXES:
        shapes = [tuple(size_symbol(f"{axis}{suffix}") for axis in axes) for suffix in ("", "_2", "_3")]
        for need in _with_symbols(cls).needs(*shapes[: cls.arity or 2]):
            gaps = (shown if isinstance(shown, str) else "…" for shown in need.message_sizes)
            refused[f"refused: {need.sentence(gaps)}"] = None
            if need.truth is False:
                break
        else:
            break
    return [*about, *refused]


def _with_symbols(cls: Any) -> Any:
    """An op whose sizes are symbols with the names of their fields."""
    kinds = field_kinds(cls)
    asked = [field.name for field in fields(cls) if field.default is MISSING or kinds[field.name].takes_symbols]
    return cls(**{name: kinds[name].example(name) for name in asked})
