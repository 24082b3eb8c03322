"""Saves measurements: a row of the store for each network that was timed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from costcalc.errors import StoreError
from costcalc.store import Record, Store, graph_hash, seconds_lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from costcalc.models.model import Model
    from costcalc.net import Net
    from costcalc.torch_backend.measure import Measurement
    from costcalc.torch_backend.timing import Timing


class RunSaver:
    """Adds each measurement to a store. Raises StoreError at once for a store that cannot be written; a later error is
    raised by `raise_any`, after the times are printed."""

    def __init__(self, path: str | None):
        self.store = Store(path)
        self.store.ready()  # raises now, before anything is measured
        self.error: StoreError | None = None
        self.kept: list[Record] = []

    def save(self, timing: Timing) -> None:
        """Adds every measurement of a timing that succeeded, and numbers it as the store does."""
        for measurement in timing.measured if self.error is None else ():
            try:
                self.kept.append(self.store.add(record_of(measurement, timing)))
                measurement.run = self.kept[-1].id
            except StoreError as error:
                self.error = error
                return

    def raise_any(self) -> None:
        """Raises the error of the store, if there was one."""
        if self.error is not None:
            raise self.error


def time_and_save(models: list[Net], path: str | None, **how: Any) -> tuple[Timing, RunSaver]:
    """Times networks with a progress bar on stderr, and saves each measurement in the store at `path`. Call `raise_any`
    once the times are printed."""
    from costcalc.report.progress_bar import progress_bar
    from costcalc.torch_backend.timing import time_nets

    saver = RunSaver(path)
    with progress_bar() as show:
        found = time_nets(models, progress=show, finished=saver.save, **how)
    return found, saver


def seconds_here(path: str | None) -> Callable[[Model], float | None]:
    """A lookup of measured seconds in the store at `path`, on the device that `costcalc time` would use."""
    from costcalc.torch_backend.machine import find_device, threads

    return seconds_lookup(Store(path).rows(), find_device("auto").fingerprint, threads())


def record_of(measurement: Measurement, timing: Timing) -> Record:
    """A measurement as a record of the store: times in seconds, memory in bytes."""
    return Record(
        target=measurement.target,
        graph_hash=graph_hash(measurement.graph, trained=measurement.settings.train),
        device=timing.device.fingerprint,
        settings={**measurement.settings.to_dict(), "threads": measurement.threads},
        environment={**timing.environment, "device": timing.device.model, "other_cores": measurement.other_cores},
        result=_result(measurement),
        started_at=datetime.fromtimestamp(measurement.started_at, UTC).isoformat(timespec="milliseconds"),
    )


def _result(measurement: Measurement) -> dict[str, Any]:
    total = asdict(measurement.total())
    names = {"median": "seconds", "iqr": "seconds_iqr", "low": "seconds_low", "high": "seconds_high", "runs": "samples"}
    parts = {f"{name}_seconds": measurement.part(i).median for i, name in enumerate(measurement.parts)}
    rows = list(measurement.rows)
    layers: dict[str, Any] = {}
    if measurement.layers and measurement.ceilings:
        layers["ceilings"] = asdict(measurement.ceilings)
        layers["layers"] = [asdict(layer) for layer in measurement.layers]
        layers["layers_whole_seconds"] = measurement.whole_seconds
        layers["layers_other_cores"] = measurement.layers_other_cores
    return {
        **{ours: total[theirs] for theirs, ours in names.items()},
        **parts,
        "noisy": list(total["noisy"]),
        "peak_bytes": measurement.measured_peak,
        "predicted_peak_bytes": measurement.predicted_peak,
        "weight_bytes": measurement.weight_bytes,
        "input_shape": list(rows[0].output_shape),
        "params": measurement.params,
        "macs": measurement.macs,
        "activations": measurement.activations,
        "mac_activations": sum(row.total("activations") for row in rows if row.macs),
        **layers,
    }
