"""Measurements as flat rows for other programs, under the names of timm's benchmark.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from costcalc.store.record import Record, positive
from costcalc.table import Column, Table

# Times are milliseconds, param_count and macts millions, gmacs 10⁹; gmacs and macts are of one sample. timm rounds, and
# has means where we have medians. Its macts count what layers with MACs write, not what all layers do.
Convert = Callable[[Any, Any], float]  # of a value and the batch
STEP: dict[str, tuple[str, Convert]] = {
    "samples_per_sec": ("seconds", lambda seconds, batch: batch / seconds),
    "step_time": ("seconds", lambda seconds, batch: 1000 * seconds),
}
MORE: dict[str, dict[str, tuple[str, Convert]]] = {
    "infer": {
        "gmacs": ("macs", lambda macs, batch: macs / batch / 1e9),
        "macts": ("mac_activations", lambda elements, batch: elements / batch / 1e6),
    },
    "train": {
        "fwd_time": ("forward_seconds", lambda seconds, batch: 1000 * seconds),
        "bwd_time": ("backward_seconds", lambda seconds, batch: 1000 * seconds),
        "opt_time": ("optimizer_seconds", lambda seconds, batch: 1000 * seconds),
    },
}
TIMM = [
    "model",
    *(f"{mode}_{name}" for mode in MORE for name in (*STEP, "batch_size", "img_size", *MORE[mode])),
    "param_count",
]
OURS = ["id", "run", "started_at", "device", "graph_hash", "noisy"]


def export_rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """A flat dict for each measurement, all with the same keys: timm's, then ours, then `settings.dtype` and the like.

    Every value is text, a number, a bool or None; a key without any value is left out.
    """
    rows = [_row(record) for record in records]
    named = [name for name in (*TIMM, *OURS) if any(row.get(name) is not None for row in rows)]
    others = sorted({name for row in rows for name in row} - {*TIMM, *OURS})
    return [{name: row.get(name) for name in (*named, *others)} for row in rows]


def export_table(rows: list[dict[str, Any]]) -> Table:
    """The flat rows as a table, for CSV."""
    return Table("", [Column(name, name, "figure") for name in (rows[0] if rows else TIMM)], rows)


def _row(record: Record) -> dict[str, Any]:
    return {
        **_timms(record),
        "id": record.id,
        "run": record.run,
        "started_at": record.started_at,
        "device": record.device,
        "graph_hash": record.graph_hash,
        "noisy": "; ".join(record.noisy),
        **_flat("settings", record.settings),
        **_flat("result", {key: value for key, value in record.result.items() if key != "noisy"}),
        **_flat("environment", record.environment),
    }


def _timms(record: Record) -> dict[str, Any]:
    """The columns of timm. Without a known mode and batch these are the model and its params."""
    mode, batch, result = record.settings.get("mode"), record.settings.get("batch"), record.result
    row: dict[str, Any] = {"model": record.target}
    if (params := positive(result.get("params"))) is not None:
        row["param_count"] = params / 1e6
    if mode not in MORE or not positive(batch):
        return row
    row[f"{mode}_batch_size"] = batch
    shape = result.get("input_shape")
    if isinstance(shape, list) and len(shape) == 4:
        row[f"{mode}_img_size"] = shape[-1]
    for name, (key, convert) in {**STEP, **MORE[mode]}.items():
        if (value := positive(result.get(key))) is not None:
            row[f"{mode}_{name}"] = convert(value, batch)
    return row


def _flat(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """`{"versions": {"torch": "2.9"}}` as `{"environment.versions.torch": "2.9"}`; lists as JSON."""
    row: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict):
            row |= _flat(name, value)
        else:
            row[name] = json.dumps(value) if isinstance(value, list) else value
    return row
