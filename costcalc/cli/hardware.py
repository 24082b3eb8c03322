"""Commands that need torch: verify, time, devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import (
    A_TARGET,
    Format,
    Freeze,
    FreezeStatistics,
    Input,
    MaxBytes,
    MaxLayers,
    Optimizer,
    Output,
    Set,
    emit,
    load_models,
)
from costcalc.cli.plot_options import Roofline
from costcalc.cli.runs import StorePath
from costcalc.errors import UsageError, shorten
from costcalc.report import format_of
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP, TrainStep

SomeTargets = Annotated[list[str] | None, typer.Argument(metavar="TARGET", help=f"Each {A_TARGET}.")]


def verify(
    targets: SomeTargets = None,
    all_: Annotated[bool, typer.Option("--all", help="Every spec and preset of the library.")] = False,
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="Rows without a difference too; JSON and CSV have them always.")
    ] = False,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Tensors, shapes and multiplies, forward and backward: ours beside torch's. Exit 1 on any difference."""
    from costcalc.report.progress_bar import progress_bar
    from costcalc.torch_backend.verify import verify_nets

    models = load_models(_targets(targets, all_), set_, max_layers, max_bytes, inputs=input)
    with progress_bar() as show:
        found = verify_nets(models, show)
    every = all_rows or format_of(format, Path(output) if output else None) == "csv"
    emit(found, format, output, [found.table(every)])
    if not found.ok:
        raise typer.Exit(1)


def _targets(targets: list[str] | None, every: bool) -> list[str]:
    if every == bool(targets):
        raise UsageError("give one target or more, or --all for every spec and preset")
    return targets or every_name()


def every_name() -> list[str]:
    """Every spec and preset of the library."""
    from costcalc.spec.library import entries

    return [entry.name for entry in entries()]


def time(
    targets: Annotated[list[str], typer.Argument(metavar="TARGET", help=f"Each {A_TARGET}.")],
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="N,…", help="Examples at once, one or more; else each its own.")
    ] = None,
    device: Annotated[
        str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, …: see costcalc devices.")
    ] = "auto",
    dtype: Annotated[
        str, typer.Option("--dtype", metavar="TYPE", help="float32, float16, bfloat16; with --train mixed.")
    ] = "float32",
    train: Annotated[bool, typer.Option("--train", help="A training step: forward, backward, optimizer.")] = False,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    compile_: Annotated[bool, typer.Option("--compile", help="Under torch.compile too, as rows of its own.")] = False,
    cuda_graph: Annotated[bool, typer.Option("--cuda-graph", help="As a CUDA graph too, as rows of its own.")] = False,
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Channels last in memory.")] = False,
    tf32: Annotated[bool, typer.Option("--tf32", help="Allow TF32 in float32 products on a GPU.")] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, help="Threads of one operation.")
    ] = None,
    per_layer: Annotated[bool, typer.Option("--per-layer", help="Each layer, beside what the device can do.")] = False,
    roofline: Roofline = None,
    quick: Annotated[bool, typer.Option("--quick", help="Half a second each in place of three.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="SECONDS", help="Give up a process without a heartbeat for so long (1800)."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a measurement is noisy.")] = False,
    store: StorePath = None,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Times networks in turns on real hardware: steady state, medians with their interval, and who is faster."""
    if roofline and (len(targets) != 1 or "," in (batch or "") or compile_ or cuda_graph or train):
        raise UsageError("--roofline draws one network at one batch, eager, at inference; leave the others out")
    from costcalc.cli.save_runs import time_and_save
    from costcalc.torch_backend.measure import DEFAULT_SECONDS, QUICK_SECONDS

    step = TrainStep(optimizer, tuple(freeze or ()), freeze_statistics)
    if not train and step != DEFAULT_STEP:
        raise UsageError("--optimizer, --freeze and --freeze-statistics are about a training step; add --train")
    per_layer = per_layer or roofline is not None
    batches = None if batch is None else _batch_sizes(batch)
    engines = ["eager", *["compile"] * compile_, *["cuda_graph"] * cuda_graph]
    models = load_models(targets, set_, max_layers, max_bytes, step=step, inputs=input)
    found, saver = time_and_save(
        models, store, device=device, batches=batches, engines=engines,
        seconds=QUICK_SECONDS if quick else DEFAULT_SECONDS, per_layer=per_layer, timeout=timeout,
        dtype=dtype, train=train, channels_last=channels_last, tf32=tf32, threads=threads,
    )  # fmt: skip
    emit(found, format, output)
    saver.raise_any()
    if not found.measured:
        raise typer.Exit(3)
    if roofline and not found.measured[0].layers:
        raise typer.Exit(3)  # the table says why layers could not be measured
    if roofline:
        from costcalc.store.roofline_of_run import roofline_of_run

        roofline_of_run(saver.kept[-1]).save(roofline)
    if strict and found.noisy:
        raise typer.Exit(1)


def devices(format: Format = None, output: Output = None) -> None:
    """What can be timed here, with its fingerprint."""
    from costcalc.torch_backend.machine import devices_result

    emit(devices_result(), format, output)


def _batch_sizes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 2**31 for part in parts):
        raise UsageError(f"--batch {shorten(text)!r}: give whole numbers from 1, as in 1,32")
    return [int(part) for part in parts]
