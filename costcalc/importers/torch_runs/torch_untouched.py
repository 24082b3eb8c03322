"""Keeps a torch module as it is while it runs: its attributes, and the containers in them, are put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

CONTAINERS = (dict, list, set)


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Puts back what a run changes: attributes of modules and the containers in them, such as caches; torch's random
    numbers; and its fast path of attention, which is off within."""
    before = [(one, dict(vars(one)), _contents(vars(one))) for one in module.modules()]
    state, fast = torch.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.set_rng_state(state)
        for one, attributes, contents in before:
            vars(one).clear()
            vars(one).update(attributes)
            for container, items in contents:
                container.clear()
                (container.extend if isinstance(container, list) else container.update)(items)


def _contents(attributes: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The containers among attributes, each with a copy. Most are empty, and an OrderedDict is slow to copy."""
    return [(value, value.copy() if value else ()) for value in attributes.values() if isinstance(value, CONTAINERS)]
