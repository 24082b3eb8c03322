"""Measured times as tables: a row for each network, verdicts, and the time of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from costcalc.table import Column, Table, brief
from costcalc.text import times_text
from costcalc.torch_backend.layerwise import LayerTime
from costcalc.torch_backend.measure import Measurement, time_ratio
from costcalc.torch_backend.settings import Settings
from costcalc.torch_backend.statistics import MAX_OTHER_CORES, Summary

TIMES_COLUMNS = (
    Column("network", "network", "text"),
    Column("batch", "batch", "int", 1),
    Column("how", "how", "text", 2),
    Column("ms", "ms", "brief"),
    Column("low", "95 % from", "brief", 1),
    Column("high", "to", "brief", 1),
    Column("forward", "forward", "brief", 1),
    Column("backward", "backward", "brief", 1),
    Column("optimizer", "optimizer", "brief", 1),
    Column("iqr", "IQR", "share", 3),
    Column("runs", "runs", "int", 4),
    Column("per_second", "per second", "brief", 3),
    Column("gmacs", "GMAC/s", "brief", 2),
    Column("weights", "weights", "bytes", 5),
    Column("predicted", "peak predicted", "bytes", 5),
    Column("measured", "peak measured", "bytes", 5),
    Column("status", "status", "text", 0),
)
LAYER_COLUMNS = (
    Column("name", "layer", "text"),
    Column("op", "op", "text", 3),
    Column("ms", "ms", "brief"),
    Column("share", "share", "share", 1),
    Column("backward", "backward ms", "brief", 2),
    Column("macs", "MACs", "int", 4),
    Column("gmacs", "GMAC/s", "brief", 1),
    Column("of_macs", "of the ceiling", "share", 2),
    Column("gbytes", "GB/s", "brief", 1),
    Column("of_bytes", "of the ceiling", "share", 2),
    Column("bound", "held back by", "text", 3),
)
COLUMNS_EXPLAINED = (
    "ms: the median of whole steps and of parts; 95 %: the interval that holds it, the bootstrap's or a run wider; "
    "per second: examples; peak: bytes held at once besides the weights and what an optimizer keeps, predicted from "
    "what is still to be read, and as the allocator or profiler saw it"
)
OVERHEAD_SHARE = 0.10  # a layer below this share of both ceilings is bound by overhead


def _how(settings: Settings) -> str:
    """`infer, cuda graph, float16, channels last`, or `train, eager, float32, adam`"""
    mode = "train" if settings.train else "infer"
    step = (settings.optimizer, "frozen statistics" * settings.freeze_statistics) if settings.train else ()
    flags = "channels last" * settings.channels_last, "TF32" * settings.tf32
    return ", ".join(filter(None, (mode, settings.engine.replace("_", " "), settings.dtype, *step, *flags)))


def times_table(title: str, measurements: Sequence[Measurement], verdicts: Sequence[str]) -> Table:
    """A row for each measurement; in training with the medians of its parts."""
    rows = [_row(measurement) for measurement in measurements]
    columns = tuple(column for column in TIMES_COLUMNS if any(row.get(column.key) not in (None, "") for row in rows))
    return Table(title, columns, rows, notes=[*verdicts, *_warnings(measurements), COLUMNS_EXPLAINED])


def with_times(counts: Table, measurements: Sequence[Measurement], verdicts: Sequence[str], where: str) -> Table:
    """Adds to a table, which has a row for each measurement, the median time and its interval."""
    columns = (*counts.columns, *(column for column in TIMES_COLUMNS if column.key in ("ms", "low", "high")))
    rows = [
        {**row, **(_times(measurement.total()) if measurement.ok else {"ms": measurement.status})}
        for row, measurement in zip(counts.rows, measurements, strict=True)
    ]
    batches = ", ".join(dict.fromkeys(str(measurement.settings.batch) for measurement in measurements))
    settings = f"{where}, batch {batches}, {_how(measurements[0].settings)}"
    untimed = [
        f"{measurement.target} was not timed, {measurement.status}: {measurement.message}"
        for measurement in measurements
        if not measurement.ok
    ]
    notes = [*counts.notes, settings, *verdicts, *untimed, *_warnings(measurements)]
    return Table(counts.title, columns, rows, counts.totals, notes)


def _row(measurement: Measurement) -> dict[str, Any]:
    about = {"network": measurement.target, "batch": measurement.settings.batch, "how": _how(measurement.settings)}
    about |= {"weights": measurement.weight_bytes}
    if not measurement.ok:
        return {**about, "status": f"{measurement.status}: {measurement.message}"}
    total, batch = measurement.total(), measurement.settings.batch
    row = {**about, **_times(total), "per_second": batch / total.median, "status": ""}
    row["gmacs"] = None if measurement.settings.train else measurement.macs / total.median / 1e9
    row["predicted"] = measurement.predicted_peak
    row["measured"] = measurement.measured_peak
    row["status"] = "noisy" if total.noisy else "ok"
    parts = enumerate(measurement.parts) if len(measurement.parts) > 1 else ()
    return row | {name: 1000 * measurement.part(i).median for i, name in parts}


def _times(summary: Summary) -> dict[str, Any]:
    return {
        "ms": 1000 * summary.median,
        "low": 1000 * summary.low,
        "high": 1000 * summary.high,
        "iqr": summary.iqr / summary.median,
        "runs": summary.runs,
    }


def verdict(first: Measurement, other: Measurement) -> str:
    """Which of two networks is faster, if the interval decides it, and how many times fewer multiplies it has.

    There is no verdict on times measured under load: threads that wait for each other may reverse it.
    """
    found, at = time_ratio(first, other), f"at batch {first.settings.batch}, {_how(first.settings)}"
    if first.under_load or other.under_load:
        why = f"other processes used {max(first.other_cores, other.other_cores):.1f} cores"
        return f"no verdict on {first.target} and {other.target} {at}: {why}"
    if not found.significant:
        span = f"ratio {found.median:.2f}, 95 %: {found.low:.2f} to {found.high:.2f}"
        return f"{first.target} and {other.target} cannot be told apart {at} ({span})"
    quick, slow = other, first
    if found.median < 1:
        quick, slow, found = first, other, found.inverse
    span = f"95 %: {times_text(found.low)} to {times_text(found.high)}"
    text = f"{quick.target} is {times_text(found.median)} times as fast as {slow.target} {at} ({span})"
    if not (quick.macs and slow.macs):
        return text
    both = ", forward and backward" * first.settings.train
    return f"{text}, with {_multiplies(quick.step_macs, slow.step_macs)}{both}"


def _multiplies(quick: int, slow: int) -> str:
    if quick == slow:
        return "as many multiplies"
    times, word = (Fraction(slow, quick), "fewer") if quick < slow else (Fraction(quick, slow), "more")
    return f"{times_text(times)} times {word} multiplies"


def _warnings(measurements: Iterable[Measurement]) -> list[str]:
    """One line for all noisy times; the store and JSON have the reasons of each."""
    measured = [measurement for measurement in measurements if measurement.ok]
    busy = [measurement for measurement in measured if measurement.under_load]
    noisy = [measurement for measurement in measured if not measurement.under_load and measurement.total().noisy]
    found = [f"not believed: the machine is busy; {_see(busy)}"] if busy else []
    names = ", ".join(dict.fromkeys(measurement.target for measurement in noisy))
    found += [f"noisy: {names}; {_see(noisy)}"] if noisy else []
    return found + [f"{_run(measurement)} {measurement.message}" for measurement in measured if measurement.message]


def _see(measurements: Sequence[Measurement]) -> str:
    """Where to read more of these measurements, or what to do if they are not in a store."""
    runs = [str(measurement.run) for measurement in measurements if measurement.run is not None]
    if not runs:
        return "time again when nothing else runs"
    more = f" (and {', '.join(runs[1:])})" if runs[1:] else ""
    return f"see `costcalc runs show {runs[0]}`{more}"


def _run(measurement: Measurement) -> str:
    return f"{measurement.target} at batch {measurement.settings.batch}, {_how(measurement.settings)},"


def layer_table(measurement: Measurement) -> Table:
    """A row for each layer: its time, its share, and its rates as shares of the device's ceilings."""
    macs, moved = _ceilings(measurement)
    rows = [_layer_row(layer, measurement.layers_seconds, macs, moved) for layer in measurement.layers]
    forward, multiplies = (sum(part) for part in zip(*((layer.forward, layer.macs) for layer in measurement.layers)))
    totals: dict[str, Any] = {"name": "sum", "ms": 1000 * forward, "share": None, "macs": multiplies}
    if measurement.settings.train:
        totals["backward"] = 1000 * sum(layer.backward for layer in measurement.layers)
    own = measurement.own is not None
    notes = [
        _overhead(measurement.whole_seconds, measurement.layers_seconds, measurement.settings.train, own),
        f"ceilings: {brief(macs / 1e9)} GMAC/s in a large matrix product and "
        f"{brief(moved / 1e9)} GB/s in a large copy, measured in the same process",
    ]
    if measurement.settings.train:
        notes.insert(0, "share: of forward and backward together; MACs, GMAC/s and GB/s: of forward")
    if own:
        notes.append("a module is timed while all of them run, without those in it; its MACs are those of its layers")
    if measurement.settings.engine != "eager":
        notes.append(
            f"{'modules' if own else 'one by one, layers'} are run eagerly: only the whole is as its title says"
        )
    if measurement.layers_other_cores > MAX_OTHER_CORES:
        notes.append(f"these times are noisy: other processes used {measurement.layers_other_cores:.1f} cores")
    columns = tuple(c for c in LAYER_COLUMNS if c.key != "backward" or measurement.settings.train)
    if own:
        columns = (Column("name", "module", "text"), Column("op", "class", "text", 3), *columns[2:])
    return Table(f"{'modules' if own else 'layers'} of {_run(measurement).rstrip(',')}", columns, rows, totals, notes)


