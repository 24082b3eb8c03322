"""Warnings of the networks that a command counts: printed once, below its output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costcalc.errors import Problem
    from costcalc.net import Net

MAX_LINES = 20  # warnings on stderr; `validate` says all
_counted: list[tuple[str, Callable[[], tuple[Problem, ...]]]] = []  # a label and a function of its warnings


def clear() -> None:
    """Forgets the networks of an earlier command."""
    _counted.clear()


def add(models: Iterable[Net]) -> None:
    """Adds networks that the command counts. Their warnings are computed when they are printed."""
    _counted.extend((model.label, partial(getattr, model, "warnings")) for model in models)


def replace(label: str, warnings: Callable[[], tuple[Problem, ...]]) -> None:
    """Replaces the networks by others that the command counts: points of a grid, or presets."""
    _counted[:] = [(label, warnings)]


def print_all() -> None:
    """Prints each warning to stderr, once."""
    lines = dict.fromkeys(str(problem) for _, found in _counted for problem in found())
    if not lines:
        return
    from costcalc.table import visible

    for line in [*lines][:MAX_LINES]:
        print(visible(line), file=sys.stderr)
    if len(lines) > MAX_LINES:
        print(f"and {len(lines) - MAX_LINES:,} more warnings; `costcalc validate` says all of a file", file=sys.stderr)
