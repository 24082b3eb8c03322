"""Times several networks in turns: A B A B …, each in a child process, until each has enough runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

import torch

from costcalc.analysis.cost import cost
from costcalc.analysis.training import backward_macs
from costcalc.analysis.walk import Row
from costcalc.graph import Graph
from costcalc.table import bytes_text
from costcalc.torch_backend.ceilings import Ceilings
from costcalc.torch_backend.layerwise import LayerTime
from costcalc.torch_backend.machine import OtherLoad
from costcalc.torch_backend.memory import available, predicted
from costcalc.torch_backend.samples import BUSY, MIN_RUNS, Ratio, Summary, ratio, summary
from costcalc.torch_backend.settings import Settings
from costcalc.torch_backend.step import INFERENCE, TRAINING
from costcalc.torch_backend.worker import SILENCE, Child, Lost, is_only_here

SECONDS, QUICK = 3.0, 0.5
BLOCK = 0.1  # seconds that one network runs, at most, before it is the next one's turn
BEFORE = 0.3  # seconds for which the load is read before anything runs

Progress = Callable[[float, str], None]  # share done, and what is being done


@dataclass
class Point:
    """One network under one group of settings, and what was measured of it."""

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
    predicted_peak: int = 0
    measured_peak: int | None = None
    threads: int | None = None
    steady: bool = True
    warm_up_runs: int = 0
    times: list[list[float]] = field(default_factory=list)  # seconds of each part of each run
    blocks: list[float] = field(default_factory=list)  # the median run of each turn
    others: float = 0.0  # cores that other processes used
    started_at: float = 0.0  # seconds since 1970
    layers: list[LayerTime] = field(default_factory=list)
    layer_others: float = 0.0  # cores that other processes used meanwhile
    whole: float = 0.0  # seconds of a step without its optimizer, timed beside its layers
    ceilings: Ceilings | None = None
    run: int | None = None  # the number under which a store keeps it

    def __post_init__(self) -> None:
        counted = cost(self.graph)
        self.rows, totals = counted.layers, counted.totals
        self.macs, self.params, self.activations = (totals[name] for name in ("macs", "params", "activations"))
        self.backward_macs = sum(backward_macs(self.graph).values()) if self.settings.train else None
        self.weight_bytes, self.predicted_peak = predicted(self.graph, self.settings)

    @property
    def foretold_peak(self) -> int | None:
        """The predicted peak; None for a training step, which keeps more than the prediction is of."""
        return None if self.settings.train else self.predicted_peak

    @property
    def apart(self) -> float:
        """Seconds of its layers one by one."""
        return sum(layer.forward + layer.backward for layer in self.layers)

    @property
    def step_macs(self) -> int:
        """Multiplies of a step: in training those of the backward pass too."""
        return self.macs + (self.backward_macs or 0)

    @property
    def ok(self) -> bool:
        """Was it measured?"""
        return self.status == "ok"

    @property
    def under_load(self) -> bool:
        """Did other processes run meanwhile? Threads that wait for each other may then turn the order round."""
        return self.others > BUSY

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of a run."""
        return TRAINING if self.settings.train else INFERENCE

    def total(self) -> Summary:
        """Of whole runs."""
        found = summary([sum(run) for run in self.times], self.others)
        if self.steady:
            return found
        return Summary(**{**vars(found), "noisy": (*found.noisy, "it did not settle")})

    def part(self, index: int) -> Summary:
        """Of the forward pass, the backward pass or the optimizer."""
        return summary([run[index] for run in self.times], self.others)


def time_ratio(a: Point, b: Point) -> Ratio:
    """How many times as long a takes as b, turn by turn."""
    turns = min(len(a.blocks), len(b.blocks))
    return ratio(a.blocks[:turns], b.blocks[:turns])


