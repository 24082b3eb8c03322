"""Measured times as tables: a line for each network, who is faster, and where the time of one goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from costcalc.table import Column, Table, brief
from costcalc.text import times_text
from costcalc.torch_backend.layerwise import LayerTime
from costcalc.torch_backend.measure import Point, time_ratio
from costcalc.torch_backend.samples import BUSY, Summary
from costcalc.torch_backend.settings import Settings

COLUMNS = (
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
MEANING = (
    "ms: the median of whole steps and of parts; 95 %: the interval that holds it, the bootstrap's or a run wider; "
    "per second: examples; peak: bytes of activations held at once, predicted for inference from what is still to be "
    "read, and as the allocator or profiler saw it"
)
FAR_BELOW = 0.10  # of both ceilings: then it is neither that holds a layer back


def _how(settings: Settings) -> str:
    flags = ("channels last" * settings.channels_last, "TF32" * settings.tf32)
    return ", ".join(
        filter(
            None, ["train" if settings.train else "infer", settings.engine.replace("_", " "), settings.dtype, *flags]
        )
    )


def times_table(title: str, points: Sequence[Point], verdicts: Sequence[str]) -> Table:
    """A line for each point; in training with the medians of its parts."""
    rows = [_row(point) for point in points]
    columns = tuple(column for column in COLUMNS if any(row.get(column.key) not in (None, "") for row in rows))
    return Table(title, columns, rows, notes=[*verdicts, *_warnings(points), MEANING])


def with_times(counts: Table, points: Sequence[Point], verdicts: Sequence[str], where: str) -> Table:
    """A table that has a row for each point, with its median time and that time's interval."""
    columns = (*counts.columns, *(column for column in COLUMNS if column.key in ("ms", "low", "high")))
    rows = [
        {**row, **(_times(point.total()) if point.ok else {"ms": point.status})}
        for row, point in zip(counts.rows, points, strict=True)
    ]
    batches = ", ".join(str(batch) for batch in dict.fromkeys(point.settings.batch for point in points))
    settings = f"{where}, batch {batches}, {_how(points[0].settings)}"
    untimed = [f"{point.target} was not timed, {point.status}: {point.message}" for point in points if not point.ok]
    notes = [*counts.notes, settings, *verdicts, *untimed, *_warnings(points)]
    return Table(counts.title, columns, rows, counts.totals, notes)


def _row(point: Point) -> dict[str, Any]:
    about = {"network": point.target, "batch": point.settings.batch, "how": _how(point.settings)}
    about |= {"weights": point.weight_bytes}
    if not point.ok:
        return {**about, "status": f"{point.status}: {point.message}"}
    total, batch = point.total(), point.settings.batch
    row = {**about, **_times(total), "per_second": batch / total.median, "status": ""}
    row["gmacs"] = None if point.settings.train else point.macs / total.median / 1e9
    row["predicted"] = point.foretold_peak
    row["measured"] = point.measured_peak
    row["status"] = "noisy" if total.noisy else "ok"
    parts = enumerate(point.parts) if len(point.parts) > 1 else ()
    return row | {name: 1000 * point.part(i).median for i, name in parts}


def _times(summary: Summary) -> dict[str, Any]:
    return {
        "ms": 1000 * summary.median,
        "low": 1000 * summary.low,
        "high": 1000 * summary.high,
        "iqr": summary.iqr / summary.median,
        "runs": summary.runs,
    }


def verdict(first: Point, other: Point) -> str:
    """Who is faster, if that can be said, and how many times fewer multiplies it has.

    Nothing is said of what was measured under load: threads that wait for each other may turn it round.
    """
    found, at = time_ratio(first, other), f"at batch {first.settings.batch}, {_how(first.settings)}"
    if first.under_load or other.under_load:
        why = f"other processes used {max(first.others, other.others):.1f} cores"
        return f"no verdict on {first.target} and {other.target} {at}: {why}"
    if not found.decided:
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