def layer_record(layer: LayerTime, measurement: Measurement) -> dict[str, Any]:
    """A layer in JSON: seconds and bytes, its shares of the ceilings, and its bound."""
    row = _layer_row(layer, measurement.layers_seconds, *_ceilings(measurement))
    return {**asdict(layer), **{name: row[name] for name in ("share", "of_macs", "of_bytes", "bound")}}


def _ceilings(measurement: Measurement) -> tuple[float, float]:
    assert measurement.ceilings is not None
    return measurement.ceilings.macs_per_second, measurement.ceilings.bytes_per_second


def _overhead(whole: float, layers: float, train: bool, own: bool) -> str:
    what = "the whole, forward and backward without the optimizer," if train else "the whole"
    rest, more = whole - layers, "more" if whole > layers else "less"
    parts = "its modules: what lies between them" if own else "its layers one by one: what lies between layers"
    return (
        f"{what} takes {brief(1000 * whole)} ms, {brief(1000 * abs(rest))} ms {more} than {parts}, "
        "less what timing each of them adds"
    )


def _layer_row(layer: LayerTime, whole: float, macs: float, moved: float) -> dict[str, Any]:
    seconds = layer.forward or float("inf")
    of_macs, of_bytes = layer.macs / seconds / macs, layer.bytes / seconds / moved
    near = max(of_macs, of_bytes)
    bound = "overhead" if near < OVERHEAD_SHARE else "multiplies" if of_macs >= of_bytes else "memory"
    return {
        "name": layer.name,
        "op": layer.op,
        "ms": 1000 * layer.forward,
        "backward": 1000 * layer.backward,
        "share": (layer.forward + layer.backward) / whole,
        "macs": layer.macs,
        "gmacs": layer.macs / seconds / 1e9 if layer.macs else None,
        "of_macs": of_macs if layer.macs else None,
        "gbytes": layer.bytes / seconds / 1e9 if layer.bytes else None,
        "of_bytes": of_bytes if layer.bytes else None,
        "bound": bound if layer.bytes else "",
    }
