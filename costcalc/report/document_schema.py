"""A JSON Schema of what `-f json` prints, made from `documents` and the list of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from costcalc.analysis.metrics import METRICS
from costcalc.report.documents import DOCUMENTS, HEAD, METRIC, PARTS

Schema = dict[str, Any]
TYPES: dict[str, Schema] = {
    "int": {"type": "integer"}, "num": {"type": "number"}, "text": {"type": "string"}, "bool": {"type": "boolean"},
    "null": {"type": "null"}, "any": {},
}  # fmt: skip
OF_KIND = {"int": {"type": ["integer", "null"]}, "measured": {"type": ["number", "null"]}}
OF_AXES = {"type": ["array", "null"], "items": {"type": ["integer", "string"]}}  # a number, or `whole`, for each axis


def document_schema() -> Schema:
    """A JSON Schema (draft 2020-12) of the documents of all commands, each by its name below `$defs`."""
    parts = {name: _schema(part) for name, part in PARTS.items()}
    documents = {f"{name}_document": _schema({**HEAD, **fields}) for name, fields in DOCUMENTS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/costcalc/costcalc/blob/main/output.schema.json",
        "title": "The JSON of a costcalc command",
        "description": "Whole numbers are exact. Names are added within a schema_version, and none goes",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in documents],
        "$defs": {**documents, **parts, "metrics": _metrics()},
    }


def keys() -> Iterator[str]:
    """Every key of every document and part with its type: `compare: targets[].ratio: num|null`."""
    for name, fields in {**{f"({name})": part for name, part in PARTS.items()}, **DOCUMENTS, "all": HEAD}.items():
        yield from (f"{name}: {key}" for key in _keys(fields, ""))
    yield from (f"metric: {name}: {metric.kind}" for name, metric in METRICS.items())


def closed(schema: Any) -> Any:
    """The schema with no other names in its objects than those that it lists."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        found["additionalProperties"] = False
    return found


def _schema(kind: Any) -> Schema:
    if isinstance(kind, list):
        return {"type": "array", "items": _schema(kind[0])}
    if isinstance(kind, Mapping):
        return _object(kind)
    names = kind.split("|")
    if all(name in TYPES and name != "any" for name in names):
        types = [TYPES[name]["type"] for name in names]
        return {"type": types if len(types) > 1 else types[0]}
    found = [TYPES.get(name, {"$ref": f"#/$defs/{name}"}) for name in names]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _object(fields: Mapping[str, Any]) -> Schema:
    named = {name: kind for name, kind in fields.items() if name != METRIC and not name.startswith("*")}
    found: Schema = {"type": "object"}
    if METRIC in fields:
        found["properties"] = {name: {"$ref": f"#/$defs/metrics/properties/{name}"} for name in METRICS}
    if named:
        found["properties"] = {
            **found.get("properties", {}), **{name.removesuffix("?"): _schema(kind) for name, kind in named.items()},
        }  # fmt: skip
        found["required"] = [name for name in named if not name.endswith("?")]
    if ends := [name for name in fields if name.startswith("*_")]:
        found["patternProperties"] = {f"{name[1:]}$": _schema(fields[name]) for name in ends}
    if "*" in fields:
        found["additionalProperties"] = _schema(fields["*"])
    return found


def _metrics() -> Schema:
    """Each metric with what it counts."""
    found = {}
    for name, metric in METRICS.items():
        kind = OF_AXES if metric.kind == "shape" else OF_KIND[metric.kind]
        found[name] = {**kind, "description": f"{metric.title}: {metric.counts}"}
    return {"type": "object", "properties": found}


def _keys(kind: Any, path: str) -> Iterator[str]:
    if isinstance(kind, list):
        yield from _keys(kind[0], f"{path}[]")
    elif isinstance(kind, Mapping):
        for name, value in kind.items():
            yield from _keys(value, f"{path}.{name}" if path else name)
    else:
        yield f"{path}: {kind}"