def _warnings(points: Iterable[Point]) -> list[str]:
    """A line for all times that are not to be believed; the reasons of each stand in the store and in JSON."""
    measured = [point for point in points if point.ok]
    busy = [point for point in measured if point.under_load]
    noisy = [point for point in measured if not point.under_load and point.total().noisy]
    found = [f"not believed: the machine is busy; {_see(busy)}"] if busy else []
    names = ", ".join(dict.fromkeys(point.target for point in noisy))
    found += [f"noisy: {names}; {_see(noisy)}"] if noisy else []
    return found + [f"{_run(point)} {point.message}" for point in measured if point.message]


def _see(points: Sequence[Point]) -> str:
    """Where more is said of these points, or what to do if they are not kept."""
    runs = [str(point.run) for point in points if point.run is not None]
    if not runs:
        return "time again when nothing else runs"
    more = f" (and {', '.join(runs[1:])})" if runs[1:] else ""
    return f"see `costcalc runs show {runs[0]}`{more}"


def _run(point: Point) -> str:
    return f"{point.target} at batch {point.settings.batch}, {_how(point.settings)},"


def layer_table(point: Point) -> Table:
    """Each layer: its time and share, and how near it comes to what the device can do at best."""
    macs, moved = _ceilings(point)
    rows = [_layer_row(layer, point.apart, macs, moved) for layer in point.layers]
    forward, multiplies = (sum(part) for part in zip(*((layer.forward, layer.macs) for layer in point.layers)))
    totals: dict[str, Any] = {"name": "sum", "ms": 1000 * forward, "share": None, "macs": multiplies}
    if point.settings.train:
        totals["backward"] = 1000 * sum(layer.backward for layer in point.layers)
    notes = [
        _overhead(point.whole, point.apart, point.settings.train),
        f"ceilings: {brief(macs / 1e9)} GMAC/s in a large matrix product and "
        f"{brief(moved / 1e9)} GB/s in a large copy, measured in the same process",
    ]
    if point.settings.train:
        notes.insert(0, "share: of forward and backward together; MACs, GMAC/s and GB/s: of forward")
    if point.settings.engine != "eager":
        notes.append("one by one, layers are run eagerly: only the whole is as its title says")
    if point.layer_others > BUSY:
        notes.append(f"these times are noisy: other processes used {point.layer_others:.1f} cores")
    columns = tuple(c for c in LAYER_COLUMNS if c.key != "backward" or point.settings.train)
    return Table(f"layers of {_run(point).rstrip(',')}", columns, rows, totals, notes)


def layer_record(layer: LayerTime, point: Point) -> dict[str, Any]:
    """A layer in JSON: seconds and bytes, its shares of the ceilings, and what holds it back."""
    row = _layer_row(layer, point.apart, *_ceilings(point))
    return {**asdict(layer), **{name: row[name] for name in ("share", "of_macs", "of_bytes", "bound")}}


def _ceilings(point: Point) -> tuple[float, float]:
    assert point.ceilings is not None
    return point.ceilings.macs_per_second, point.ceilings.bytes_per_second


def _overhead(whole: float, apart: float, train: bool) -> str:
    what = "the whole, forward and backward without the optimizer," if train else "the whole"
    rest, more = whole - apart, "more" if whole > apart else "less"
    return (
        f"{what} takes {brief(1000 * whole)} ms, {brief(1000 * abs(rest))} ms {more} than its layers one by one: "
        "what lies between layers, less what timing each of them adds"
    )


def _layer_row(layer: LayerTime, whole: float, macs: float, moved: float) -> dict[str, Any]:
    seconds = layer.forward or float("inf")
    of_macs, of_bytes = layer.macs / seconds / macs, layer.bytes / seconds / moved
    near = max(of_macs, of_bytes)
    bound = "overhead" if near < FAR_BELOW else "multiplies" if of_macs >= of_bytes else "memory"
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
