"""Runs a pipeline on one thread, measures each step, and says how many workers keep a training step busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.utils.data import default_collate

from costcalc.analysis.batch import batch_of
from costcalc.analysis.feeding import check_rate, check_workers, require_numbers
from costcalc.errors import CostcalcError, Problem, TooLarge, UsageError
from costcalc.models.model import Model
from costcalc.net import Target, load
from costcalc.pipeline.augmentation import NOT_COUNTED, Augmentation, augmentation_of
from costcalc.pipeline.pipeline_library import any_pipeline
from costcalc.result import Result
from costcalc.table import Column, Table, bytes_text
from costcalc.torch_backend.device_memory import free_bytes
from costcalc.torch_backend.feeding_verdict import Demand, Supply, feeding_fields, feeding_table
from costcalc.torch_backend.machine import BackgroundLoad, find_device
from costcalc.torch_backend.measure import DEFAULT_SECONDS
from costcalc.torch_backend.statistics import MIN_RUNS, Summary, summarize
from costcalc.torch_backend.timing import time_nets
from costcalc.torch_backend.transforms import Transform, random_image, torchvision_version, transforms_of
from costcalc.torch_backend.worker import run_for, warm_up

RUN_SECONDS = 0.05  # of one run, which is as many batches as take so long
MAX_BATCH = 16  # images; the time of one hardly depends on how many make a batch
IMAGES_IN_MEMORY = 32  # so many that none is still in a cache from the run before, as in training
TEMPORARIES = 4  # of a step, in float32
COLUMNS = (
    Column("step", "step", "text"),
    Column("out", "out", "text", 2),
    Column("dtype", "dtype", "text", 3),
    Column("elementwise", "elementwise"),
    Column("bytes_out", "bytes out", "int", 1),
    Column("ms", "ms", "brief"),
    Column("low", "95 % from", "brief", 1),
    Column("high", "to", "brief", 1),
    Column("iqr", "IQR", "share", 2),
    Column("per_second", "images/s", "brief"),
)
EXPLAINED = "ms: of one image, the median of runs; 95 %: the interval that holds it; total: of whole runs, not added up"
BATCH = "batch"  # the last row
WHAT_A_BATCH_IS = "batch: copying images into one tensor of shared memory, as a worker of torch's DataLoader does"


class NotMeasured(CostcalcError):
    """A training step that could not be measured."""

    exit_code = 3


@dataclass(frozen=True, eq=False, repr=False)
class TimedPipeline(Result):
    """A pipeline that ran on one thread of a CPU: seconds of an image by step, the last of which makes the batch, and
    of the whole."""

    augmentation: Augmentation
    steps: tuple[Summary, ...]
    whole: Summary
    where: str
    images_of_a_run: int
    demand: Demand | None = None
    workers: int | None = None

    @property
    def images_per_second(self) -> float:
        """Images of one core, 1/Σt: those that enter the pipeline."""
        return 1 / self.whole.median

    @property
    def supply(self) -> Supply:
        """What one core makes."""
        return Supply(self.whole.median, self.whole.low, self.whole.high, int(self.augmentation.images))

    def tables(self) -> list[Table]:
        """The steps, and the workers that a network needs."""
        return [self.table(), *([feeding_table(self.supply, self.demand, self.workers)] if self.demand else [])]

    def table(self) -> Table:
        """A row for each step, and the whole."""
        counted, made = self.augmentation.table(), self.augmentation.image
        batch = {"step": BATCH, "out": made.text, "dtype": made.dtype, "bytes_out": made.bytes}
        rows = [{**row, **_times(summary)} for row, summary in zip([*counted.rows, batch], self.steps, strict=True)]
        totals = {**(counted.totals or {}), **_times(self.whole), "per_second": self.images_per_second}
        totals["bytes_out"] += made.bytes
        notes = [f"on one thread of {self.where}, torchvision {torchvision_version}", EXPLAINED]
        notes += [WHAT_A_BATCH_IS, NOT_COUNTED]
        if self.augmentation.images != 1:
            notes.append(f"images/s: of images that enter; {self.augmentation.images} network inputs leave for each")
        if self.whole.noisy:
            notes.append(f"noisy: {'; '.join(self.whole.noisy)}")
        return Table(self.augmentation.pipeline.heading, COLUMNS, rows, totals, notes)

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return list(self.demand.warned) if self.demand else []

    def _fields(self) -> dict[str, Any]:
        names = [*(row.name for row in self.augmentation.rows), BATCH]
        times = {"whole": asdict(self.whole), "steps": dict(zip(names, map(asdict, self.steps), strict=True))}
        about = {"device": self.where, "threads": 1, "images_of_a_run": self.images_of_a_run}
        measured = {**about, "seconds": times, "images_per_second": self.images_per_second}
        feed = feeding_fields(self.supply, self.demand, self.workers) if self.demand else None
        return {**self.augmentation._fields(), "time": measured, "feeding": feed}

    def _summary(self) -> str:
        return f"{self.augmentation.pipeline.label}: {self.images_per_second:,.0f} images/s of one core"


def time_pipeline(
    pipeline: Any, *, image: Any = None, step: Target | None = None, rate: float | None = None,
    workers: int | None = None, device: str = "auto", seconds: float = DEFAULT_SECONDS, **knobs: Any,
) -> TimedPipeline:  # fmt: skip
    """Runs a pipeline on one thread: `time_pipeline("alexnet").images_per_second`.

    With `step` it says how many workers keep a training step of that network busy, or whether `workers` do. A step
    consumes `rate` network inputs/s; else it is measured on `device`. Raises UsageError, MissingExtra, NotMeasured.
    """
    found = augmentation_of(any_pipeline(pipeline, image, **knobs))
    model = None if step is None else load(step)
    return time_augmentation(found, model, rate=rate, workers=workers, device=device, seconds=seconds)


def time_augmentation(
    augmentation: Augmentation, model: Model | None, *, rate: float | None, workers: int | None, device: str,
    seconds: float,
) -> TimedPipeline:  # fmt: skip
    """`time_pipeline` of a pipeline that is counted already."""
    require_numbers(augmentation)
    if model is None and (rate is not None or workers is not None):
        raise UsageError("rate and workers are about a training step; give step too")
    if workers is not None:
        check_workers(workers)
    demand = None if model is None else _demand(augmentation, model, rate, device, seconds)
    batch = MAX_BATCH if model is None else min(MAX_BATCH, batch_of(model))
    steps, whole, images = _run(augmentation, batch, seconds)
    return TimedPipeline(augmentation, steps, whole, find_device("cpu").model, images, demand, workers)


def _demand(augmentation: Augmentation, model: Model, rate: float | None, device: str, seconds: float) -> Demand:
    """The demand of a training step: `rate`, else as measured on this device. Raises NotMeasured."""
    if rate is not None:
        return Demand.of(augmentation, model, check_rate(rate), "given")
    timing = time_nets([model], device=device, seconds=seconds, train=True)
    (found,) = timing.measurements
    if not found.ok:
        raise NotMeasured(f"a training step of {model.label} was not measured, {found.status}: {found.message}")
    total, name = found.total(), timing.device.name
    how = f"measured on {timing.where}, batch {found.settings.batch}" + (", noisy" if total.noisy else "")
    return Demand.of(augmentation, model, found.settings.batch / total.median, how, same_cpu=name == "cpu")


def _run(augmentation: Augmentation, batch: int, seconds: float) -> tuple[tuple[Summary, ...], Summary, int]:
    """The seconds of an image by step, the batch as the last, and as a whole; and how many images one run has."""
    transforms = transforms_of(augmentation)
    _refuse_too_large(augmentation, batch)
    images = [random_image(augmentation.rows[0].before, seed) for seed in range(IMAGES_IN_MEMORY)]
    with one_thread():
        once = sum(_runner(transforms, images, batch, batch)())
        count = batch * max(1, round(RUN_SECONDS / once))
        run = _runner(transforms, images, batch, count)
        warm_up(run)
        load = BackgroundLoad([])
        times = run_for(run, seconds)
        while len(times) < MIN_RUNS:
            times.append(run())
        other = load.cores()
    by_step = [[run[i] / count for run in times] for i in range(len(transforms) + 1)]
    whole = [sum(run) / count for run in times]
    return tuple(summarize(one, other) for one in by_step), summarize(whole, other), count


def _refuse_too_large(augmentation: Augmentation, batch: int) -> None:
    """Raises TooLarge, before an image is made, if the memory cannot hold them."""
    largest = max(int(row.after.elements) for row in augmentation.rows)
    needed = IMAGES_IN_MEMORY * int(augmentation.rows[0].before.bytes) + TEMPORARIES * 4 * largest
    needed += 3 * batch * int(augmentation.image.bytes)  # as they are, together, and in shared memory
    free = free_bytes(torch.device("cpu"))
    if needed > free:
        raise TooLarge(f"running it needs {bytes_text(needed)} at least, this machine has {bytes_text(free)} free")


def _runner(
    transforms: list[Transform], images: list[torch.Tensor], batch: int, count: int
) -> Callable[[], list[float]]:
    """A function that makes batches of `count` images in all, and returns the seconds of each step."""
    at = 0

    def run() -> list[float]:
        nonlocal at
        sums = [0.0] * (len(transforms) + 1)
        for _ in range(count // batch):
            chosen = [images[(at + i) % len(images)] for i in range(batch)]
            at += batch
            start = time.perf_counter()
            steps = _batch(transforms, chosen)  # its memory is given back as it returns
            rest = time.perf_counter() - start - sum(steps)
            sums = [a + b for a, b in zip(sums, [*steps, rest])]
        return sums

    return run


def _batch(transforms: list[Transform], images: list[torch.Tensor]) -> list[float]:
    """Makes a batch as a worker of torch's DataLoader does, and returns the seconds of each step.

    It keeps the images until the batch is made, as a worker does: new memory takes longer than memory that was just
    freed.
    """
    sums, made = [0.0] * len(transforms), []
    for image in images:
        marks = [time.perf_counter()]
        for transform in transforms:
            image = transform(image)
            marks.append(time.perf_counter())
        sums = [total + b - a for total, (a, b) in zip(sums, pairwise(marks))]
        made.append(image)
    together = default_collate(made)
    for tensor in together if isinstance(together, (list, tuple)) else (together,):
        tensor.share_memory_()
    return sums


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs torch on one thread with fixed random numbers, and restores both afterwards."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _times(summary: Summary) -> dict[str, Any]:
    return {
        "ms": 1000 * summary.median, "low": 1000 * summary.low, "high": 1000 * summary.high,
        "iqr": summary.iqr / summary.median if summary.median else 0.0,
        "per_second": 1 / summary.median if summary.median else None,
    }  # fmt: skip
