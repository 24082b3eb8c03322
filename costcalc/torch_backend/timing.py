"""Times networks and compares the times: a row for each network, which one is faster, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import torch

from costcalc.analysis.batch import batch_of
from costcalc.analysis.compare import Comparison
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.dtype import MIXED
from costcalc.errors import Problem
from costcalc.net import Net, Target, load
from costcalc.result import Result
from costcalc.table import Table
from costcalc.text import plural
from costcalc.torch_backend.machine import Device, environment, find_device
from costcalc.torch_backend.measure import DEFAULT_SECONDS, Measurement, measure
from costcalc.torch_backend.own_module import own_module_of
from costcalc.torch_backend.settings import BadSetting, Settings
from costcalc.torch_backend.timing_tables import layer_record, layer_table, times_table, verdict, with_times
from costcalc.torch_backend.worker import TIMEOUT_S
from costcalc.workers.process_count import cores

MAX_TIMEOUT_S = 1_000_000  # the system has no much longer timeouts
MEASURED_FIELDS = ("status", "message", "params", "macs", "backward_macs", "activations", "weight_bytes")


@dataclass(frozen=True, eq=False, repr=False)
class Timing(Result):
    """The measurements on one device, one for each network and group of settings."""

    device: Device
    environment: dict[str, Any]
    measurements: tuple[Measurement, ...]
    nets: tuple[Net, ...] = ()

    @property
    def measured(self) -> list[Measurement]:
        """Measurements that were neither refused nor lost."""
        return [measurement for measurement in self.measurements if measurement.ok]

    @property
    def noisy(self) -> list[Measurement]:
        """Measurements with noisy times."""
        return [measurement for measurement in self.measured if measurement.total().noisy]

    def tables(self) -> list[Table]:
        """The times, and a table of layers for each measurement that has them."""
        return [self.table(), *(layer_table(measurement) for measurement in self.measured if measurement.layers)]

    def table(self) -> Table:
        """A row for each measurement."""
        return times_table(f"on {self.where}, torch {torch.__version__}", self.measurements, self._trusted_verdicts())

    def beside(self, counts: Table) -> Table:
        """The table of a comparison, which has a row for each measurement, with columns of times."""
        return with_times(counts, self.measurements, self._trusted_verdicts(), f"timed on {self.where}")

    @property
    def where(self) -> str:
        """The device, and the number of threads of an operation."""
        threads = sorted({measurement.threads for measurement in self.measured if measurement.threads})
        return ", ".join([self.device.name, self.device.model, *(plural(n, "thread") for n in threads)])

    def verdicts(self) -> list[str]:
        """For each group of settings: whether the first network or another one is faster."""
        return [verdict(*pair) for pair in self._pairs()]

    def _trusted_verdicts(self) -> list[str]:
        """The verdicts on pairs that were not measured under load."""
        return [verdict(*pair) for pair in self._pairs() if not any(measurement.under_load for measurement in pair)]

    def _pairs(self) -> list[tuple[Measurement, Measurement]]:
        return [(first, other) for first, *others in _by_settings(self.measured) for other in others]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(net.label, net.warnings) for net in self.nets]

    def _fields(self) -> dict[str, Any]:
        """Seconds and bytes, every run."""
        about = {"device": self.device.name, "fingerprint": self.device.fingerprint, "environment": self.environment}
        return {
            **about,
            "points": [_measurement_dict(measurement) for measurement in self.measurements],
            "verdicts": self.verdicts(),
        }

    def _summary(self) -> str:
        return f"of {plural(len(self.measured), 'network')} on {self.where}"


@dataclass(frozen=True, eq=False, repr=False)
class TimedComparison(Result):
    """Networks side by side, with their times."""

    comparison: Comparison
    timing: Timing

    def tables(self) -> list[Table]:
        """The tables of the comparison; the first has the times beside the counts."""
        first, *others = self.comparison.tables()
        return [self.timing.beside(first), *others]

    def _warned(self) -> Sequence[tuple[str, Iterable[Problem]]]:
        return self.comparison._warned()

    def _fields(self) -> dict[str, Any]:
        return {**self.comparison._fields(), "time": self.timing._fields()}

    def _summary(self) -> str:
        return f"{self.comparison._summary()}, timed on {self.timing.where}"


def time_nets(
    targets: Iterable[Target],
    *,
    device: str = "auto",
    batches: Sequence[int] | None = None,
    engines: Sequence[str] = ("eager",),
    seconds: float = DEFAULT_SECONDS,
    per_layer: bool = False,
    timeout: float | None = None,
    progress: Progress = no_progress,
    finished: Callable[[Timing], None] = lambda _: None,
    **settings: Any,
) -> Timing:
    """Times networks in turns on one device, at these batches or each at its own. `settings` are fields of `Settings`.
    An imported network is timed as the module that it was imported from.

    Networks with the same settings are timed together, and `finished` is called with their Timing. A network that sends
    no heartbeat for `timeout` seconds, by default half an hour, is given up. Raises NoDevice; BadSetting for
    settings that exclude each other, more threads than usable cores, a batch for a target that sets its own, and a
    timeout out of range.
    """
    nets, where = tuple(map(load, targets)), find_device(device)
    threads, usable = settings.get("threads"), cores()
    if threads is not None and threads > usable:
        raise BadSetting(f"--threads {threads}: {usable} cores can be used here, and threads that wait measure nothing")
    if timeout is not None and not 0 < timeout <= MAX_TIMEOUT_S:
        raise BadSetting(f"--timeout {timeout:g}: give seconds, {MAX_TIMEOUT_S:,} at most")
    if per_layer and settings.get("dtype") == MIXED:
        raise BadSetting(
            "the layers of mixed precision have no one dtype to count their bytes in; leave out --per-layer"
        )
    sizes: list[int | None] = [None] if batches is None else [*dict.fromkeys(batches)]
    measurements = [
        Measurement(_label(at), at.graph(), _settings(at, where.name, engine, settings), own=own_module_of(at))
        for batch, engine, net in product(sizes, engines, nets)
        for at in [_at(net, batch)]
    ]
    around, groups = environment(where), _by_settings(measurements)
    for i, group in enumerate(groups):

        def share_of_all(share: float, what: str, done: int = i) -> None:
            progress((done + share) / len(groups), what)

        measure(group, seconds=seconds, per_layer=per_layer, timeout=timeout or TIMEOUT_S, progress=share_of_all)
        finished(Timing(where, around, tuple(group)))
    return Timing(where, around, tuple(measurements), nets)


def _label(net: Net) -> str:
    """The label, and the patterns of what is frozen besides."""
    return net.label + (f", frozen: {', '.join(net.step.freeze)}" if net.step.freeze else "")


def _settings(net: Net, device: str, engine: str, given: dict[str, Any]) -> Settings:
    """The settings of a network; those of its training step are its own. Raises ShapeError if nothing is left to
    train, BadSetting if a setting excludes another."""
    step: dict[str, Any] = {"optimizer": net.step.optimizer, "freeze_statistics": net.step.freeze_statistics}
    found = Settings(device, batch_of(net), engine=engine, **given, **(step if given.get("train") else {}))
    if found.train and net.step.checkpoint:
        reason = "the module that runs keeps what it needs and computes nothing again"
        raise BadSetting(f"a step with checkpoints is counted, and not timed: {reason}; leave out checkpoint")
    if found.train:
        net.cost().total("trainable_params")
    return found


def _at(net: Net, batch: int | None) -> Net:
    """The network at this batch, if there is one. Raises BadSetting if the target sets its batch itself."""
    if batch is None:
        return net
    if "batch" in net.settings:
        raise BadSetting(f"{net.label} says itself that its batch is {net.settings['batch']}; leave out --batch")
    if "batch" not in net.knobs:
        raise BadSetting(f"{net.label} has no knob 'batch'; leave out --batch")
    return net.at({"batch": batch})


def _by_settings(measurements: list[Measurement]) -> list[list[Measurement]]:
    """Groups of measurements with the same settings, which are timed in turns."""
    groups: dict[Settings, list[Measurement]] = {}
    for measurement in measurements:
        groups.setdefault(measurement.settings, []).append(measurement)
    return list(groups.values())


def _measurement_dict(measurement: Measurement) -> dict[str, Any]:
    found: dict[str, Any] = {
        "target": measurement.target,
        "settings": {**measurement.settings.to_dict(), "threads": measurement.threads or measurement.settings.threads},
        **{name: getattr(measurement, name) for name in MEASURED_FIELDS},
        "predicted_peak_bytes": measurement.predicted_peak,
        "measured_peak_bytes": measurement.measured_peak,
    }
    if not measurement.ok:
        return found
    parts = {name: asdict(measurement.part(i)) for i, name in enumerate(measurement.parts)}
    found |= {"seconds": asdict(measurement.total()), "parts": parts, "runs": [sum(run) for run in measurement.times]}
    found |= {"warm_up_runs": measurement.warm_up_runs, "other_cores": measurement.other_cores}
    found["layers"] = [layer_record(layer, measurement) for layer in measurement.layers]
    if measurement.layers:
        found |= {
            "layers_whole_seconds": measurement.whole_seconds,
            "layers_other_cores": measurement.layers_other_cores,
        }
    return found | {"ceilings": asdict(measurement.ceilings) if measurement.ceilings else None}
