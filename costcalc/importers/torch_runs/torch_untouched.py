"""Keeps a torch module as it is while it runs: its attributes, and all that is in them, are put back."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import nn

CONTAINERS = (dict, list, set, deque)
WITHOUT_STATE = (torch.Tensor, type, FunctionType, ModuleType)
NO_CACHES = ("builtins", "torch.nn.modules.module")
PLAIN, CONTAINER, TUPLE, OBJECT = range(4)
CACHING = type(lru_cache(len))  # what the decorator makes
class_of: Callable[[Any], Any] = type  # Any can be hashed, to mypy


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Puts back what a run changes: attributes of modules, and the containers and objects in them, such as caches;
    torch's random numbers; and its fast path of attention, which is off within."""
    seen: dict[int, tuple[Any, Any]] = {}
    for one in module.modules():
        _remember(vars(one), seen)
    shared, cached = _of_python_modules(module)
    state, fast = torch.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_rng_state(state)
        for container, items in seen.values():
            if items is not None and not _has(container, items):
                _put_back(container, items)
        for container, items in shared:
            if not _has(container, items) and _holds_meta(container):
                _put_back(container, items)
        for function, misses in cached:
            if function.cache_info().misses != misses:
                function.cache_clear()  # what the run put there has no memory


def _put_back(container: Any, items: Sequence[Any]) -> None:
    """Makes the contents of a container these again."""
    container.clear()
    (container.extend if isinstance(container, (list, deque)) else container.update)(items)


def _of_python_modules(module: nn.Module) -> tuple[list[tuple[Any, Sequence[Any]]], list[tuple[Any, int]]]:
    """Caches that instances share: the containers of the Python modules and classes that a network is made of, with
    what is in them; and functions that cache, each with how often it has computed."""
    classes = {base for one in module.modules() for base in type(one).__mro__ if base.__module__ not in NO_CACHES}
    files = {name: sys.modules[name] for name in {base.__module__ for base in classes} if name in sys.modules}
    values = [value for place in (*classes, *files.values()) for value in vars(place).values()]
    containers = {id(value): value for value in values if _kind(class_of(value)) == CONTAINER}
    functions = {id(value): value for value in values if isinstance(value, CACHING)}
    return (
        [(one, _items(one)) for one in containers.values()],
        [(one, one.cache_info().misses) for one in functions.values()],
    )


def _holds_meta(container: Any) -> bool:
    """Is there a tensor without memory in a container?"""
    values = [*(container.values() if isinstance(container, dict) else container)]
    parts = [part for value in values for part in (value if isinstance(value, (tuple, list)) else (value,))]
    return any(isinstance(part, torch.Tensor) and part.is_meta for part in parts)


def _remember(value: Any, seen: dict[int, tuple[Any, Any]]) -> None:
    """Notes what is in a container, and in those in it and in the objects in it; a tuple cannot change."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        kind = _kind(class_of(value))
        items = _items(value) if kind == CONTAINER else None
        seen[id(value)] = value, items
        if kind == OBJECT:
            inside: Any = (vars(value),)
        else:
            inside = value.values() if isinstance(value, dict) else value
        waiting += [one for one in inside if _kind(class_of(one)) != PLAIN]


@lru_cache(1 << 12)
def _kind(cls: Any) -> int:
    """What values of a class are: containers, tuples, objects with attributes, or plain values."""
    if issubclass(cls, CONTAINERS):
        return CONTAINER
    if issubclass(cls, tuple):
        return TUPLE
    return PLAIN if issubclass(cls, WITHOUT_STATE) or not getattr(cls, "__dictoffset__", 0) else OBJECT


def _items(container: Any) -> Sequence[Any]:
    """What is in a container. Most are empty."""
    return (*(container.items() if isinstance(container, dict) else container),) if container else ()


def _has(container: Any, items: Sequence[Any]) -> bool:
    """Are these in the container still, and nothing else? Values are asked for nothing: they may be tensors."""
    now = _items(container)
    if isinstance(container, dict):
        return len(now) == len(items) and all(a is b and x is y for (a, x), (b, y) in zip(now, items))
    return len(now) == len(items) and all(x is y for x, y in zip(now, items))
