"""Hashes values: equal values have equal hashes in every process and on every machine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from costcalc.errors import Place
from costcalc.expressions import Expression

LEFT_OUT = ("place", "places", "metric_place", "file")  # fields that hold places in a file
PLAIN_TYPES = frozenset([str, int, bool, float, type(None)])


def content_hash(value: Any) -> str:
    """The sha256 of a value made of dataclasses, collections, expressions and plain values, without its places."""
    return sha256(_text(value).encode("utf-8", "backslashreplace")).hexdigest()


def _text(value: Any) -> str:
    """A text of a value; unequal values have unequal texts."""
    if value.__class__ in PLAIN_TYPES or isinstance(value, (str, Place)):
        return repr(value)
    if isinstance(value, Expression):
        return f"Expression({value.text!r})"
    if isinstance(value, Mapping):
        return _text([*value.items()])
    if isinstance(value, (set, frozenset)):
        return _text(sorted(value))
    if isinstance(value, Collection) and not is_dataclass(value):
        return f"[{''.join([f'{_text(item)},' for item in value])}]"
    names = _fields(value.__class__)
    if names is None:
        return repr(value)
    return f"{value.__class__.__name__}{{{''.join([f'{name}:{_text(getattr(value, name))},' for name in names])}}}"


@cache
def _fields(cls: type[Any]) -> tuple[str, ...] | None:
    """The hashed fields of a dataclass; None for another class. A field with init=False follows from the others."""
    return tuple(f.name for f in fields(cls) if f.init and f.name not in LEFT_OUT) if is_dataclass(cls) else None