def measure(
    points: list[Point],
    *,
    seconds: float = SECONDS,
    per_layer: bool = False,
    memory: int | None = None,
    timeout: float = SILENCE,
    progress: Progress = lambda *_: None,
) -> None:
    """Fills in the points. One that cannot fit is refused, one that dies or hangs is marked; the others go on.

    Each is run for so many seconds, ten times at least; in a child process that may have so many bytes of `memory`, and
    is ended when it gives no sign of life for `timeout` seconds: it gives one after each run.
    """
    load = OtherLoad([])
    time.sleep(BEFORE)
    before = load.cores()
    held = 0
    for point in points:
        point.started_at = time.time()
        _refuse_what_cannot_be_sent(point)
        _refuse_if_too_large(point, held)
        held += _needed(point) if point.ok else 0
    with ExitStack() as stack:
        pairs = []
        for point in (point for point in points if point.ok):
            pairs.append((point, Child(point.graph, point.settings, memory, timeout)))
            stack.callback(pairs[-1][1].close)
        for i, (point, child) in enumerate(pairs):
            progress(0.2 * i / len(pairs), f"building {point.target}")
            with _noted(point):
                child.answer()
        load = OtherLoad([child.pid for point, child in pairs if point.ok])
        _in_turns([pair for pair in pairs if pair[0].ok], seconds, progress)
        others = max(before, load.cores())
        for point, child in pairs:
            point.others = others
            try:
                _look_closer(point, child, seconds if per_layer else 0.0, progress)
            except Lost as lost:  # what was measured until then stays
                point.message = f"was not looked at more closely, {lost.status}: {lost}"


def _needed(point: Point) -> int:
    return point.weight_bytes + point.predicted_peak


def _refuse_what_cannot_be_sent(point: Point) -> None:
    if is_only_here(point.graph):
        point.status = "refused"
        point.message = "has an op that is defined in a notebook; write its class and its builder into a file to import"


def _refuse_if_too_large(point: Point, held: int) -> None:
    """From our own counts, before anything is built; `held` bytes are for those that it is timed in turns with."""
    needed, free = _needed(point), available(torch.device(point.settings.device)) - held
    if point.ok and needed > free:
        point.status = "refused"
        point.message = f"needs {bytes_text(needed)} at least, {point.settings.device} has {bytes_text(free)} free"


@contextmanager
def _noted(point: Point) -> Iterator[None]:
    """A child that is lost marks its point. Nothing is done for a point that is lost already."""
    try:
        yield
    except Lost as lost:
        point.status, point.message = lost.status, str(lost)


def _in_turns(pairs: list[tuple[Point, Child]], seconds: float, progress: Progress) -> None:
    """Warms every network up, then runs them in turns until each has its runs and its time."""
    for point, child in pairs:
        with _noted(point):
            progress(0.2, f"warming up {point.target}")
            point.steady, point.warm_up_runs = child.ask("warm_up")
            point.threads = child.ask("threads")
    while open_ := [(point, child) for point, child in pairs if point.ok and not _enough(point, seconds)]:
        for point, child in [pair for pair in pairs if pair[0].ok]:  # all of them, so that there are pairs
            with _noted(point):
                block = child.ask("run", min(BLOCK, seconds / MIN_RUNS))
                point.times += block
                point.blocks.append(median(sum(run) for run in block))
        done = min(_spent(point) / seconds for point, _ in open_)
        progress(0.2 + 0.7 * min(1.0, done), f"timing {len(pairs)} in turns")


def _spent(point: Point) -> float:
    return sum(map(sum, point.times))


def _enough(point: Point, seconds: float) -> bool:
    return len(point.times) >= MIN_RUNS and len(point.blocks) >= MIN_RUNS and _spent(point) >= seconds


def _look_closer(point: Point, child: Child, layer_seconds: float, progress: Progress) -> None:
    """Memory, and if wanted the layers and what the device can do at best."""
    if not point.ok:
        return
    progress(0.95, f"memory of {point.target}")
    point.measured_peak = child.ask("memory")
    if layer_seconds:
        progress(0.97, f"layers of {point.target}")
        load = OtherLoad([child.pid])
        point.layers, point.whole = child.ask("layers", layer_seconds)
        point.layer_others = load.cores()
        point.ceilings = child.ask("ceilings")
