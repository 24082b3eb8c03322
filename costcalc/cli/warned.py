"""Warnings of the networks that a command counts: printed once, below its output, and put into its JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costcalc.net import Net

MAX_SAID = 20  # warnings on stderr; `validate` says all
_counted: list[Net] = []  # of the command that runs


def start() -> None:
    """Forgets the networks of the command before."""
    _counted.clear()


def note(nets: Iterable[Net]) -> None:
    """Notes networks that the command counts. Their layers are looked at later, when they are counted anyway."""
    _counted.extend(nets)


def with_warnings(document: Any) -> Any:
    """A JSON document with the warnings of the networks, unless it has them."""
    if not _counted or not isinstance(document, dict) or "warnings" in document:
        return document
    from costcalc import table
    from costcalc.analysis.suspects import warning_records

    return table.with_warnings(
        document, [record for net in _counted for record in warning_records(net.warnings, net.label)]
    )


def say() -> None:
    """Prints each warning to stderr."""
    lines = dict.fromkeys(str(problem) for net in _counted for problem in net.warnings)
    if not lines:
        return
    from costcalc.table import visible

    for line in [*lines][:MAX_SAID]:
        print(visible(line), file=sys.stderr)
    if len(lines) > MAX_SAID:
        print(f"and {len(lines) - MAX_SAID:,} more warnings; `costcalc validate` says all of a file", file=sys.stderr)
