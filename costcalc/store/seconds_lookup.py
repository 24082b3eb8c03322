"""Looks up measured seconds of a network in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from costcalc.store.canonical import graph_hash
from costcalc.store.record import Record

USUAL_SETTINGS = {"mode": "infer", "dtype": "float32", "engine": "eager", "channels_last": False, "tf32": False}


def seconds_lookup(records: Iterable[Record], device: str, threads: int) -> Callable[[Any], float | None]:
    """A function from a network to the median seconds of its newest run that is not noisy: inference, eager, float32,
    with so many threads, on the device with this fingerprint. None without such a run."""
    how = {**USUAL_SETTINGS, "threads": threads}
    times = {
        record.graph_hash: record.seconds
        for record in sorted(records, key=lambda record: record.started_at)
        if record.device == device
        and record.seconds is not None
        and not record.noisy
        and all(record.settings.get(key) == value for key, value in how.items())
    }
    return lambda model: times.get(graph_hash(model.layers())) if times else None
