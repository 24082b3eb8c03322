"""Warnings of the networks that a command counts: printed once, below its output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from costcalc.errors import Problem
    from costcalc.net import Net

MAX_SAID = 20  # warnings on stderr; `validate` says all
_counted: list[tuple[str, Callable[[], tuple[Problem, ...]]]] = []  # by the command that runs: labels and warnings


def start() -> None:
    """Forgets the networks of the command before."""
    _counted.clear()


def note(models: Iterable[Net]) -> None:
    """Notes networks that the command counts. Their layers are looked at later, when they are counted anyway."""
    _counted.extend((model.label, partial(getattr, model, "warnings")) for model in models)


def instead(label: str, warnings: Callable[[], tuple[Problem, ...]]) -> None:
    """Notes what the command counts in place of the networks as they are set: points of a grid, or presets."""
    _counted[:] = [(label, warnings)]


def say() -> None:
    """Prints each warning to stderr."""
    lines = dict.fromkeys(str(problem) for _, found in _counted for problem in found())
    if not lines:
        return
    from costcalc.table import visible

    for line in [*lines][:MAX_SAID]:
        print(visible(line), file=sys.stderr)
    if len(lines) > MAX_SAID:
        print(f"and {len(lines) - MAX_SAID:,} more warnings; `costcalc validate` says all of a file", file=sys.stderr)
