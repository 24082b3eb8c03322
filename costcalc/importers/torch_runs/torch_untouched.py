"""Keeps a torch module as it is while it runs: its attributes, and all that is in them, are put back."""

from __future__ import annotations

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
PLAIN, CONTAINER, TUPLE, OBJECT = range(4)
class_of: Callable[[Any], Any] = type  # Any can be hashed, to mypy


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Puts back what a run changes: attributes of modules, and the containers and objects in them, such as caches;
    torch's random numbers; and its fast path of attention, which is off within."""
    seen: dict[int, tuple[Any, Any]] = {}
    for one in module.modules():
        _remember(vars(one), seen)
    state, fast = torch.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_rng_state(state)
        for container, items in seen.values():
            if items is not None and not _has(container, items):
                container.clear()
                (container.extend if isinstance(container, (list, deque)) else container.update)(items)


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
