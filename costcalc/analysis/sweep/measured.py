"""Times beside counts: what was measured of networks, looked up by whoever keeps measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from costcalc.errors import UsageError
from costcalc.spec.network import Network

MOST = 2_000  # networks, each of which is built to be known again
Lookup = Callable[[Network], float | None]


def looked_up(
    nets: Sequence[Network], lookup: Lookup | None, progress: Callable[[float, str], None] = lambda *_: None
) -> list[float | None]:
    """The seconds of each, None for those of which there are none. Raises UsageError as the checks below do."""
    lookup = check_lookup(lookup)
    check_few(len(nets))
    found = []
    for i, net in enumerate(nets):
        progress(i / len(nets), f"looking for measurements: {i:,} of {len(nets):,}")
        found.append(lookup(net))
    return found


def check_lookup(lookup: Lookup | None) -> Lookup:
    """Raises UsageError if there is nobody who looks."""
    if lookup is None:
        raise UsageError("seconds are measured, not counted: hand in seconds=, who looks them up; see docs/sweeps.md")
    return lookup


def check_few(count: int) -> None:
    """Raises UsageError for more networks than are looked up."""
    if count > MOST:
        raise UsageError(f"seconds are looked up for {MOST:,} points at most, not {count:,}; keep the best with --top")


def how_many(seconds: Sequence[float | None]) -> str:
    """How many were measured, and how more are."""
    found = sum(value is not None for value in seconds)
    have = f"{len(seconds):,} {'has' if found == 1 else 'have'}"
    return f"{found:,} of {have} been timed without noise; `costcalc time` takes more"
