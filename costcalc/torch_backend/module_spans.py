"""Which module of a reader's own network runs, forward and backward.

Each node of torch's graph of gradients has a number, in the order in which nodes are made. The numbers at which modules
begin and end say whose node a number is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

NETWORK = "(the network)"  # what the module without a path is called in tables
MAX_NUMBER = 2**64 - 1  # of nodes that only add a gradient to a tensor


class ModuleSpans:
    """Follows the modules of a network by their paths; None is outside of the network. `changed(path)` is called when
    another one begins to run."""

    def __init__(self, module: nn.Module, changed: Callable[[str | None], None] = lambda _: None):
        self.paths = {id(one): path for path, one in modules_of(module).items()}
        self.stack: list[nn.Module] = []
        self.changed = changed
        self.numbers: list[int] = [0]
        self.owners: list[str | None] = [None]

    @property
    def running(self) -> str | None:
        """The path of the innermost module that runs forward; "" is the network's own."""
        return self.paths[id(self.stack[-1])] if self.stack else None

    def owner_of(self, number: int) -> str | None:
        """The path of the module that made the node of this number."""
        return self.owners[bisect_right(self.numbers, number) - 1]

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follows within, and forgets the numbers of the time before."""
        self.numbers, self.owners = [0], [None]
        self.stack.clear()
        hooks = (
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=True),
        )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, module: nn.Module, _: Any) -> None:
        if id(module) in self.paths:
            self.stack.append(module)
            self._note()

    def _leave(self, module: nn.Module, *_: Any) -> None:
        if self.stack and self.stack[-1] is module:
            self.stack.pop()
            self._note()

    def _note(self) -> None:
        self.numbers.append(torch.autograd._get_sequence_nr())  # type: ignore[attr-defined]
        self.owners.append(self.running)
        self.changed(self.running)


def modules_of(module: nn.Module) -> dict[str, nn.Module]:
    """The modules by their paths, compiled ones under those of what they compile."""
    return {plain(path): one for path, one in module.named_modules()}


def plain(path: str) -> str:
    """The path of a module or tensor without the wrappers of torch.compile."""
    return path.replace("._orig_mod", "")


def nodes_before(outputs: list[torch.Tensor]) -> Iterator[Any]:
    """The nodes that lead to outputs, each once, but those that add a gradient to a tensor."""
    to_see = [tensor.grad_fn for tensor in outputs if tensor.grad_fn is not None]
    seen = {*to_see}
    while to_see:
        node = to_see.pop()
        if node._sequence_nr() < MAX_NUMBER:
            yield node
        for other, _ in node.next_functions:
            if other is not None and other not in seen:
                seen.add(other)
                to_see.append(other)
