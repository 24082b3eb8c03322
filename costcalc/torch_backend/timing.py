"""Measured times as a reader wants them: a line for each network, who is faster and by how much, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import torch

from costcalc.net import Net
from costcalc.table import Table
from costcalc.torch_backend.machine import Device, environment, find_device
from costcalc.torch_backend.measure import SECONDS, Point, Progress, measure
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.torch_backend.timing_tables import layer_table, times_table, verdict, with_times


@dataclass(frozen=True)
class Timing:
    """What was measured on one device: a point for each network and group of settings."""

    device: Device
    environment: dict[str, Any]
    points: tuple[Point, ...]

    @property
    def measured(self) -> list[Point]:
        """Points that were not refused and did not die."""
        return [point for point in self.points if point.ok]

    @property
    def noisy(self) -> list[Point]:
        """Points whose times may not be believed."""
        return [point for point in self.measured if point.total().noisy]

    def tables(self) -> list[Table]:
        """The times, and the layers of the points that were looked at so closely."""
        return [self.table(), *(layer_table(point) for point in self.measured if point.layers)]

    def table(self) -> Table:
        """A line for each point; in training one more for each part."""
        title = f"on {self.device.name}, {self.device.model}, torch {torch.__version__}"
        return times_table(title, self.points, self.verdicts())

    def beside(self, counts: Table) -> Table:
        """The table of a comparison, a row for each point, with what was measured as further columns."""
        return with_times(counts, self.points, self.verdicts(), f"timed on {self.device.name}, {self.device.model}")

    def verdicts(self) -> list[str]:
        """Of the first network of each group of settings and each of the others, which one is faster."""
        groups: dict[Settings, list[Point]] = {}
        for point in self.measured:
            groups.setdefault(point.settings, []).append(point)
        return [verdict(points[0], other) for points in groups.values() for other in points[1:]]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `costcalc time`: seconds and bytes, every run."""
        about = {"device": self.device.name, "fingerprint": self.device.fingerprint, "environment": self.environment}
        return {**about, "points": [_point_dict(point) for point in self.points], "verdicts": self.verdicts()}


def time_nets(
    nets: Iterable[Net],
    *,
    device: str = "auto",
    batches: Sequence[int] = (1,),
    engines: Sequence[str] = ("eager",),
    seconds: float = SECONDS,
    per_layer: bool = False,
    progress: Progress = lambda *_: None,
    finished: Callable[[Timing], None] = lambda _: None,
    **settings: Any,
) -> Timing:
    """Times networks in turns on one device; `settings` are further ones of `Settings`, the same for all. Points of
    the same settings are timed together, and given to `finished` as soon as they are.

    Raises NoDevice, and BadSetting for settings that do not go together.
    """
    where = find_device(device)
    threads, cores = settings.get("threads"), os.cpu_count() or 1
    if threads is not None and threads > cores:
        raise BadSetting(f"--threads {threads}: this machine has {cores} cores, and threads that wait measure nothing")
    points = [
        Point(net.label, net.with_knobs(batch=batch).graph(), Settings(where.name, batch, engine=engine, **settings))
        for batch, engine, net in product(dict.fromkeys(batches), engines, list(nets))
    ]
    around = environment(where)
    for group in _apart(points):
        measure(group, seconds=seconds, per_layer=per_layer, progress=progress)
        finished(Timing(where, around, tuple(group)))
    return Timing(where, around, tuple(points))


def _apart(points: list[Point]) -> list[list[Point]]:
    """Points that are measured in turns: those of the same settings."""
    groups: dict[Settings, list[Point]] = {}
    for point in points:
        groups.setdefault(point.settings, []).append(point)
    return list(groups.values())


def _point_dict(point: Point) -> dict[str, Any]:
    found: dict[str, Any] = {
        "target": point.target,
        "settings": {**point.settings.to_dict(), "threads": point.threads},
        "status": point.status,
        "message": point.message,
        "params": point.params,
        "macs": point.macs,
        "activations": point.activations,
        "weight_bytes": point.weight_bytes,
        "predicted_peak_bytes": point.foretold_peak,
        "measured_peak_bytes": point.measured_peak,
    }
    if not point.ok:
        return found
    parts = {name: asdict(point.part(i)) for i, name in enumerate(point.parts)}
    found |= {"seconds": asdict(point.total()), "parts": parts, "runs": [sum(run) for run in point.times]}
    found |= {"warm_up_runs": point.warm_up_runs, "other_cores": point.others}
    found["layers"] = [asdict(layer) for layer in point.layers]
    return found | {"ceilings": asdict(point.ceilings) if point.ceilings else None}
