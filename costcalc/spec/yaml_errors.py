"""Explains why a text is not YAML, without libyaml's messages, which change from release to release.

libyaml gives the place where it stopped. The reason follows from the text there and the open collections.
"""

from __future__ import annotations

import re
from typing import Any

from costcalc.errors import Place, Problem

MAX_YAML_DEPTH = 32
TOO_DEEP = f"nested more than {MAX_YAML_DEPTH} levels deep"
LINE_END = re.compile(r"\r\n?|\n")
QUOTED = re.compile(r"""'(?:''|[^'])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
BRACKETS = re.compile(QUOTED.pattern + r"|(?<!\S)#[^\n]*|(?P<opening>[\[{])|(?P<closing>[\]}])", re.DOTALL)
CLOSING = {"{": "}", "[": "]"}
INDICATORS = frozenset("@`%&*!|>")  # a plain text cannot start with one
KEY_END = re.compile(r":(\s|$)")
COLON_HINT = "a text with `: ` stands in quotes; else look at the indentation"
ITEMS_HINT = "look at the indentation: items of one list start in one column"
KEYS_HINT = "look at the indentation: keys of one mapping start in one column"
Reason = tuple[Place, str, str]  # where, what is wrong there, and what to do


def place_of(at: int, text: str, file: str) -> Place:
    """The place of the character at this offset."""
    lines = LINE_END.split(text[:at])
    return Place(file, len(lines), len(lines[-1]) + 1)


def syntax_problem(text: str, file: str, error: Any, opened: list[Place], seen: int) -> Problem:
    """Why libyaml stopped. `opened`: where each open collection began; `seen`: the offset at which its events end.

    libyaml reads ahead of its events, and may stop at brackets that nest too deep before their events come.
    """
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
    if not marks:
        said = " ".join(filter(None, [error.context, error.problem])) or "it cannot be read"
        return Problem(Place(file, 1, 1), f"not YAML: {said}", "see `costcalc help specs`")
    start, stop = (Place(file, mark.line + 1, mark.column + 1) for mark in (marks[0], marks[-1]))
    source = _Source(text)
    deep = source.too_deep(len(opened), seen, source.at(stop) + 1)
    if deep is not None:
        return Problem(place_of(deep, text, file), TOO_DEEP)
    inside = opened[-1] if opened else None
    found = _in_a_text(source, start, stop) or _in_brackets(source, stop, inside)
    place, message, hint = found or _in_lines(source, start, stop, inside)
    return Problem(place, f"not YAML: {message}", hint)


class _Source:
    """Finds characters and lines of a text by place."""

    def __init__(self, text: str):
        self.text = text
        self.lines = [*LINE_END.split(text), ""]
        self.starts = [0, *(end.end() for end in LINE_END.finditer(text)), len(text)]

    def line(self, place: Place) -> str:
        return self.lines[min(place.line, len(self.lines)) - 1]

    def char(self, place: Place | None) -> str:
        """The character at a place; "" at the end of a line."""
        return self.line(place)[place.column - 1 : place.column] if place else ""

    def before(self, place: Place) -> str:
        """The line up to a place."""
        return self.line(place)[: place.column - 1]

    def at(self, place: Place) -> int:
        """The offset of a place in the text, from 0."""
        return min(self.starts[min(place.line, len(self.starts)) - 1] + place.column - 1, len(self.text))

    def too_deep(self, depth: int, start: int, stop: int) -> int | None:
        """The offset in a part of the text at which brackets nest too deep; `depth` are open before it."""
        for bracket in BRACKETS.finditer(self.text, start, stop):
            depth += bool(bracket["opening"]) - bool(bracket["closing"])
            if depth > MAX_YAML_DEPTH:
                return bracket.start()
        return None


def _in_a_text(source: _Source, start: Place, stop: Place) -> Reason | None:
    """A character or a quote that means something else in YAML."""
    line, char, quote = source.line(stop), source.char(stop), source.char(start)
    if char == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return stop, "a tab in an indentation", "indent with spaces, not tabs"
    quoted = QUOTED.match(source.text, source.at(start))
    if quote in ("'", '"') and start < stop and not (quoted and quoted.end() <= source.at(stop)):
        if quote == '"' and char and "\\" in f"{source.before(stop)[-2:]}{char}":
            return stop, "a \\ before a sign that it does not go with", "write it twice, or take single quotes"
        return start, "a text in quotes that does not end", "a quote is not closed"
    if line.startswith("%"):
        return stop._replace(column=1), "a directive", "remove the line that starts with %"
    for place in (stop, start):
        if source.char(place) in INDICATORS and place.line == stop.line:
            return place, f"a text that starts with {source.char(place)}", "quote a text that starts with this sign"
    return None


def _in_brackets(source: _Source, stop: Place, inside: Place | None) -> Reason | None:
    """Brackets without their other half."""
    char, opening = source.char(stop), source.char(inside)
    if inside and opening in CLOSING and (inside.line < stop.line or char != ":"):
        where = stop if inside.line == stop.line else inside
        return where, f"a {opening} without its {CLOSING[opening]}", f"a {opening} is not closed, or a comma lacks"
    if char in CLOSING.values():
        return stop, f"a {char} that nothing opened", "remove it, or quote the text"
    return None


def _in_lines(source: _Source, start: Place, stop: Place, inside: Place | None) -> Reason:
    """A line that does not fit those before it."""
    char, first = source.char(stop), source.char(start)
    if char == ":":
        return stop, "a `: ` where no key ends", COLON_HINT
    if char == "-":
        return stop, "an item where no list is", ITEMS_HINT
    if start.line < stop.line and first not in ("-", "?") and not KEY_END.search(source.line(start), start.column):
        return start, "a key without its `: `", "a key ends in `: `"
    if source.before(stop).strip(" -?"):
        return stop, "something behind a value that has ended", "put quotes around the whole value"
    if source.char(inside) == "-":
        return stop, "a line that is not an item of its list", ITEMS_HINT
    return stop, "a line that is not a key of its mapping", KEYS_HINT
