"""The grammar of pipelines as a JSON Schema, made from the fields of the steps."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from costcalc.ops.base import field_kinds
from costcalc.pipeline import pipeline_reader
from costcalc.pipeline.augmentation import METRICS
from costcalc.pipeline.step_base import STEPS
from costcalc.spec.schema import ABOUT, SIZE, TEXT, WORD, by_name, field_schema, figure, knob, mapping

Schema = dict[str, Any]
ABOUT_PIPELINES = {
    "name": "what the pipeline is called: the file's name without .yaml",
    "title": "one line, shown by `costcalc augment`",
    "source": "where the pipeline is from",
    "knobs": "what the reader may set",
    "input": "the shape of a decoded image: [channels, height, width]",
    "steps": "what is done to an image, one after the other",
    "published": "figures others printed, for `costcalc reconcile augment:NAME`",
}


def pipeline_schema() -> Schema:
    """A JSON Schema (draft 2020-12) of augmentation pipelines."""
    parts: Schema = {
        "name": WORD,
        **dict.fromkeys(("title", "source", "about"), TEXT),
        "knobs": by_name(knob()),
        "input": {"type": "array", "items": SIZE, "minItems": 3, "maxItems": 3},
        "steps": {"type": "array", "items": _step(), "minItems": 1},
        "published": {"type": "array", "items": figure({"enum": [*METRICS]})},
    }
    top = {key: {**parts[key], "description": (ABOUT | ABOUT_PIPELINES)[key]} for key in pipeline_reader.KEYS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A costcalc augmentation pipeline",
        "description": "What is done to training images; `costcalc help augmentation` is the whole grammar",
        **mapping(top, needed=[*pipeline_reader.REQUIRED]),
    }


def _step() -> Schema:
    """`- horizontal_flip`, or a mapping of one step."""
    alone = [{"const": name, "description": _about(name)} for name in STEPS if not _needed(name)]
    one = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"anyOf": [*alone, {**one, "properties": {name: _call(name) for name in STEPS if field_kinds(STEPS[name])}}]}


def _call(name: str) -> Schema:
    """A step with its fields, or with one value for the first."""
    kinds = {field: field_schema(kind) for field, kind in field_kinds(STEPS[name]).items()}
    full = mapping(kinds, needed=_needed(name) or None)
    first = [*kinds][:1]
    short = [kinds[field] for field in first if set(_needed(name)) <= set(first)]
    return {"anyOf": [full, *short], "description": _about(name)}


def _needed(name: str) -> list[str]:
    return [field.name for field in fields(STEPS[name]) if field.default is MISSING]


def _about(name: str) -> str:
    """The first line of a step's docstring."""
    return (STEPS[name].__doc__ or "").strip().split("\n")[0]
