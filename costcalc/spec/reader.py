"""YAML text as a tree with places, strictly: YAML 1.2 scalars, no anchors, aliases, tags or duplicate keys.

Built from libyaml's events with a stack, so depth costs no recursion and nothing is ever constructed or run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import yaml

from costcalc.errors import Place, Problem, SpecError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_DIGITS = 300  # of a number, its exponent written out

Loader: Any = getattr(yaml, "CLoader", yaml.Loader)  # both only for their event parser


@dataclass(frozen=True)
class Scalar:
    """A word or a number: `value` is a str, int, Fraction, bool or None; `text` is as written."""

    value: Any
    text: str
    place: Place


@dataclass
class Mapping:
    """`key: node` in the order written."""

    place: Place
    entries: list[tuple[Scalar, Any]] = field(default_factory=list)


@dataclass
class Sequence:
    """`- node` in the order written."""

    place: Place
    items: list[Any] = field(default_factory=list)


Node = Scalar | Mapping | Sequence
INTEGER = re.compile(r"[-+]?[0-9]+")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|" + REAL.pattern.replace("{1,3}", "+"))
WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
         "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}  # fmt: skip


def read(data: bytes | str, file: str, *, max_bytes: int = MAX_BYTES, stop_at: frozenset[str] = frozenset()) -> Mapping:
    """The tree of one YAML document whose top is a mapping. With `stop_at`, reading ends before the first of these
    top-level keys. Raises SpecError with every problem that does not stop the reading."""
    text = _decode(data, file, max_bytes)
    builder = _Builder(file, stop_at)
    try:
        for event in _events(text):
            if builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        message = " ".join(filter(None, [error.context, error.problem])) or "cannot be read"
        builder.problems.append(Problem(place, f"not YAML: {message}", _syntax_hint(text, place)))
    except yaml.YAMLError as error:
        builder.problems.append(Problem(Place(file, 1, 1), f"not YAML: {str(error).splitlines()[0]}"))
    top = builder.top
    if not builder.problems and not isinstance(top, Mapping):
        builder.problems.append(Problem(Place(file, 1, 1), "a spec is a mapping: name: …, layers: …", "see docs/specs.md"))
    if builder.problems or not isinstance(top, Mapping):
        raise SpecError(builder.problems)
    return top


def _events(text: str) -> Iterator[Any]:
    loader = Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _decode(data: bytes | str, file: str, max_bytes: int) -> str:
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    start = Place(file, 1, 1)
    if len(raw) > max_bytes:
        raise SpecError(Problem(start, f"{len(raw):,} bytes; a spec has at most {max_bytes:,}"))
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise SpecError(Problem(Place(file, line, column), "not UTF-8 text", "save the file as UTF-8")) from None
    for number, line_text in enumerate(text.split("\n"), 1):
        for column, sign in enumerate(line_text, 1):
            if sign < " " and sign not in "\t\r" or sign == "\x7f":
                problem = Problem(Place(file, number, column), f"a control character, U+{ord(sign):04X}", "remove it")
                raise SpecError(problem)
    return text


def _syntax_hint(text: str, place: Place) -> str:
    lines = text.split("\n")
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line:
        return "indent with spaces, not tabs"
    if "(" in line and "," in line:
        return "in {…} and […] put an expression with a comma in quotes"
    return ""


class _Builder:
    """Takes events one by one; `top` is the tree when they have ended."""

    def __init__(self, file: str, stop_at: frozenset[str]):
        self.file = file
        self.stop_at = stop_at
        self.problems: list[Problem] = []
        self.top: Node | None = None
        self.stack: list[Any] = []
        self.keys: list[dict[Any, Scalar]] = []  # of each open mapping
        self.waiting: list[Scalar | None] = []  # its key without a value yet
        self.documents = 0

    def take(self, event: Any) -> bool:
        """Adds one event; True when reading can stop."""
        place = Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            self.refuse_extras(event, place)
            if not event.style:  # plain, not quoted
                value = self.resolve(event.value, place)
            else:
                value = event.value
            return self.put(Scalar(value, event.value, place))
        if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self.refuse_extras(event, place)
            self.open(Mapping(place) if kind is yaml.MappingStartEvent else Sequence(place))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            if kind is yaml.MappingEndEvent:
                self.keys.pop()
                self.waiting.pop()
            self.stack.pop()
        elif kind is yaml.AliasEvent:
            self.problems.append(Problem(place, f"an alias, *{event.anchor}", "in an expression put quotes around it"))
            self.put(Scalar(None, "", place))
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                raise SpecError([*self.problems, Problem(place, "a second document", "one spec, one file")])
        return False

    def refuse_extras(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self.problems.append(Problem(place, f"an anchor, &{event.anchor}", "use `sizes:` or `blocks:` instead"))
        if event.tag is not None and event.tag != "!":
            self.problems.append(Problem(place, f"a tag, {event.tag}", "specs are plain data: remove it"))
        elif event.tag == "!" and not (event.__class__ is yaml.ScalarEvent and event.style):
            self.problems.append(Problem(place, "a tag, !", "specs are plain data: remove it"))
        if len(self.problems) > 100:
            raise SpecError(self.problems)

    def open(self, node: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise SpecError([*self.problems, Problem(node.place, f"nested more than {MAX_DEPTH} levels deep")])
        self.put(node)
        self.stack.append(node)
        if isinstance(node, Mapping):
            self.keys.append({})
            self.waiting.append(None)

    def put(self, node: Node) -> bool:
        """Hangs a node where it belongs; True if it is a key to stop at."""
        if not self.stack:
            self.top = node
        elif isinstance(self.stack[-1], Sequence):
            self.stack[-1].items.append(node)
        elif self.waiting[-1] is None:
            return self.key(node)
        else:
            self.stack[-1].entries.append((self.waiting[-1], node))
            self.waiting[-1] = None
        return False

    def key(self, node: Node) -> bool:
        if not isinstance(node, Scalar) or not node.text:
            self.problems.append(Problem(node.place, "a key must be a word"))
            self.waiting[-1] = Scalar("", "", node.place)
            return False
        name = unicodedata.normalize("NFC", node.text)
        first = self.keys[-1].setdefault(name, node)
        if first is not node:
            self.problems.append(Problem(node.place, f"{name!r} stands twice", f"first at line {first.place.line}"))
        self.waiting[-1] = Scalar(name, name, node.place)
        return len(self.stack) == 1 and name in self.stop_at

    def resolve(self, text: str, place: Place) -> Any:
        """A plain scalar by YAML 1.2's core schema; real numbers exactly, as Fractions."""
        if text in WORDS:
            return WORDS[text]
        if len(text) <= MAX_DIGITS:
            if INTEGER.fullmatch(text):
                return int(text)
            if BASED.fullmatch(text):
                return int(text, 0)
            if REAL.fullmatch(text) and abs(int(re.split("[eE]", text + "e0")[1])) <= MAX_DIGITS:
                return Fraction(text)
        if len(text) > MAX_DIGITS and BASED.fullmatch(text) or ENDLESS.fullmatch(text):
            self.problems.append(Problem(place, f"{text[:20]}… is no finite number of up to {MAX_DIGITS} digits"))
        return text
