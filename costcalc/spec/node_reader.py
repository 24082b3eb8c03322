"""Reads nodes of YAML as what a spec expects: a word, a text, a list, a mapping, an expression.

Each method returns the value; or it reports a problem and returns None or Reported. Its caller then reports nothing, so
that one mistake makes one message.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from typing import Any, TypeGuard

from costcalc.errors import Place, Problems, Reported, did_you_mean, shorten
from costcalc.expressions import NAME, Expression, constant, parse
from costcalc.models.knob import Knob
from costcalc.spec.yaml_reader import Mapping, Node, Scalar, Sequence

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # categories of Unicode
Entries = dict[str, tuple[Scalar, Any]]  # by key: the key and its value, a Node


class NodeReader:
    """Reads nodes and adds their problems to `problems`."""

    def __init__(self, problems: Problems):
        self.problems = problems
        self.report, self.attempt = problems.add, problems.attempt

    def entries(
        self, node: Node, what: str, known: Collection[str] | None = None, hints: Callable[[str], str] | None = None
    ) -> Entries:
        """The entries of a mapping by key. Reports keys that are not `known`, each with its hint from `hints`."""
        if not isinstance(node, Mapping):
            self.unless_reported(node, f"{what} is a mapping, key: value")
            return {}
        found: Entries = {}
        for key, value in node.entries:
            if known is None or key.text in known:
                found[key.text] = (key, value)
            elif found and isinstance(value, Scalar) and value.value is None and _is_cut_off(key, node):
                last = list(found)[-1]  # `round_to(32*w, 8)` became `round_to(32*w` and a key `8)`
                found[last] = (found[last][0], Reported(key.place))
                hint = f"put the value of {last} in quotes"
                self.report(found[last][0].place, f"{last}: in {{…}} and […] a comma ends a value", hint)
            else:
                hint = hints(key.text) if hints else did_you_mean(key.text, known)
                self.report(key.place, f"unknown key in {what} {shorten(key.text)!r}", hint)
        return found

    def require(self, what: str, needed: Iterable[str], given: Entries, place: Place, before: int) -> None:
        """Reports missing keys, unless there are more problems than `before`: a misspelt key is one mistake."""
        missing = [name for name in needed if name not in given]
        if missing and len(self.problems) == before:
            self.report(place, f"{what} needs {' and '.join(map(repr, missing))}")

    def items(self, node: Node, what: str) -> list[Any]:
        """The items of a list; reports any other node, and returns none."""
        if isinstance(node, Sequence):
            return node.items
        self.unless_reported(node, f"{what} is a list, - item")
        return []

    def unless_reported(self, node: Node, message: str, hint: str = "see `costcalc help specs`") -> None:
        """Adds a problem, unless the node was reported."""
        if not isinstance(node, Reported):
            self.report(node.place, message, hint)

    def text(self, node: Node, what: str) -> str | None:
        """A text without invisible characters."""
        if not isinstance(node, Scalar) or not node.text.strip():
            self.unless_reported(node, f"{what} is text", "")
            return None
        for char in node.text if not node.text.isprintable() else "":
            if (unicodedata.category(char) in INVISIBLE and char not in "\n\t") or ord(char) & 0xFFFE == 0xFFFE:
                self.report(node.place, f"{what} has an invisible character, U+{ord(char):04X}", "remove it")
                return None
        return node.text

    def word(self, node: Node, what: str) -> str | None:
        """A name: letters, digits and _, up to 64 of them, not starting with a digit."""
        text = node.text if isinstance(node, Scalar) else ""
        if NAME.fullmatch(text):
            return text
        shown = f", got {shorten(text, 40)!r}" if text else ""
        self.unless_reported(node, f"{what} is a name of letters, digits and _ (at most 64){shown}", "")
        return None

    def path(self, node: Node, what: str) -> str | None:
        """The name of a layer: `conv`, or `stage1.conv`."""
        if is_path(node):
            return node.text
        self.unless_reported(node, f"{what} is the name of a layer", "as in conv or stage1.conv")
        return None

    def flag(self, node: Node, what: str) -> bool | None:
        """true or false"""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.unless_reported(node, f"{what} is true or false", "")
        return None

    def expression(self, node: Node, what: str, names: Collection[str] | None = None) -> Expression | None:
        """A number or an expression; with `names` it may read only these."""
        if not isinstance(node, Scalar) or node.value is None:
            self.unless_reported(node, f"{what} is a number or an expression")
            return None
        if not isinstance(node.value, str):
            return constant(node.value, node.place, node.text)
        found: Expression | None = self.attempt(parse, node.value, node.place)
        if found is None or names is None or self.attempt(found.check_names, names) is None:
            return found if names is None else None
        return found if not isinstance(names, dict) or self.are_choices(found, names) else None

    def are_choices(self, found: Expression, names: dict[str, Any]) -> bool:
        """Does the expression compare choice knobs only with their choices? Reports other words."""
        before = len(self.problems)
        for name, word in found.compared_words():
            knob = names.get(name)
            if isinstance(knob, Knob) and knob.kind == "choice" and word not in knob.choices:
                known = f"it is one of {', '.join(knob.choices)}"
                self.report(found.place, f"{shorten(found.text)}: knob {name!r} is never {shorten(word)!r}", known)
        return len(self.problems) == before

    def expression_or_reported(
        self, node: Node, what: str, names: Collection[str] | None = None
    ) -> Expression | Reported:
        """The same; Reported for an invalid one."""
        found = self.expression(node, what, names)
        return Reported(node.place) if found is None else found

    def number(self, node: Node, what: str) -> int | Fraction | None:
        """A number, also as an expression of numbers."""
        found = self.expression(node, what, ())
        value = found and self.attempt(found.value, {})
        if value is None or (isinstance(value, int | Fraction) and not isinstance(value, bool)):
            return value
        self.report(node.place, f"{what} is a number")
        return None


def is_path(node: Node) -> TypeGuard[Scalar]:
    """Is this the name of a layer: names with dots between them?"""
    return isinstance(node, Scalar) and all(map(NAME.fullmatch, node.text.split(".")))


def _is_cut_off(key: Scalar, node: Mapping) -> bool:
    """Is this key of `{…}` the rest of a value that a comma cut off? In a block each key has its own line."""
    at = [known.place for known, _ in node.entries].index(key.place)
    return at > 0 and node.entries[at - 1][0].place.line == key.place.line
