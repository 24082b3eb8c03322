"""YAML that reads like a spec written by hand: a layer on a line, a structure on one if it is short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

WIDTH = 120
MAX_ON_A_LINE = 3  # layers
PLAIN = re.compile(r"([0-9]+\*)?[A-Za-z_(][A-Za-z0-9_.()*/+ -]*")
NOT_TEXT = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"}
WITH_LAYERS = ("layers", "branches")


def scalar(value: Any) -> str:
    """A word or number, in quotes if it must have them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    is_plain = PLAIN.fullmatch(value) and value.lower() not in NOT_TEXT - {"none"} and value == value.strip()
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_in_list(one) for one in value) + "]"
    return scalar(value)


def _in_list(value: Any) -> str:
    """An item of a list on one line: of a mapping with one key the braces go."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        return f"{key}: {flow(inner)}"
    return flow(value)


def lines_of(items: list[Any], indent: int = 2) -> Iterator[str]:
    """Items of a list of layers."""
    for item in items:
        yield from _item(item, " " * indent + "- ")


def _item(item: Any, start: str) -> Iterator[str]:
    """An item; `start` is what stands before it on its first line."""
    inner = " " * len(start)
    if isinstance(item, list):  # a branch
        if not item:
            yield f"{start}[]"
        for number, one in enumerate(item):
            yield from _item(one, (start if number == 0 else inner) + "- ")
        return
    text = _in_list(item) if isinstance(item, dict) else scalar(item)
    if not isinstance(item, dict) or (len(start) + len(text) <= WIDTH and _leaves(item) <= MAX_ON_A_LINE):
        yield start + text
        return
    ((kind, given),) = item.items()
    yield f"{start}{kind}:"
    if isinstance(given, list):  # branches alone
        yield from lines_of(given, len(inner) + 2)
        return
    for key, value in given.items():
        if key in WITH_LAYERS and isinstance(value, list):
            yield f"{inner}  {key}:"
            yield from lines_of(value, len(inner) + 4)
        else:
            text, further = f"{inner}  {key}: {flow(value)}", f"{inner}    "
            yield from wrap(text, WIDTH, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)


def _leaves(item: Any) -> int:
    """How many layers stand in an item; a structure of one on a line is as long as its layers."""
    if isinstance(item, list):
        return sum(map(_leaves, item)) if item else 1
    if isinstance(item, dict):
        (given,) = item.values()
        if isinstance(given, dict):
            return sum(_leaves(given[key]) for key in WITH_LAYERS if isinstance(given.get(key), list)) or 1
        if isinstance(given, list) and any(isinstance(one, list) for one in given):
            return _leaves(given)
    return 1
