"""Times transfer learning: each strategy takes real steps, in turns with the others, on a small data set of random
images. Features are computed once and kept on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.analysis.transfer.compare_strategies import check_room
from costcalc.analysis.transfer.in_seconds import Rates, read_disk_rate
from costcalc.analysis.transfer.plan import Plan
from costcalc.analysis.transfer.strategies import FEATURES, Strategy
from costcalc.analysis.transfer.transfer_result import Transfer
from costcalc.graph import digraph
from costcalc.table import bytes_text
from costcalc.text import plural
from costcalc.torch_backend.examples import Examples
from costcalc.torch_backend.kept_features import PROBE_BYTES, DiskRates, disk_rates
from costcalc.torch_backend.machine import Device, find_device
from costcalc.torch_backend.measure import DEFAULT_SECONDS, Measurement, measure
from costcalc.torch_backend.settings import DTYPES, BadSetting, Settings
from costcalc.torch_backend.stand_ins import stand_ins_of
from costcalc.torch_backend.worker import TIMEOUT_S, WorkerDied, WorkerProcess

MAX_BATCHES = 4  # of the data set
COMPUTING = "computing features"  # what is timed beside the strategies


def time_transfer(
    found: Transfer, *, device: str = "auto", seconds: float = DEFAULT_SECONDS, disk: str | PathLike[str] | None = None,
    disk_rate: Any = None, threads: int | None = None, timeout: float = TIMEOUT_S, progress: Progress = no_progress,
) -> Transfer:  # fmt: skip
    """The strategies with their measured times: `time_transfer(costcalc.transfer("resnet18", classes=10)).table()`.

    Features go to the folder `disk`, or a temporary one, and are removed again. `disk_rate`, bytes a second, replaces
    the rates that are measured there. Raises NoDevice; NoRoom for a disk that cannot hold the features of all images,
    before anything is measured; BadSetting for a dtype that torch does not train in.
    """
    plan, where = found.plan, find_device(device)
    given = None if disk_rate is None else float(read_disk_rate(disk_rate))
    training, computing = _settings(plan, where.name, threads)
    batches = max(1, min(MAX_BATCHES, plan.images // plan.batch))
    around = Path(fspath(disk)) if disk is not None else Path(tempfile.gettempdir())
    written = batches * plan.batch * plan.image_bytes + (0 if given else PROBE_BYTES)
    check_room(max(written, plan.disk_bytes), around)
    with tempfile.TemporaryDirectory(prefix="costcalc-", dir=around) as folder:
        rates = DiskRates(given, given) if given else disk_rates(Path(folder))
        paths = tuple(Path(folder) / f"features{i}" for i, _ in enumerate(plan.feature_shapes))
        examples = Examples(batches)
        failed = _write(plan, computing, examples, paths, timeout)
        measured: dict[str, Measurement] = {}
        for one in found.strategies:
            read = replace(examples, features=paths) if one.key == FEATURES else examples
            measured[one.key] = Measurement(one.title, digraph(one.model.layers()), training, examples=read)
        measured[COMPUTING] = Measurement(COMPUTING, digraph(plan.before.layers()), computing, examples=examples)
        for key in (FEATURES, COMPUTING) if failed else ():
            measured[key].status, measured[key].message = failed
        measure([one for one in measured.values() if one.ok], seconds=seconds, timeout=timeout, progress=progress)
    source = _source(where, plan, batches, measured.values(), rates if given is None else None)
    return replace(found, rates=_rates(plan, found.strategies, measured, rates, source))


def _settings(plan: Plan, device: str, threads: int | None) -> tuple[Settings, Settings]:
    """The settings of training and of computing features. Raises BadSetting if torch cannot train in the dtype."""
    dtype, step = str(plan.model.dtype), plan.model.step
    if dtype not in DTYPES:
        raise BadSetting(f"torch does not train in {dtype}; give --dtype {', '.join(DTYPES[:-1])} or {DTYPES[-1]}")
    computing = Settings(device, plan.batch, dtype=str(plan.features_dtype), threads=threads)
    training = replace(
        computing, dtype=dtype, train=True, optimizer=step.optimizer, freeze_statistics=step.freeze_statistics
    )
    return training, computing


def _write(plan: Plan, settings: Settings, examples: Examples, paths: Sequence[Path], timeout: float) -> Any:
    """Computes the features of the data set in a worker and writes them. Returns None, or how that failed."""
    before = digraph(plan.before.layers())
    worker = WorkerProcess(before, settings, timeout=timeout, examples=examples, others_train=True)
    with closing(worker):
        try:
            worker.answer()
            worker.ask("features", paths)
        except WorkerDied as died:
            return died.status, str(died)
    return None


def _rates(
    plan: Plan, strategies: Sequence[Strategy], measured: dict[str, Measurement], disk: DiskRates, source: str
) -> Rates:
    """What was measured of each strategy, of computing features and of the disk."""
    totals = {key: one.total() for key, one in measured.items() if one.ok}
    keys = [one.key for one in strategies if one.key in totals]
    lost = tuple(f"{one.target} was not timed, {one.status}: {one.message}" for one in measured.values() if not one.ok)
    return Rates(
        {key: totals[key].median for key in keys},
        totals[COMPUTING].median / plan.batch if COMPUTING in totals else None,
        disk.write, disk.read, source, {key: (totals[key].low, totals[key].high) for key in keys},
        tuple(measured[key].target for key in totals if totals[key].noisy), lost,
    )  # fmt: skip


def _source(where: Device, plan: Plan, batches: int, measured: Any, disk: DiskRates | None) -> str:
    """Where the times are from, in words."""
    threads = sorted({one.threads for one in measured if one.threads})
    device = ", ".join([where.name, where.model, *(plural(n, "thread") for n in threads)])
    rate = disk and f", the disk writes {bytes_text(int(disk.write))} and reads {bytes_text(int(disk.read))} a second"
    images = plural(batches * plan.batch, "random image")
    names = stand_ins_of(digraph(plan.model.layers()))
    built = f"; networks are built from their layers, and for {', '.join(names)} stand functions that move as much"
    return f"measured on {device}: real steps on {images}, in turns{rate or ''}{built if names else ''}"
