"""Measurements that were never taken, for tests of the store."""

from dataclasses import replace

from costcalc.store import Record

RECORD = Record(
    target="resnet50",
    graph_hash="2:" + "a1" * 32,
    device="cpu-4f2a",
    settings={"mode": "infer", "batch": 32, "dtype": "float32", "engine": "eager", "threads": 2, "tf32": False},
    environment={"device": "A CPU", "driver": None, "versions": {"torch": "2.9"}, "load_before": 0.1},
    result={
        "seconds": 0.5,
        "seconds_iqr": 0.01,
        "seconds_low": 0.49,
        "seconds_high": 0.51,
        "samples": 20,
        "noisy": [],
        "params": 25_557_032,
        "macs": 32 * 4_089_184_256,
        "activations": 1,
        "mac_activations": 32 * 11_113_984,
        "input_shape": [32, 3, 224, 224],
    },
    started_at="2026-11-21T07:00:00.000+00:00",
)


def record(*, seconds=None, **changes):
    """The record with other fields; of dicts only what is named is changed."""
    if seconds is not None:
        times = {"seconds": seconds, "seconds_low": 0.98 * seconds, "seconds_high": 1.02 * seconds}
        changes["result"] = {**times, **changes.get("result", {})}
    merged = {
        name: {**getattr(RECORD, name), **value} if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return replace(RECORD, **merged)


def without_place(kept):
    """A kept record as it was before the store numbered it."""
    return replace(kept, id=None, run=None)
