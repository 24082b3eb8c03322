"""Measurements as tables."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from costcalc.result import TableResult
from costcalc.store.record import Record
from costcalc.table import Column, Table
from costcalc.text import plural

RUN_COLUMNS = (
    Column("id", "run"),
    Column("target", "network", "text"),
    Column("mode", "mode", "text", 2),
    Column("batch", "batch", "int", 1),
    Column("dtype", "dtype", "text", 3),
    Column("engine", "engine", "text", 3),
    Column("milliseconds", "ms", "measured"),
    Column("per_second", "samples/s", "measured", 2),
    Column("noisy", "noisy", "text", 1),
    Column("how", "how", "text", 3),
    Column("device_name", "device", "text", 4),
    Column("started_at", "started", "text", 5),
)


def list_runs(records: list[Record], where: object, note: str = "") -> TableResult:
    """A row for each measurement. `where` names the store, `note` is about its file."""
    title, notes = f"{plural(len(records), 'measurement')} in {where}", [note] if note else []
    if not records:
        title, notes = note or f"no measurements in {where}", []
    table = Table(title, RUN_COLUMNS, [_line(record) for record in records], notes=notes)
    return TableResult(table, {"runs": [*map(asdict, records)]})


def run_facts(record: Record, note: str = "") -> TableResult:
    """Every field of one measurement."""
    rows = [{"what": what, "value": value} for what, value in _facts(record)]
    columns = (Column("what", "what", "text"), Column("value", "value", "text"))
    table = Table(f"run {record.id}: {record.target}", columns, rows, notes=[note] if note else [])
    return TableResult(table, asdict(record))


def _line(record: Record) -> dict[str, Any]:
    settings, seconds = record.settings, record.seconds
    batch = settings.get("batch")
    line: dict[str, Any] = {key: settings.get(key) for key in ("mode", "batch", "dtype", "engine")}
    line |= {"id": record.id, "target": record.target, "started_at": record.started_at}
    line |= {
        "noisy": "noisy" if record.noisy else "",
        "how": _how(settings),
        "device_name": record.environment.get("device", record.device),
    }
    if seconds is not None:
        line["milliseconds"] = 1000 * seconds
        line["per_second"] = batch / seconds if isinstance(batch, int) else None
    return line


def _how(settings: dict[str, Any]) -> str:
    """Settings that have no column: threads, and flags that are set."""
    flags = [name.replace("_", " ") for name in ("channels_last", "tf32") if settings.get(name)]
    threads = settings.get("threads")
    return ", ".join([*([plural(threads, "thread")] if threads else []), *flags])


def _brief(key: str, value: Any) -> Any:
    """A value as one line of a table: how many layers there are, in place of each; JSON has them."""
    return f"{len(value)}: --roofline FILE.svg draws them" if key == "layers" and isinstance(value, list) else value


def _facts(record: Record) -> list[tuple[str, str]]:
    facts: list[tuple[str, Any]] = [
        ("started", record.started_at),
        ("run with this key", record.run),
        ("graph", record.graph_hash),
        ("device", record.device),
    ]
    for what in ("settings", "result", "environment"):
        facts += sorted((f"{what}: {key}", _brief(key, value)) for key, value in getattr(record, what).items())
    return [(what, value if isinstance(value, str) else json.dumps(value)) for what, value in facts]
