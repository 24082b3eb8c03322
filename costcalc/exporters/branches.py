"""Writes joins with their branches: an addition holds the two lists of layers that it adds, and names nothing.

A branch is a row of neighbours that starts at one layer, the same for all branches, and whose last layer the join alone
reads. A branch of no layers is that layer itself: the shortcut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from costcalc.exporters.layer_tree import Branched, Entry, Group, Layer, Readers, end_of, nodes_of_entry, reads_of

BRANCHED = ("add", "mul", "concat")


def with_branches(entries: Sequence[Entry], readers: Readers) -> list[Entry]:
    """The entries, each join with its branches where it has them."""
    found: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Group):
            entry = replace(entry, entries=with_branches(entry.entries, readers))
        elif isinstance(entry, Layer) and entry.op.name in BRANCHED and len(entry.inputs) > 1:
            joined = next(_joined(found, entry, readers), None)
            if joined is not None:
                del found[len(found) - sum(map(len, joined.branches)) :]
                entry = joined
        found.append(entry)
    return found


def _joined(before: Sequence[Entry], join: Layer, readers: Readers) -> Iterator[Branched]:
    """The join with its branches, for each layer at which they can all start."""
    for source in dict.fromkeys([*join.inputs, *_starts(before, join)]):
        branches, at = [], len(before)
        for end in reversed(join.inputs):
            first = at if end == source else _first(before, at, end, source, join, readers)
            if first is None:
                break
            branches.append(list(before[first:at]))
            at = first
        else:
            if any(branches):
                yield Branched(join, branches[::-1], source)


def _starts(before: Sequence[Entry], join: Layer) -> Iterator[str]:
    """What rows that end with the last input of the join read, if that is one layer."""
    inside: set[str] = set()
    reads: set[str] = set()
    if not before or end_of(before[-1]) != join.inputs[-1]:
        return
    for entry in reversed(before):
        inside |= nodes_of_entry(entry)
        reads = (reads | reads_of(entry)) - inside
        if len(reads) == 1:
            yield next(iter(reads))


def _first(before: Sequence[Entry], at: int, end: str, source: str, join: Layer, readers: Readers) -> int | None:
    """Where the branch starts that stands before `at`, ends with `end` and reads `source`; None if none does.

    It reads nothing else from outside, or else it is the longest row that others do not read.
    """
    if (
        not at
        or end_of(before[at - 1]) != end
        or not readers.get(end, set()) <= nodes_of_entry(before[at - 1]) | {join.node}
    ):
        return None
    inside: set[str] = set()
    reads: set[str] = set()
    found = None
    for first in range(at - 1, -1, -1):
        own, nodes = reads_of(before[first]), nodes_of_entry(before[first])
        inside |= nodes
        if source in inside or not all(readers.get(node, set()) <= inside for node in nodes if node != end):
            break
        reads = (reads | own) - inside
        if source in own:
            found = first
        if reads <= {source}:
            return first
    return found
