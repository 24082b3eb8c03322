"""The fields of ops and the parameters of blocks."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import MISSING, fields
from typing import Any

from costcalc.errors import Place, nearest, shorten
from costcalc.expressions import NAME, RESERVED, Expression
from costcalc.ops import OPS, field_kinds
from costcalc.ops.fields import Kind
from costcalc.ops.synonyms import SYNONYMS, absent_field_hint, field_synonyms
from costcalc.spec.node_reader import NodeReader
from costcalc.spec.yaml_reader import Mapping, Scalar

EXTRAS = ("name", "from", "when", "shares", "meant", "frozen")  # keys that go with every item
FOR_OPS = ("shares", "meant")  # of these, those that structures do not take
STRUCTURES = {
    "group": "layers under one name",
    "repeat": "copies in a row, each with weights of its own",
    "side": "a side branch that ends in an output of its own",
}
SIGNATURE = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)
Parameters = dict[str, Expression | None]  # with their defaults


def kinds_of(op: str) -> dict[str, Kind]:
    """The fields of an op, each with the kind of its values."""
    cls: Any = OPS[op]
    return field_kinds(cls)


def by_one_name(key: Scalar, blocks: Collection[str]) -> Scalar:
    """The op's own name for a synonym of it. A name of an op or block is not a synonym."""
    kind = key.text
    if kind not in SYNONYMS or kind in OPS or kind in blocks:
        return key
    return Scalar(SYNONYMS[kind], SYNONYMS[kind], key.place)


def fields_by_one_name(reader: NodeReader, node: Mapping, op: str) -> Mapping:
    """The same entries, with the op's own name for each synonym of a field. Reports a field under two names."""
    names = field_synonyms(OPS.get(op))
    if not any(key.text in names for key, _ in node.entries):
        return node
    given: dict[str, str] = {}
    entries = []
    for key, value in node.entries:
        name = names.get(key.text, key.text)
        if name in given:
            message = f"{op}: {shorten(given[name])!r} and {shorten(key.text)!r} are one field, {name}"
            reader.report(key.place, message, "give one of them")
        else:
            given[name] = key.text
            entries.append((Scalar(name, name, key.place), value))
    return Mapping(node.place, entries)


def field_hint(kind: str, name: str, known: Collection[str]) -> str:
    """A hint for an unknown field: the nearest name and the valid ones."""
    own = [field for field in known if field not in EXTRAS or kind in STRUCTURES]
    if kind in STRUCTURES and name == "meant":
        return "meant goes with an op; say it of the layer inside"
    if advice := absent_field_hint(OPS.get(kind), name):
        return advice
    near = nearest(name, own) or nearest(
        name, [*field_synonyms(OPS.get(kind)), *EXTRAS] if kind not in STRUCTURES else []
    )
    guess = f"did you mean {near!r}? " if near else ""
    return f"{guess}{kind} has {shorten(', '.join(own), 200) or 'no fields of its own'}"


def needed_by(op: str) -> tuple[str, ...]:
    """The fields an op cannot do without."""
    cls: Any = OPS[op]
    return tuple(field.name for field in fields(cls) if field.default is MISSING)


def read_signature(reader: NodeReader, key: Scalar) -> tuple[str, str]:
    """The two parts of `name(parameter, parameter=default)`; empty if it is invalid."""
    match = SIGNATURE.fullmatch(key.text)
    if match and NAME.fullmatch(match[1]):
        return match[1], match[2] or ""
    reader.report(key.place, f"{shorten(key.text)!r} is not a block", "write name(parameter, parameter=default)")
    return "", ""


def read_parameters(reader: NodeReader, text: str, place: Place, names: Collection[str] | None) -> Parameters | None:
    """Parameters and their defaults; None if one is invalid."""
    found: Parameters = {}
    before = len(reader.problems)
    for part in _parts(text):
        name, equals, default = (piece.strip() for piece in part.partition("="))
        if not NAME.fullmatch(name) or name in found or name in EXTRAS or name in RESERVED:
            hint = "write name, or name=default"
            reader.report(place, f"{shorten(part.strip(), 40)!r} is not a parameter", hint)
        else:
            value = Scalar(default or None, default, place)
            found[name] = reader.expression(value, f"default of {name}", names) if equals else None
    return found if len(reader.problems) == before else None


def _parts(text: str) -> list[str]:
    """`a, b=max(c, 1)` cut at the commas outside of brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts if text.strip() else []
