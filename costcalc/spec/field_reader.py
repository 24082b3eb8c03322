"""Reads the values of an item in a list of layers: its fields, and `name`, `from`, `when`, `shares`, `meant` and
`frozen`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costcalc.errors import Reported, did_you_mean, unknown
from costcalc.expressions import NAME, RESERVED, constant
from costcalc.ops import OPS
from costcalc.spec.node_reader import Entries, NodeReader
from costcalc.spec.signature import STRUCTURES, kinds_of
from costcalc.spec.spec_tree import Block, Value, unique
from costcalc.spec.yaml_reader import Node, Scalar, Sequence

MAX_VALUES = 10_000  # in one list
Names = dict[str, Any] | None  # names that expressions may read, knobs with their Knob; None if these are unreadable


class FieldReader:
    """Reads values; `names` are those that an expression may read here, `blocks` the blocks above."""

    def __init__(self, reader: NodeReader, names: Names, blocks: Mapping[str, Block]):
        self.reader, self.report = reader, reader.report
        self.names, self.blocks = names, blocks

    def read_field(self, kind: str, name: str, node: Node) -> Value:
        """A field's value: an expression, or a word that the field takes, as `same`."""
        what = f"{kind}: {name}"
        if kind not in OPS:
            if isinstance(node, Sequence):
                self.report(node.place, f"{what} takes one value, not a list")
                return Reported(node.place)
            return self.expression(node, what)
        field = kinds_of(kind)[name]
        if isinstance(node, Scalar) and node.text in field.words:
            return constant(node.text, node.place)
        if field.name == "word":
            hint = did_you_mean(node.text, field.words, listed=False) if isinstance(node, Scalar) else ""
            self.reader.unless_reported(node, f"{what} must be {field.plain_name}", hint)
            return Reported(node.place)
        if field.words and isinstance(node, Scalar) and NAME.fullmatch(node.text) and self.is_unknown(node.text):
            self.report(node.place, *unknown(f"value of {name}", node.text, [*field.words, *(self.names or ())]).said)
            return Reported(node.place)
        return self.value(node, what)

    def expression(self, node: Node, what: str) -> Value:
        """An expression of the names that are known here; Reported for an invalid one."""
        return self.reader.expression_or_reported(node, what, self.names)

    def is_unknown(self, name: str) -> bool:
        """Is this neither a knob, a size, a parameter nor a function?"""
        return self.names is not None and name not in self.names and name not in RESERVED

    def value(self, node: Node, what: str) -> Value:
        """An expression, or nested lists of them."""
        if not isinstance(node, Sequence):
            return self.expression(node, what)
        if len(node.items) > MAX_VALUES:
            self.report(node.place, f"{what} is a list of {len(node.items):,} values; at most {MAX_VALUES:,}")
            return Reported(node.place)
        return tuple([self.value(item, what) for item in node.items])

    def read_extras(self, key: Scalar, given: Entries) -> dict[str, Any]:
        """`name`, `from`, `when`, `shares`, `meant` and `frozen` as an Item keeps them."""
        found: dict[str, Any] = {}
        if "name" in given:
            found["name"] = self.reader.word(given["name"][1], "name") or unique(key.text, key.place)
        if "from" in given:
            found["sources"] = self.sources(key.text, given["from"][1])
        if "when" in given:
            found["when"] = self.expression(given["when"][1], "when")
        if "shares" in given:
            found["shares"] = self.reader.path(given["shares"][1], "shares") or ""
        for name in ("meant", "frozen"):
            if name in given:
                found[name] = bool(self.reader.flag(given[name][1], name))
        for name, hint in (("shares", "name the layers inside"), ("meant", "say it of the layer inside")):
            if name in given and key.text in self.blocks:
                self.report(given[name][0].place, f"{name} goes with an op, not a block", hint)
        if given:
            found["places"] = {name: given[name][1].place for name in ("from", "shares") if name in given}
        return found

    def sources(self, kind: str, node: Node) -> tuple[str | None, ...]:
        listed = node.items if isinstance(node, Sequence) else [node]
        one = kind in self.blocks or kind in STRUCTURES
        if not listed or (one and len(listed) > 1):
            self.report(node.place, f"{kind} reads {'one layer' if one else 'a layer'}, got {len(listed)}")
            return (None,)
        return tuple([self.reader.path(item, "from") for item in listed])
