"""Times several networks in turns: A B A B …, each in a worker process, until each has enough runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.training.backward import backward_macs_by_layer
from costcalc.analysis.walk import Row
from costcalc.graph import Graph
from costcalc.table import bytes_text
from costcalc.torch_backend.ceilings import Ceilings
from costcalc.torch_backend.device_memory import free_bytes, predicted_bytes
from costcalc.torch_backend.examples import Examples
from costcalc.torch_backend.layerwise import LayerTime
from costcalc.torch_backend.machine import BackgroundLoad
from costcalc.torch_backend.own_module import OwnModule
from costcalc.torch_backend.predicted_step import step_bytes
from costcalc.torch_backend.runner import INFERENCE, ONE_BATCH, TRAINING
from costcalc.torch_backend.settings import Settings
from costcalc.torch_backend.statistics import MAX_OTHER_CORES, MIN_RUNS, Summary, TimeRatio, paired_ratio, summarize
from costcalc.torch_backend.worker import TIMEOUT_S, WorkerDied, WorkerProcess, is_defined_in_notebook

DEFAULT_SECONDS, QUICK_SECONDS = 3.0, 0.5  # that each network is timed
TURN_SECONDS = 0.1  # that one network runs, at most, before the next one runs
LOAD_SECONDS = 0.3  # that the load is measured before anything runs


@dataclass
class Measurement:
    """One network with its settings, and the results of timing it."""

    target: str
    graph: Graph
    settings: Settings
    status: str = "ok"  # or refused, oom, killed(9), timed out, failed
    message: str = ""
    rows: tuple[Row, ...] = ()
    macs: int = 0
    backward_macs: int | None = None  # of a training step
    params: int = 0
    activations: int = 0
    weight_bytes: int = 0
    inference_peak: int = 0  # bytes, predicted
    step_bytes: tuple[int, int] | None = None  # of a training step, and without what is held between steps: predicted
    measured_peak: int | None = None
    threads: int | None = None
    settled: bool = True
    warm_up_runs: int = 0
    times: list[list[float]] = field(default_factory=list)  # seconds of each part of each run
    turn_medians: list[float] = field(default_factory=list)  # the median run of each turn
    other_cores: float = 0.0  # that other processes used
    started_at: float = 0.0  # seconds since 1970
    layers: list[LayerTime] = field(default_factory=list)
    layers_other_cores: float = 0.0  # the same, while its layers were timed
    whole_seconds: float = 0.0  # of a step without its optimizer, timed beside its layers
    ceilings: Ceilings | None = None
    run: int | None = None  # the number under which a store keeps it
    examples: Examples = ONE_BATCH
    own: OwnModule | None = None  # a reader's own module, which is timed in place of one that is built

    def __post_init__(self) -> None:
        counted = cost(self.graph)
        self.rows, totals = counted.layers, counted.totals
        self.macs, self.params, self.activations = (totals[name] for name in ("macs", "params", "activations"))
        self.backward_macs = sum(backward_macs_by_layer(self.graph).values()) if self.settings.train else None
        self.weight_bytes, self.inference_peak = predicted_bytes(self.graph, self.settings)
        self.step_bytes = step_bytes(self.graph, self.settings) if self.settings.train else None

    @property
    def predicted_peak(self) -> int | None:
        """Bytes besides the weights and what an optimizer keeps; None for a training step of which that is not
        known."""
        if self.settings.train:
            return self.step_bytes[1] if self.step_bytes else None
        return self.inference_peak

    @property
    def needed_bytes(self) -> int:
        """Bytes that it needs at least."""
        return max(self.weight_bytes + self.inference_peak, self.step_bytes[0] if self.step_bytes else 0)

    @property
    def layers_seconds(self) -> float:
        """The sum of its layers' seconds, each timed alone."""
        return sum(layer.forward + layer.backward for layer in self.layers)

    @property
    def step_macs(self) -> int:
        """Multiplies of a step: in training those of the backward pass too."""
        return self.macs + (self.backward_macs or 0)

    @property
    def ok(self) -> bool:
        """Is the network measured, or still to be?"""
        return self.status == "ok"

    @property
    def under_load(self) -> bool:
        """Did other processes use cores meanwhile? That may reverse which network is faster."""
        return self.other_cores > MAX_OTHER_CORES

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of a run."""
        return TRAINING if self.settings.train else INFERENCE

    def total(self) -> Summary:
        """Summarizes the seconds of whole runs."""
        found = summarize([sum(run) for run in self.times], self.other_cores)
        if self.settled:
            return found
        return Summary(**{**vars(found), "noisy": (*found.noisy, "times did not stabilise in the warm-up")})

    def part(self, index: int) -> Summary:
        """Summarizes one part of the runs: the forward pass, the backward pass or the optimizer."""
        return summarize([run[index] for run in self.times], self.other_cores)


def time_ratio(a: Measurement, b: Measurement) -> TimeRatio:
    """How many times as long a takes as b, turn by turn."""
    turns = min(len(a.turn_medians), len(b.turn_medians))
    return paired_ratio(a.turn_medians[:turns], b.turn_medians[:turns])


def measure(
    measurements: list[Measurement],
    *,
    seconds: float = DEFAULT_SECONDS,
    per_layer: bool = False,
    memory: int | None = None,
    timeout: float = TIMEOUT_S,
    progress: Progress = no_progress,
) -> None:
    """Fills in the measurements. Their status tells which networks were refused, died or hung.

    Each network runs for at least `seconds`, and ten times. Its worker has at most `memory` bytes beyond
    its imports, and is killed when it sends no heartbeat for `timeout` seconds; it sends one after each run.
    """
    load = BackgroundLoad([])
    time.sleep(LOAD_SECONDS)
    before = load.cores()
    for measurement in measurements:
        measurement.started_at = time.time()
    _refuse(measurements)
    trains = any(m.settings.train for m in measurements)
    with ExitStack() as stack:
        pairs = [
            (m, stack.enter_context(closing(
                WorkerProcess(m.graph, m.settings, memory, timeout, m.examples, m.own, trains))))
            for m in measurements if m.ok
        ]  # fmt: skip
        for i, (measurement, worker) in enumerate(pairs):
            progress(0.2 * i / len(pairs), f"building {measurement.target}")
            with _records_death(measurement):
                worker.answer()
        load = BackgroundLoad([worker.pid for measurement, worker in pairs if measurement.ok])
        _in_turns([pair for pair in pairs if pair[0].ok], seconds, progress)
        other_cores = max(before, load.cores())
        for measurement, worker in pairs:
            measurement.other_cores = other_cores
            try:
                _measure_details(measurement, worker, seconds if per_layer else 0.0, progress)
            except WorkerDied as died:  # what was measured until then stays
                measurement.message = f"layers and memory were not measured, {died.status}: {died}"


def _refuse(measurements: list[Measurement]) -> None:
    """Marks networks that no worker can import, and those that do not fit beside the ones before them.

    Decides by our own counts, before anything is built.
    """
    held = 0  # bytes
    for measurement in measurements:
        needed = measurement.needed_bytes
        device, message = measurement.settings.device, ""
        if measurement.own is not None:
            message = measurement.own.source.not_sendable()
        elif is_defined_in_notebook(measurement.graph):
            message = "has an op that is defined in a notebook; write its class and its builder into a file to import"
        if not message and needed > (free := free_bytes(torch.device(device)) - held):
            message = f"needs {bytes_text(needed)} at least, {device} has {bytes_text(free)} free"
        if message:
            measurement.status, measurement.message = "refused", message
        else:
            held += needed


@contextmanager
def _records_death(measurement: Measurement) -> Iterator[None]:
    """Marks the measurement if its worker dies."""
    try:
        yield
    except WorkerDied as died:
        measurement.status, measurement.message = died.status, str(died)


def _in_turns(pairs: list[tuple[Measurement, WorkerProcess]], seconds: float, progress: Progress) -> None:
    """Warms every network up, then runs them in turns until each has its runs and its time."""
    for measurement, worker in pairs:
        with _records_death(measurement):
            progress(0.2, f"warming up {measurement.target}")
            measurement.settled, measurement.warm_up_runs = worker.ask("warm_up")
            measurement.threads = worker.ask("threads")
    while unfinished := [one for one, _ in pairs if one.ok and not _enough(one, seconds)]:
        for measurement, worker in [pair for pair in pairs if pair[0].ok]:  # the finished too: ratios need equal turns
            with _records_death(measurement):
                turn = worker.ask("run", min(TURN_SECONDS, seconds / MIN_RUNS))
                measurement.times += turn
                measurement.turn_medians.append(median(sum(run) for run in turn))
        done = min(map(_spent_seconds, unfinished)) / seconds
        progress(0.2 + 0.7 * min(1.0, done), f"timing {len(pairs)} in turns")


def _spent_seconds(measurement: Measurement) -> float:
    return sum(map(sum, measurement.times))


def _enough(measurement: Measurement, seconds: float) -> bool:
    """Has it at least MIN_RUNS runs (a turn has one or more) and so many seconds?"""
    return len(measurement.turn_medians) >= MIN_RUNS and _spent_seconds(measurement) >= seconds


def _measure_details(measurement: Measurement, worker: WorkerProcess, layer_seconds: float, progress: Progress) -> None:
    """Measures memory, and on request the layers and the ceilings of the device."""
    if not measurement.ok:
        return
    progress(0.95, f"memory of {measurement.target}")
    measurement.measured_peak = worker.ask("memory")
    if layer_seconds:
        progress(0.97, f"layers of {measurement.target}")
        load = BackgroundLoad([worker.pid])
        measurement.layers, measurement.whole_seconds = worker.ask("layers", layer_seconds)
        measurement.layers_other_cores = load.cores()
        measurement.ceilings = worker.ask("ceilings")
