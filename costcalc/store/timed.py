"""What was measured of a network before, to stand beside its counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from costcalc.store.canonical import graph_hash
from costcalc.store.record import Record

PLAIN = {"mode": "infer", "dtype": "float32", "engine": "eager", "channels_last": False, "tf32": False}


def seconds_of(records: Iterable[Record], device: str, threads: int) -> Callable[[Any], float | None]:
    """Answers, for a network, with the median seconds of its newest run that was not noisy: inference, eager, float32,
    with so many threads on the device of that fingerprint. None if there is no such run."""
    how = {**PLAIN, "threads": threads}
    times = {
        record.graph_hash: record.seconds
        for record in sorted(records, key=lambda record: record.started_at)
        if record.device == device
        and record.seconds is not None
        and not record.noisy
        and all(record.settings.get(key) == value for key, value in how.items())
    }
    return lambda net: times.get(graph_hash(net.layers())) if times else None
