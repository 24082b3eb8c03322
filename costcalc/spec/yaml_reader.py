"""YAML text as a tree with places, strictly: YAML 1.2 scalars, no anchors, aliases, tags or duplicate keys.

Built from libyaml's events with a stack, so depth costs no recursion and nothing is ever constructed or run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from fractions import Fraction
from sys import intern
from typing import Any, NamedTuple

import yaml

from costcalc.errors import Place, Problems, Reported, shorten, why
from costcalc.expressions import MAX_DIGITS
from costcalc.spec.limits import MAX_BYTES
from costcalc.spec.yaml_errors import MAX_YAML_DEPTH, TOO_DEEP, place_of, syntax_problem

BYTES_PER_NODE = 4  # real specs have eight or more; `[1,1,…]` has two, and each node costs time

Loader: Any = getattr(yaml, "CLoader", yaml.Loader)  # only its event parser is used


class Scalar(NamedTuple):
    """A word or a number: `value` is a str, int, Fraction, bool or None; `text` is as written."""

    value: Any
    text: str
    place: Place


@dataclass(slots=True)
class Mapping:
    """`key: node` in the order written."""

    place: Place
    entries: list[tuple[Scalar, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Sequence:
    """`- node` in the order written."""

    place: Place
    items: list[Any] = field(default_factory=list)


Node = Scalar | Mapping | Sequence | Reported
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|" + REAL.pattern.replace("{1,3}", "+"))
WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# not c-printable in YAML 1.2; or a line end of YAML 1.1 only, which an editor does not show
UNREADABLE = re.compile("[^\t\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]")


def read(
    data: bytes | str, file: str, problems: Problems, *, max_bytes: int = MAX_BYTES, stop_at: Set[str] = frozenset()
) -> Mapping:
    """The tree of one YAML document, a mapping. With `stop_at`, reading ends before the first of these top-level keys.

    Adds to `problems`. Raises SpecError after a problem that makes the rest unreadable.
    """
    text = _decode(data, file, problems, max_bytes)
    builder = _Builder(file, problems, stop_at, max_bytes // BYTES_PER_NODE)
    start = Place(file, 1, 1)
    event = None
    try:
        for event in _events(text):
            if builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        seen = event.end_mark.index if event else 0
        found = syntax_problem(text, file, error, [node.place for node in builder.stack], seen)
        problems.stop(found.place, found.message, found.hint)
    except yaml.YAMLError as error:  # pragma: no cover - `_decode` refused what libyaml's reader would
        problems.stop(start, f"not YAML: {why(error, 'it was being read').splitlines()[0]}")
    if not isinstance(builder.top, Mapping):
        problems.stop(start, "a spec is a mapping: name: …, layers: …", "see `costcalc help specs`")
    return builder.top


def _events(text: str) -> Iterator[Any]:
    loader = Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _decode(data: bytes | str, file: str, problems: Problems, max_bytes: int) -> str:
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if len(raw) > max_bytes:
        problems.stop(Place(file, 1, 1), f"more than {max_bytes:,} bytes", "raise the limit with --max-bytes")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8").removeprefix("\ufeff")
        problems.stop(place_of(len(before), before, file), "not UTF-8 text", "save the file as UTF-8")
    unreadable = UNREADABLE.search(text)
    if unreadable:
        place = place_of(unreadable.start(), text, file)
        problems.stop(place, f"a character that text does not have, U+{ord(unreadable[0]):04X}", "remove it")
    return text


class _Builder:
    """Builds a tree from events, one by one; `top` is the whole tree after the last."""

    def __init__(self, file: str, problems: Problems, stop_at: Set[str], nodes_left: int):
        self.file, self.problems, self.stop_at, self.nodes_left = file, problems, stop_at, nodes_left
        self.top: Node | None = None
        self.stack: list[Any] = []
        self.keys: list[dict[str, Scalar]] = []  # of each open mapping
        self.waiting: list[Scalar | Reported | None] = []  # its key without a value yet
        self.documents = 0

    def take(self, event: Any) -> bool:
        """Adds one event; True when reading can stop."""
        place = Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            if event.anchor is not None or event.tag is not None:
                self.refuse_extras(event, place)
            text, quoted = intern(event.value), event.style  # of a plain scalar it is ""; specs repeat themselves
            return self.put(Scalar(text, text, place) if quoted else self.resolve(text, place))
        if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self.refuse_extras(event, place)
            self.open(Mapping(place) if kind is yaml.MappingStartEvent else Sequence(place))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            if kind is yaml.MappingEndEvent:
                self.keys.pop()
                self.waiting.pop()
            self.stack.pop()
        elif kind is yaml.AliasEvent:
            self.problems.add(place, f"an alias, *{shorten(event.anchor)}", "in an expression put quotes around it")
            self.put(Reported(place))
        elif kind is yaml.DocumentStartEvent:
            if event.version or event.tags:
                hint = "a spec is YAML 1.2: remove the line that starts with %"
                self.problems.add(place, "a directive of YAML", hint)
            self.documents += 1
            if self.documents > 1:
                self.problems.stop(place, "a second document", "one spec, one file")
        return False

    def refuse_extras(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self.problems.add(place, f"an anchor, &{shorten(event.anchor)}", "use `sizes:` or `blocks:` instead")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.add(place, f"a tag, {shorten(tag)}", "specs are plain data: remove it")

    def open(self, node: Any) -> None:
        if len(self.stack) >= MAX_YAML_DEPTH:
            self.problems.stop(node.place, TOO_DEEP)
        self.put(node)
        self.stack.append(node)
        if isinstance(node, Mapping):
            self.keys.append({})
            self.waiting.append(None)

    def put(self, node: Node) -> bool:
        """Puts a node into the open collection; True for a key to stop at."""
        self.nodes_left -= 1
        if self.nodes_left < 0:
            self.problems.stop(node.place, "too many values for one spec", "raise the limit with --max-bytes")
        if not self.stack:
            self.top = node
        elif isinstance(self.stack[-1], Sequence):
            self.stack[-1].items.append(node)
        elif self.waiting[-1] is None:
            return self.key(node)
        else:
            if not isinstance(self.waiting[-1], Reported):
                self.stack[-1].entries.append((self.waiting[-1], node))
            self.waiting[-1] = None
        return False

    def key(self, node: Node) -> bool:
        self.waiting[-1] = Reported(node.place)
        if isinstance(node, Reported):
            return False
        if not isinstance(node, Scalar) or not node.text:
            self.problems.add(node.place, "a key must be a word")
            return False
        name = node.text if node.text.isascii() else unicodedata.normalize("NFC", node.text)
        first = self.keys[-1].setdefault(name, node)
        if first is not node:
            self.problems.add(node.place, f"{shorten(name)!r} stands twice", f"first at line {first.place.line}")
            return False
        self.waiting[-1] = Scalar(name, name, node.place)
        return len(self.stack) == 1 and name in self.stop_at

    def resolve(self, text: str, place: Place) -> Scalar | Reported:
        """A plain scalar by YAML 1.2's core schema; real numbers exactly, as Fractions."""
        if text in WORDS:
            return Scalar(WORDS[text], text, place)
        if text[0] not in "+-.0123456789":
            return Scalar(text, text, place)
        if len(text) <= MAX_DIGITS:
            if INTEGER.fullmatch(text):
                return Scalar(int(text), text, place)
            if BASED.fullmatch(text):
                return Scalar(int(text, 0), text, place)
            if REAL.fullmatch(text) and abs(int(re.split("[eE]", text + "e0")[1])) <= MAX_DIGITS:
                return Scalar(Fraction(text), text, place)
        if ENDLESS.fullmatch(text) or (len(text) > MAX_DIGITS and BASED.fullmatch(text)):
            self.problems.add(place, f"{shorten(text, 20)} is not a finite number of up to {MAX_DIGITS} digits")
            return Reported(place)
        return Scalar(text, text, place)
