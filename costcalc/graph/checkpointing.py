"""The rows of a network that are checkpointed: each keeps only its inputs, and is computed again for its gradients."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import groupby

from costcalc.errors import UnknownName, UsageError, did_you_mean
from costcalc.graph.freezing import layer_names
from costcalc.graph.nodes import Graph, first_row

AUTO = "auto"  # in place of rows: chooses them for a budget


def checkpointed_rows(graph: Graph, patterns: Iterable[str]) -> tuple[str, ...]:
    """The rows of depth 1 that patterns match, in execution order; `*` is any part of a name.

    Raises UnknownName for a pattern that matches no row, UsageError for a row whose layers do not run in one stretch.
    """
    rows = [name for name, _ in groupby(first_rows(graph))]
    found: set[str] = set()
    for pattern in patterns:
        matched = {row for row in rows if fnmatchcase(row, pattern)}
        if not matched:
            near = did_you_mean(pattern, dict.fromkeys(rows), listed=False)
            hint = near or "rows are those of `costcalc show --depth 1`"
            if pattern == AUTO:
                hint = "auto chooses rows for a budget: costcalc memory NET --train --checkpoint auto --within 24GB"
            raise UnknownName(f"no row to checkpoint is called {pattern[:64]!r}", hint)
        found |= matched
    for row in rows:
        if row in found and rows.count(row) > 1:
            raise UsageError(f"{row!r} cannot be checkpointed: other layers run between its own")
    return tuple(row for row in rows if row in found)


def first_rows(graph: Graph) -> Iterable[str]:
    """The row of depth 1 of each layer, in execution order."""
    return map(first_row, layer_names(graph))
