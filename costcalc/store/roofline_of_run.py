"""The roofline of a measurement: its layers below the ceilings that were measured in the same process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costcalc.chart import Roofline, TimedLayer
from costcalc.errors import UsageError, why
from costcalc.store.record import Record, positive
from costcalc.text import plural

NO_LAYERS = (
    "run {id} has the whole network alone; `costcalc time {target} --per-layer` measures its layers and the "
    "ceilings of the device, or --roofline FILE.svg draws them at once"
)


def roofline_of_run(record: Record) -> Roofline:
    """The layers that have MACs, by MACs for each byte and MACs a second, forward.

    Raises UsageError for a run without layers, and for one of which no layer has MACs.
    """
    result = record.result
    if not result.get("layers") or not result.get("ceilings"):
        raise UsageError(NO_LAYERS.format(id=record.id, target=record.target))
    try:
        layers = [_layer(one) for one in result["layers"]]
        macs, moved = (float(result["ceilings"][f"{what}_per_second"]) for what in ("macs", "bytes"))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the layers of run {record.id} are not understood: {why(error, 'reading them')}") from None
    drawn = [layer for layer in layers if layer.macs and layer.bytes and layer.seconds > 0]
    if not drawn or min(macs, moved) <= 0:
        raise UsageError(f"no layer of run {record.id}, {record.target}, has MACs and a time; a roofline is of those")
    seconds = sum(layer.seconds for layer in layers)
    whole = TimedLayer(record.target, "", sum(la.macs for la in layers), sum(la.bytes for la in layers), seconds)
    title = f"{record.target} on {record.environment.get('device', record.device)}"
    return Roofline(title, macs, moved, tuple(drawn), whole, (*_others(layers, drawn, seconds), *_notes(record)))


def _layer(found: Mapping[str, Any]) -> TimedLayer:
    return TimedLayer(
        str(found["name"]), str(found["op"]), int(found["macs"]), int(found["bytes"]), float(found["forward"])
    )


def _others(layers: list[TimedLayer], drawn: list[TimedLayer], seconds: float) -> list[str]:
    """What is not drawn: the layers without MACs, and the share of the time that they take."""
    drawn_seconds = sum(layer.seconds for layer in drawn)
    found = [layer for layer in layers if layer not in drawn]
    share = 100 * (seconds - drawn_seconds) / seconds
    kinds = dict.fromkeys(layer.kind for layer in sorted(found, key=lambda layer: -layer.seconds))
    words = f"{plural(len(found), 'layer')} without MACs, {share:.1f} % of the time: {', '.join(kinds)}"
    return [f"not drawn: {words}"] if found else []


def _notes(record: Record) -> list[str]:
    """How it was measured, and what the picture shows."""
    settings, result = record.settings, record.result
    how = [settings.get("mode"), settings.get("engine"), settings.get("dtype"), f"batch {settings.get('batch')}"]
    how += [plural(settings["threads"], "thread")] if settings.get("threads") else []
    noisy = positive(result.get("layers_other_cores"))
    return [
        "area: the seconds of a layer, timed alone and forward; bytes: inputs, weights and outputs, each once; a layer "
        "whose tensors stay in a cache may lie above the copy's line",
        f"run {record.id}, {record.started_at[:10]}: {', '.join(map(str, filter(None, how)))}",
        *(["noisy: " + ", ".join(record.noisy)] if record.noisy else []),
        *([f"other processes used {noisy:.1f} cores while layers were timed"] if noisy and noisy > 0.5 else []),
    ]
