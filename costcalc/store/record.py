"""A measurement, and its row in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from costcalc.errors import StoreError

# The columns of a row, after its id. The digest of all columns before it detects flipped bits.
ROW_COLUMNS = ("target", "graph_hash", "device", "settings", "run", "environment", "result", "started_at", "digest")
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Record:
    """One measurement. Times are in seconds, memory in bytes, counts of a whole batch.

    With `graph_hash` and `device` the `settings` are its key; values are text, numbers, true, false or null:
        mode (infer, train), batch, dtype, engine (eager, compile, cuda_graph), channels_last, threads, tf32, …
    `environment`: device (its name), driver, versions, clocks, governor, load_before, load_after, …
    `result`, as far as known:
        seconds (median of a step), seconds_iqr, seconds_low and seconds_high (its 95 % interval), samples (how many),
        noisy (reasons), forward_seconds, backward_seconds, optimizer_seconds, peak_bytes, input_shape (batch first),
        params, macs, activations, mac_activations (those of layers with MACs);
        of each layer alone: layers (name, op, forward and backward seconds, bytes moved, macs), layers_whole_seconds,
        layers_other_cores, and the ceilings of the device (macs_per_second, bytes_per_second)
    """

    target: str
    graph_hash: str
    device: str  # a fingerprint
    settings: dict[str, Any]
    environment: dict[str, Any]
    result: dict[str, Any]
    started_at: str  # ISO 8601, UTC
    id: int | None = None  # given by the store
    run: int | None = None  # counts from 1 among measurements with the same key

    @property
    def seconds(self) -> float | None:
        """The median time of a step, if it has one."""
        value = positive(self.result.get("seconds"))
        return None if value is None else float(value)

    @property
    def noisy(self) -> list[str]:
        """The reasons to distrust its times."""
        found = self.result.get("noisy") or []
        return [str(reason) for reason in found] if isinstance(found, list) else [str(found)]


def positive(value: Any) -> Any:
    """The value if it is a positive number, else None."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else None


def now() -> str:
    """The current time in the format of `started_at`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def key_of(record: Record) -> tuple[str, str, str]:
    """The columns by which runs are numbered. Raises StoreError for settings that are not scalars."""
    for name, value in record.settings.items():
        if not isinstance(name, str) or not (value is None or isinstance(value, (str, int, float))):
            raise StoreError(f"cannot keep {record.target!r}: the setting {name!r} is no text, number, true or false")
    return _plain(record.graph_hash), _plain(record.device), _json(record, "settings")


def row_of(record: Record, run: int) -> Row:
    """The columns of a record. Raises StoreError for values that JSON has not, and a time that is not UTC."""
    graph, device, settings = key_of(record)
    about = (_json(record, "environment"), _json(record, "result"), _moment(record))
    row = (_plain(record.target), graph, device, settings, run, *about)
    return (*row, _digest(row))


def record_of(id: int, *row: Any) -> Record:
    """The record of a row. Raises StoreError if the row was changed."""
    *said, digest = row
    damaged = StoreError(f"row {id} is damaged: it does not fit its digest")
    if digest != _digest(tuple(said)):
        raise damaged
    try:
        target, graph, device, settings, run, environment, result, started_at = said
        settings, environment, result = (json.loads(text) for text in (settings, environment, result))
    except (ValueError, TypeError, RecursionError):
        raise damaged from None
    return Record(target, graph, device, settings, environment, result, started_at, id, run)


def _digest(row: Row) -> str:
    return sha256(json.dumps(row, default=repr).encode()).hexdigest()


def _json(record: Record, what: str) -> str:
    try:
        return json.dumps(getattr(record, what), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        wanted = "give texts, numbers that are finite, lists and dicts"
        raise StoreError(f"cannot keep {record.target!r}: its {what} cannot be JSON ({error}); {wanted}") from None


def _moment(record: Record) -> str:
    try:
        if datetime.fromisoformat(record.started_at).utcoffset() == timedelta(0):
            return record.started_at
    except (TypeError, ValueError):
        pass
    raise StoreError(f"cannot keep {record.target!r}: started_at is {record.started_at!r}, no ISO 8601 time in UTC")


def _plain(text: str) -> str:
    """Text that UTF-8 can encode: undecodable bytes of a path become \\udcNN."""
    return str(text).encode("utf-8", "backslashreplace").decode()
