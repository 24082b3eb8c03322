"""Measured times as a reader wants them: a line for each network, who is faster and by how much, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from typing import Any

import torch

from costcalc.analysis.compare import Comparison
from costcalc.errors import Problem
from costcalc.net import Net
from costcalc.result import Result
from costcalc.table import Table
from costcalc.text import plural
from costcalc.torch_backend.machine import Device, environment, find_device
from costcalc.torch_backend.measure import SECONDS, Point, Progress, measure
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.torch_backend.timing_tables import layer_record, layer_table, times_table, verdict, with_times
from costcalc.torch_backend.worker import SILENCE
from costcalc.workers.process_count import cores

LONGEST = 1_000_000  # seconds of a timeout: the system's own cannot be much longer


@dataclass(frozen=True, eq=False, repr=False)
class Timing(Result):
    """What was measured on one device: a point for each network and group of settings."""

    device: Device
    environment: dict[str, Any]
    points: tuple[Point, ...]
    nets: tuple[Net, ...] = ()

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
        """A line for each point."""
        return times_table(f"on {self.where}, torch {torch.__version__}", self.points, self._believed())

    def beside(self, counts: Table) -> Table:
        """The table of a comparison, a row for each point, with what was measured as further columns."""
        return with_times(counts, self.points, self._believed(), f"timed on {self.where}")

    @property
    def where(self) -> str:
        """The device, and how many threads an operation had there."""
        threads = sorted({point.threads for point in self.measured if point.threads})
        return ", ".join([self.device.name, self.device.model, *(plural(n, "thread") for n in threads)])

    def verdicts(self) -> list[str]:
        """Of the first network of each group of settings and each of the others, which one is faster."""
        return [verdict(*pair) for pair in self._pairs()]

    def _believed(self) -> list[str]:
        """The verdicts on what was not measured under load."""
        return [verdict(*pair) for pair in self._pairs() if not any(point.under_load for point in pair)]

    def _pairs(self) -> list[tuple[Point, Point]]:
        groups: dict[Settings, list[Point]] = {}
        for point in self.measured:
            groups.setdefault(point.settings, []).append(point)
        return [(points[0], other) for points in groups.values() for other in points[1:]]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(net.label, net.warnings) for net in self.nets]

    def _fields(self) -> dict[str, Any]:
        """Seconds and bytes, every run."""
        about = {"device": self.device.name, "fingerprint": self.device.fingerprint, "environment": self.environment}
        return {**about, "points": [_point_dict(point) for point in self.points], "verdicts": self.verdicts()}

    def _summary(self) -> str:
        return f"of {plural(len(self.measured), 'network')} on {self.where}"


@dataclass(frozen=True, eq=False, repr=False)
class TimedComparison(Result):
    """Networks side by side, with the time that each takes."""

    comparison: Comparison
    timing: Timing

    def tables(self) -> list[Table]:
        """Those of the comparison, the first with the times beside the counts."""
        first, *others = self.comparison.tables()
        return [self.timing.beside(first), *others]

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return self.comparison._warned()

    def _fields(self) -> dict[str, Any]:
        return {**self.comparison._fields(), "time": self.timing._fields()}

    def _summary(self) -> str:
        return f"{self.comparison._summary()}, timed on {self.timing.where}"


def time_nets(
    nets: Iterable[Net],
    *,
    device: str = "auto",
    batches: Sequence[int] | None = None,
    engines: Sequence[str] = ("eager",),
    seconds: float = SECONDS,
    per_layer: bool = False,
    timeout: float | None = None,
    progress: Progress = lambda *_: None,
    finished: Callable[[Timing], None] = lambda _: None,
    **settings: Any,
) -> Timing:
    """Times networks in turns on one device, at these batches or each at its own; `settings` are further ones of
    `Settings`, the same for all. Points of the same settings are timed together, and given to `finished` as soon as
    they are. One that gives no sign of life for `timeout` seconds, half an hour if none are said, is given up.

    Raises NoDevice, and BadSetting for settings that do not go together, more threads than cores that can be used, a
    batch for a network that says its own, and a timeout that is none.
    """
    nets, where = tuple(nets), find_device(device)
    threads, usable = settings.get("threads"), cores()
    if threads is not None and threads > usable:
        raise BadSetting(f"--threads {threads}: {usable} cores can be used here, and threads that wait measure nothing")
    if timeout is not None and not 0 < timeout <= LONGEST:
        raise BadSetting(f"--timeout {timeout:g}: give seconds, {LONGEST:,} at most")
    sizes: list[int | None] = [None] if batches is None else [*dict.fromkeys(batches)]
    points = [
        Point(at.label, at.graph(), Settings(where.name, at.knobs["batch"], engine=engine, **settings))
        for batch, engine, net in product(sizes, engines, nets)
        for at in [_at(net, batch)]
    ]
    around, groups = environment(where), _apart(points)
    for i, group in enumerate(groups):
        share = partial(_share_of_all, progress, i, len(groups))
        measure(group, seconds=seconds, per_layer=per_layer, timeout=timeout or SILENCE, progress=share)
        finished(Timing(where, around, tuple(group)))
    return Timing(where, around, tuple(points), nets)


def _at(net: Net, batch: int | None) -> Net:
    """A network at another batch if one is said, under its name. Raises BadSetting if the target says one itself."""
    if batch is None:
        return net
    if "batch" in net.settings:
        raise BadSetting(f"{net.label} says itself that its batch is {net.settings['batch']}; leave out --batch")
    return net.at({**net.settings, "batch": batch}, net.label)


def _share_of_all(progress: Progress, done: int, groups: int, share: float, what: str) -> None:
    progress((done + share) / groups, what)


def _apart(points: list[Point]) -> list[list[Point]]:
    """Points that are measured in turns: those of the same settings."""
    groups: dict[Settings, list[Point]] = {}
    for point in points:
        groups.setdefault(point.settings, []).append(point)
    return list(groups.values())


def _point_dict(point: Point) -> dict[str, Any]:
    found: dict[str, Any] = {
        "target": point.target,
        "settings": {**point.settings.to_dict(), "threads": point.threads or point.settings.threads},
        "status": point.status,
        "message": point.message,
        "params": point.params,
        "macs": point.macs,
        "backward_macs": point.backward_macs,
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
    found["layers"] = [layer_record(layer, point) for layer in point.layers]
    if point.layers:
        found |= {"layers_whole_seconds": point.whole, "layers_other_cores": point.layer_others}
    return found | {"ceilings": asdict(point.ceilings) if point.ceilings else None}
