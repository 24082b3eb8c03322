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
    """The seconds of each, None for those of which there are none. Raises UsageError for too many, and for nobody who
    looks."""
    if lookup is None:
        raise UsageError("seconds are measured, not counted: hand in seconds=, who looks them up; see docs/sweeps.md")
    if len(nets) > MOST:
        raise UsageError(
            f"seconds are looked up for {MOST:,} points at most, not {len(nets):,}; keep the best with --top"
        )
    found = []
    for i, net in enumerate(nets):
        progress(i / len(nets), f"looking for measurements: {i:,} of {len(nets):,}")
        found.append(lookup(net))
    return found


def how_many(seconds: Sequence[float | None]) -> str:
    """How many were measured, and how more are."""
    found = sum(value is not None for value in seconds)
    return f"{found:,} of {len(seconds):,} have been timed without noise; `costcalc time` takes more"
