"""Parts of a JSON Schema that stand in it many times, written once below `$defs`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]
MIN_CHARACTERS = 60  # of a part that is worth a name
OF_ONE = ("items", "additionalProperties", "propertyNames", "not")  # keywords with a schema
OF_SEVERAL = ("anyOf", "allOf", "oneOf")
BY_NAME = ("properties", "patternProperties", "$defs")
MAX_NAME = 40


def with_shared_parts(schema: Schema) -> Schema:
    """The schema with each part that stands in it more than once below `$defs`, and a `$ref` in its place."""
    counts: Counter[str] = Counter()

    def counted(part: Schema) -> Schema:
        counts[_text(part)] += 1
        return _mapped(part, counted)

    _mapped(schema, counted)
    names: dict[str, str] = {}
    shared: Schema = {}

    def named(part: Schema) -> Schema:
        text = _text(part)
        if counts[text] < 2 or len(text) < MIN_CHARACTERS or "$ref" in part:
            return _mapped(part, named)
        if text not in names:
            names[text] = _free(part.get("description", ""), shared)
            shared[names[text]] = {}  # its place, before those of its own parts
            shared[names[text]] = _mapped(part, named)
        return {"$ref": f"#/$defs/{names[text]}"}

    made = _mapped(schema, named)
    return {**made, "$defs": {**made.get("$defs", {}), **shared}}


def _mapped(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A schema whose own parts are changed."""

    def each(part: Any) -> Any:
        return change(part) if isinstance(part, dict) else part

    found = dict(schema)
    for key, value in schema.items():
        if key in OF_ONE:
            found[key] = each(value)
        elif key in OF_SEVERAL:
            found[key] = [each(part) for part in value]
        elif key in BY_NAME:
            found[key] = {name: each(part) for name, part in value.items()}
    return found


def _text(part: Schema) -> str:
    return json.dumps(part, sort_keys=True)


def _free(words: str, taken: Schema) -> str:
    """A name of the first words that is not taken."""
    name = "_".join(re.findall(r"[a-z0-9]+", words.casefold()))[:MAX_NAME].strip("_") or "part"
    return next(each for each in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if each not in taken)
