"""The grammar of specs as a JSON Schema, made from the fields of the ops: for completion and marks in an editor.

It describes the form of a spec; `costcalc validate` also checks names, shapes and expressions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from costcalc.expressions import NAME
from costcalc.models.knob import QUOTED
from costcalc.ops import OPS
from costcalc.ops.base import is_join, layer_ops
from costcalc.ops.fields import Kind
from costcalc.ops.plugins import load_plugins
from costcalc.ops.synonyms import field_synonyms
from costcalc.spec import knobs, parse, published
from costcalc.spec.lecture_titles import LECTURES
from costcalc.spec.schema_parts import with_shared_parts
from costcalc.spec.signature import FOR_OPS, STRUCTURES, kinds_of, needed_by

Schema = dict[str, Any]
WORD: Schema = {"type": "string", "pattern": f"^{NAME.pattern}$"}
PATH: Schema = {"type": "string", "pattern": rf"^{NAME.pattern}(\.{NAME.pattern})*$"}
TEXT: Schema = {"type": ["string", "number"]}  # `source: 1998` is text all the same
EXPRESSION: Schema = {"type": "string", "maxLength": 1000, "description": "an expression of knobs and sizes"}
SIZE: Schema = {"anyOf": [{"type": "number"}, EXPRESSION]}
NUMBER: Schema = {"type": ["number", "string"]}
VALUE: Schema = {"type": ["number", "boolean", "string"]}
ABOUT = {
    "name": "what the spec is called: the file's name without .yaml",
    "title": "one line, shown by `costcalc list`",
    "source": "where the architecture is from",
    "about": "a paragraph",
    "lecture": "the number of its lecture, for `costcalc list`",
    "knobs": "what the reader may set; batch is a knob of every spec",
    "presets": "settings of knobs that are a known network",
    "sizes": "named expressions; later ones may use earlier ones",
    "input": "the shape of one example: [channels, height, width]",
    "inputs": "the shapes of several inputs by name",
    "blocks": "macros: name(parameter, parameter=default): [layers]",
    "layers": "the network; every layer reads the one before it",
    "published": "figures others printed, for `costcalc reconcile`",
}
EXTRA_SCHEMAS: Schema = {
    "name": {**WORD, "description": "the layer's name, for tables and `from`"},
    "from": {
        "anyOf": [PATH, {"type": "array", "items": PATH, "minItems": 1}],
        "description": "the layer, or list of layers, it reads instead of the one before",
    },
    "when": {"type": ["string", "boolean"], "description": "build it only if this expression is true"},
    "shares": {**PATH, "description": "the layer whose weights it uses; they are counted once, there"},
    "frozen": {"type": "boolean", "description": "true: it keeps its weights in training, with all that stands in it"},
    "meant": {"type": "boolean", "description": "true: the layer is as it is meant, and gives no warning"},
}


def json_schema(metrics: Iterable[str] = ()) -> Schema:
    """A JSON Schema (draft 2020-12) of specs. Published figures are of these `metrics`, or of any without them."""
    load_plugins()
    return with_shared_parts(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://github.com/costcalc/costcalc/blob/main/spec.schema.json",
            "title": "A costcalc spec",
            "description": "A neural network as its paper's table; `costcalc help specs` is the whole grammar",
            **mapping(_top([*metrics]), needed=[*parse.HEAD_KEYS[:3], "layers"]),
            "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
            "$defs": {"layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}}, "layer": _layer()},
        }
    )


def _top(metrics: list[str]) -> Schema:
    shape = {"type": "array", "items": SIZE, "maxItems": parse.MAX_AXES}
    ref = {"$ref": "#/$defs/layers"}
    parts: Schema = {
        "name": WORD,
        **dict.fromkeys(("title", "source", "about"), TEXT),
        "lecture": {"type": "integer", "minimum": 1, "maximum": len(LECTURES)},
        "knobs": by_name(knob()),
        "presets": by_name({"type": "object", "additionalProperties": VALUE}),
        "sizes": by_name(VALUE),
        "input": shape,
        "inputs": by_name(shape),
        "blocks": {"type": "object", "additionalProperties": ref},
        "layers": ref,
        "published": {"type": "array", "items": figure(_metric(metrics) if metrics else TEXT)},
    }
    return {key: {**parts[key], "description": ABOUT[key]} for key in parse.TOP}


def knob() -> Schema:
    """A knob: its default, or a mapping."""
    fields: Schema = {
        "default": VALUE,
        "kind": {"enum": [*knobs.KNOB_KINDS]},
        "min": NUMBER,
        "max": NUMBER,
        "choices": {"type": "array", "items": WORD},
        "about": TEXT,
        "letter": {"type": "string", "description": "how formulas print it"},
    }
    return {"anyOf": [VALUE, mapping(fields, needed=["default"])]}


def figure(metric: Schema) -> Schema:
    """A published figure of such a metric."""
    fields: Schema = {
        **dict.fromkeys(published.FIGURE_KEYS, TEXT),
        "metric": metric,
        "value": {"type": ["string", "number"], "description": "as printed: digits and K, M, G or B"},
        "preset": WORD,
        "at": by_name(VALUE),
        "block": PATH,
        "K": {"enum": [1000, 1024]},
    }
    return mapping(fields, needed=[*published.REQUIRED_KEYS])


def _metric(names: list[str]) -> Schema:
    """One of these metrics, a sum of them with whole factors, or what is quoted."""
    term = rf"([1-9][0-9]{{0,2}}\*)?({'|'.join(names)})"
    return {"anyOf": [{"enum": [*names, *QUOTED]}, {"type": "string", "pattern": rf"^{term}(\+{term})*$"}]}


def _layer() -> Schema:
    """`- relu`, or a mapping of one key: an op, a structure, or a name that only a block can have."""
    ops = layer_ops()
    needless = [name for name in ops if not needed_by(name) and not is_join(name)]
    alone = [{"const": name, "description": _about(name)} for name in needless]
    known = {name: _call(name) for name in ops}
    known |= {name: {"anyOf": [_branches(), _join(name)], "description": _about(name)} for name in filter(is_join, ops)}
    known |= {name: {**_structure(name), "description": STRUCTURES[name]} for name in STRUCTURES}
    of_a_block = f"^(?!({'|'.join(known)})$){NAME.pattern}$"
    block = {"type": "string", "pattern": of_a_block, "description": "a block without parameters"}
    mapping = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": known,
        "patternProperties": {of_a_block: {"description": "a block, or another name of an op"}},
        "additionalProperties": False,
    }
    return {"anyOf": [*alone, block, mapping]}


def _call(op: str) -> Schema:
    """An op with its fields, or with one value for the first."""
    kinds = kinds_of(op)
    fields = _fields(op)
    full = {**mapping({**fields, **EXTRA_SCHEMAS}), **_needed(op)}
    first = [*kinds][:1]
    short = [fields[name] for name in first if set(needed_by(op)) <= set(first)]
    return {"anyOf": [full, *short], "description": _about(op)}


def _fields(op: str) -> Schema:
    """The fields of an op, under all their names."""
    fields = {name: field_schema(kind) for name, kind in kinds_of(op).items()}
    others = {
        other: {**fields[name], "description": f"another name of {name}"}
        for other, name in field_synonyms(OPS[op]).items()
    }
    return {**fields, **others}


def _needed(op: str) -> Schema:
    """Requires each field without a default, under one of its names."""
    names = {name: [name] for name in needed_by(op)}
    for other, name in field_synonyms(OPS[op]).items():
        if name in names:
            names[name].append(other)
    plain = [name for name, all_names in names.items() if len(all_names) == 1]
    either = [all_names for all_names in names.values() if len(all_names) > 1]
    found: Schema = {"required": plain} if plain else {}
    if either:
        found["allOf"] = [{"anyOf": [{"required": [name]} for name in all_names]} for all_names in either]
    return found


def field_schema(kind: Kind) -> Schema:
    """The values of a field of this kind."""
    one: Schema = {"anyOf": [{"type": "number", "minimum": kind.low}, EXPRESSION]}
    listed: Schema = {"type": "array", "items": one}
    forms: dict[str, list[Schema]] = {
        "size": [one],
        "per_axis": [one, listed],
        "sizes": [one, listed],
        "rows": [{"type": "array", "items": listed}],
        "flag": [{"type": "boolean"}, EXPRESSION],
        "real": [{"type": "number"}, EXPRESSION],
        "unit_interval": [{"type": "number", "minimum": 0, "maximum": 1}, EXPRESSION],
        "word": [],
    }
    words = [{"enum": [*kind.words]}] if kind.words else []
    return {"anyOf": [*words, *forms[kind.name]], "description": kind.plain_name}


def _join(op: str) -> Schema:
    either = {"anyOf": [{"required": ["branches"]}, {"required": ["from"]}]}
    return {**mapping({**_fields(op), "branches": _branches(), **EXTRA_SCHEMAS}), **either}


def _branches() -> Schema:
    return {"type": "array", "items": {"$ref": "#/$defs/layers"}, "minItems": 2, "description": "each a list of layers"}


def _structure(kind: str) -> Schema:
    own: Schema = {"layers": {"$ref": "#/$defs/layers"}}
    if kind == "repeat":
        own["times"] = {**SIZE, "description": "how many; may be 0, or an expression"}
    return mapping({**own, **{key: value for key, value in EXTRA_SCHEMAS.items() if key not in FOR_OPS}}, needed=[*own])


def mapping(fields: Schema, needed: list[str] | None = None) -> Schema:
    """An object with these fields and no others."""
    schema: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    return {**schema, "required": needed} if needed else schema


def by_name(value: Schema) -> Schema:
    """An object with names of the reader's own."""
    return {"type": "object", "propertyNames": WORD, "additionalProperties": value}


def _about(op: str) -> str:
    """The first line of an op's docstring."""
    return (OPS[op].__doc__ or "").strip().split("\n")[0]
