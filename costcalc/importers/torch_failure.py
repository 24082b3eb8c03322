"""In which module a run failed: torch's hooks have left it when the error arrives."""

from __future__ import annotations

from collections.abc import Container

from torch import nn


def failing_module(error: BaseException, known: Container[int]) -> nn.Module | None:
    """The innermost module, of those whose ids are `known`, that was running when an error was raised."""
    found: nn.Module | None = None
    step = error.__traceback__
    while step is not None:
        here = step.tb_frame.f_locals.get("self")
        if isinstance(here, nn.Module) and id(here) in known:
            found = here
        step = step.tb_next
    return found
