"""Reads lists of layers and blocks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from costcalc.errors import REPORTED, Place, Reported, shorten
from costcalc.expressions import NAME
from costcalc.ops import OPS
from costcalc.ops.base import is_join, layer_ops
from costcalc.ops.plugins import is_op
from costcalc.ops.synonyms import hint as op_hint
from costcalc.spec.field_reader import FieldReader, Names
from costcalc.spec.node_reader import Entries, NodeReader, is_path
from costcalc.spec.signature import (
    EXTRAS,
    FOR_OPS,
    STRUCTURES,
    by_one_name,
    field_hint,
    fields_by_one_name,
    kinds_of,
    needed_by,
    read_parameters,
    read_signature,
)
from costcalc.spec.spec_tree import UNKNOWN, UNREAD, Block, Item, Value
from costcalc.spec.yaml_reader import Mapping, Node, Scalar, Sequence


class LayerReader:
    """Reads blocks and lists of layers. `blocks` are the blocks read so far."""

    def __init__(self, reader: NodeReader, names: Names):
        self.reader, self.report = reader, reader.report
        self.blocks: dict[str, Block] = {}
        self.below: set[str] = set()  # blocks not read yet
        self.unsure: set[str] = set()  # possible names of layers that could not be read: a `from` may mean one of these
        self.spec_names = names
        self.fields = FieldReader(reader, names, self.blocks)

    # --- blocks ----------------------------------------------------------------------------------------------------

    def read_blocks(self, node: Node) -> None:
        """Reads the blocks in order; each may use those above it."""
        listed = self.reader.entries(node, "blocks").values()
        self.below = {key.text.partition("(")[0].strip() for key, _ in listed}
        for key, value in listed:
            name, parameters = read_signature(self.reader, key)
            if name in OPS or name in STRUCTURES or name in self.blocks:
                what = "a block" if name in self.blocks else "an op"
                self.report(key.place, f"{name!r} is {what} already", "give the block another name")
            elif name:
                self.read_block(name, parameters, key.place, value)

    def read_block(self, name: str, signature: str, place: Place, node: Node) -> None:
        parameters = read_parameters(self.reader, signature, place, self.spec_names)
        is_known = self.spec_names is not None and parameters is not None
        self.fields.names = {**(self.spec_names or {}), **dict.fromkeys(parameters or ())} if is_known else None
        items = self.read(node, f"block {name}")
        self.fields.names = self.spec_names
        self.blocks[name] = Block(name, REPORTED if parameters is None else parameters, items, place)

    # --- lists of layers -------------------------------------------------------------------------------------------

    def read(self, node: Node, what: str = "layers") -> tuple[Item, ...]:
        """The items of a list of layers."""
        items = self.reader.items(node, what)
        for at, item in enumerate(items):
            items[at] = self.item(item)  # in place: the memory of each part of the tree is freed once it is read
        return tuple(items)

    def item(self, node: Node) -> Item:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            key, value = node, None
        elif isinstance(node, Mapping) and len(node.entries) == 1:
            key, value = node.entries[0]
        elif isinstance(node, Mapping) and node.entries:
            return self.beside(node)
        else:
            if not isinstance(node, Mapping) or not self.reader.problems:  # else its key was the problem
                hint = "as in `- relu` or `- conv: {channels: 64, kernel: 3}`"
                self.reader.unless_reported(node, "a layer is one op or block", hint)
            return self.unknown(node.place)
        key = by_one_name(key, self.below.union(self.blocks))
        return self.of_kind(key, value) if self.is_kind(key) else self.unknown(node.place, value)

    def of_kind(self, key: Scalar, node: Node | None) -> Item:
        """A layer of a known kind; `node` is None for a name alone, as in `- relu`."""
        if key.text in STRUCTURES:
            return self.structure(key, node or Mapping(key.place))
        return self.join(key, node or Mapping(key.place)) if is_join(key.text) else self.call(key, node)

    def beside(self, node: Mapping) -> Item:
        """Reports a second key beside a layer: a field that is not indented, or the next layer without its dash."""
        (first, _), (key, _) = node.entries[:2]
        hint = "put a - before it, or indent it as a field of the layer above"
        self.report(key.place, f"{shorten(key.text)!r} stands beside a layer", hint)
        self.unsure |= {first.text, key.text}
        return self.unknown(node.place, Mapping(node.place, [*node.entries]))

    def unknown(self, place: Place, node: Node | None = None) -> Item:
        """An item of unknown kind; its `name` and `from` are read, so that other layers can name it."""
        given = {key.text: value for key, value in node.entries} if isinstance(node, Mapping) else {}
        name, source = given.get("name"), given.get("from")
        found: dict[str, Any] = {"sources": None}
        if isinstance(name, Scalar) and NAME.fullmatch(name.text):
            found["name"] = name.text
        if isinstance(source, Scalar | Sequence):
            listed = source.items if isinstance(source, Sequence) else [source]
            found["sources"] = tuple([one.text if is_path(one) else None for one in listed])
            found["places"] = {"from": source.place}
        return Item(UNKNOWN, place, {UNREAD: REPORTED}, **found)

    def is_kind(self, key: Scalar) -> bool:
        """Is this an op, a structure, or a valid block above?"""
        kind = key.text
        if kind in STRUCTURES or (kind in OPS and not OPS[kind].is_input):
            return True
        if kind in self.blocks and self.blocks[kind].parameters is not REPORTED:
            return True
        if kind not in self.below and is_op(kind) and not OPS[kind].is_input:  # of an installed package
            return True
        self.unsure |= {kind} if kind in self.below else {kind, *layer_ops(), *self.blocks}
        if kind not in self.below:
            near = op_hint(kind, [*layer_ops(), *self.blocks, *STRUCTURES])
            self.report(key.place, f"unknown op or block {shorten(kind)!r}", near)
        elif kind not in self.blocks:
            self.report(key.place, f"block {kind!r} does not stand above", "a block may use the blocks above it")
        return False

    def call(self, key: Scalar, node: Node | None) -> Item:
        """An op or a block with its fields; `node` is None for a name alone."""
        kind, before = key.text, len(self.reader.problems)
        block = self.blocks.get(kind)
        names = list(block.parameters) if block else list(kinds_of(kind))
        given: Entries = {}
        if isinstance(node, Mapping):
            given = self.entries(node, kind, [*names, *EXTRAS])
        elif node is not None and not self.has_value(key, node, names):
            return Item(kind, key.place, {UNREAD: REPORTED})
        elif node is not None:
            given = {names[0]: (key, node)}
        needed = [name for name, default in block.parameters.items() if default is None] if block else needed_by(kind)
        self.reader.require(kind, needed, given, key.place, before)
        unread = self.unread(before)
        found = {
            name: self.fields.read_field(kind, name, value) for name, (_, value) in given.items() if name not in EXTRAS
        }
        return Item(kind, key.place, {**found, **unread}, **self.fields.read_extras(key, given))

    def unread(self, before: int) -> dict[str, Reported]:
        """The field UNREAD, if there are more problems than `before` the item."""
        return {UNREAD: REPORTED} if len(self.reader.problems) > before else {}

    def entries(self, node: Node, kind: str, known: Collection[str]) -> Entries:
        """The entries of an item. The value of an unknown key may be the item's name."""
        if isinstance(node, Mapping):
            node = node if kind in self.blocks else fields_by_one_name(self.reader, node, kind)
            strange = [value for key, value in node.entries if key.text not in known]
            self.unsure.update([kind] if strange else (), (it.text for it in strange if isinstance(it, Scalar)))
        return self.reader.entries(node, kind, known, lambda name: field_hint(kind, name, known))

    def has_value(self, key: Scalar, node: Node, names: list[str]) -> bool:
        """Can `kind: value` stand for the first of these fields?"""
        if isinstance(node, Scalar) and node.value is None:
            self.report(node.place, f"nothing stands behind `{key.text}:`", f"write `- {key.text}`, or give its fields")
        elif not names:
            self.reader.unless_reported(node, f"{key.text} has no fields", f"write `- {key.text}`")
        else:
            return not isinstance(node, Reported)
        return False

    # --- structures ------------------------------------------------------------------------------------------------

    def structure(self, key: Scalar, node: Node) -> Item:
        """group, repeat or side."""
        kind, before = key.text, len(self.reader.problems)
        own = ("layers", "times") if kind == "repeat" else ("layers",)
        given = self.entries(node, kind, [*own, *(name for name in EXTRAS if name not in FOR_OPS)])
        self.reader.require(kind, own, given, key.place, before)
        found: dict[str, Value] = self.unread(before)
        if "times" in given:
            found["times"] = self.fields.read_field(kind, "times", given["times"][1])
        extras = self.fields.read_extras(key, given)
        items = self.read(given["layers"][1], f"layers of {kind}") if "layers" in given else ()
        return Item(kind, key.place, found, branches=(items,), **extras)

    def join(self, key: Scalar, node: Node) -> Item:
        """add, mul or concat, of branches or of the layers in `from`."""
        kind, before = key.text, len(self.reader.problems)
        if isinstance(node, Sequence):
            return self.branched(key, node, {}, {})
        names = list(kinds_of(kind))
        given = self.entries(node, kind, [*names, "branches", *EXTRAS])
        if not {"branches", "from"} & {*given} and len(self.reader.problems) == before:
            self.report(key.place, f"{kind} needs branches, or `from` with the layers to join")
        found: dict[str, Value] = self.unread(before)
        found |= {
            name: self.fields.read_field(kind, name, value) for name, (_, value) in given.items() if name in names
        }
        extras = self.fields.read_extras(key, given)
        if "branches" in given:
            if len(extras.get("sources", "1")) > 1:
                self.report(given["from"][1].place, "branches start at one layer", "give branches, or from: [a, b]")
                found[UNREAD] = REPORTED
            return self.branched(key, given["branches"][1], found, extras)
        return Item(kind, key.place, found, **extras)

    def branched(self, key: Scalar, node: Node, found: dict[str, Value], extras: dict[str, Any]) -> Item:
        lists = self.reader.items(node, f"branches of {key.text}")
        if len(lists) < 2:
            if isinstance(node, Sequence):
                self.report(node.place, f"{key.text} joins two or more branches, got {len(lists)}")
            found = {**found, UNREAD: REPORTED}
        branches = tuple([self.read(branch, f"a branch of {key.text}") for branch in lists])
        return Item(key.text, key.place, found, branches=branches, **extras)
