"""The command about data augmentation."""

from __future__ import annotations

from typing import Annotated

import typer

from costcalc.cli.options import Format, Input, MaxBytes, MaxLayers, Output, Set, emit, load_models
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS


def augment(
    pipeline: Annotated[
        str | None,
        typer.Argument(
            metavar="PIPELINE", help="A NAME or the PATH of one, if wanted with @knob=value,…; none lists them."
        ),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="TARGET", help="Beside a training step of this network."),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="N", help="Network inputs/s that the step consumes, ten for ten crops; else measured."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="With --time: does the step wait for so many?")
    ] = None,
    time: Annotated[bool, typer.Option("--time", help="Run it with torchvision: images/s of one core.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="With --time: half a second in place of three.")] = False,
    device: Annotated[
        str, typer.Option("--device", metavar="NAME", help="Where the step is measured: auto, cpu, cuda, ….")
    ] = "auto",
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:  # fmt: skip
    """What one image costs in a data augmentation pipeline, how many views it makes, and whether it keeps a training
    step busy."""
    _refuse_alone(pipeline, step, rate, workers, time, quick, device, set_, input)
    from costcalc.pipeline.augmentation import augmentation_of
    from costcalc.pipeline.pipeline_library import load_pipeline, pipelines

    if pipeline is None:
        emit(pipelines(), format, output)
        return
    found = augmentation_of(load_pipeline(pipeline, set_, max_bytes=max_bytes))
    model = load_models([step], None, max_layers, max_bytes, inputs=input)[0] if step else None
    if time:
        from costcalc.torch_backend.measure import DEFAULT_SECONDS, QUICK_SECONDS
        from costcalc.torch_backend.pipeline_timing import time_augmentation

        seconds = QUICK_SECONDS if quick else DEFAULT_SECONDS
        timed = time_augmentation(found, model, rate=rate, workers=workers, device=device, seconds=seconds)
        emit(timed, format, output)
    elif model is None:
        emit(found, format, output)
    else:
        from costcalc.analysis.feeding import feeding

        emit(feeding(found, model, rate), format, output)


def _refuse_alone(
    pipeline: str | None, step: str | None, rate: float | None, workers: int | None, time: bool, quick: bool,
    device: str, set_: list[str] | None, input: list[str] | None,
) -> None:  # fmt: skip
    """Raises UsageError for an option without the one that it needs, before anything is read."""
    from costcalc.analysis.feeding import check_rate, check_workers

    given = {"--step": step, "--rate": rate, "--workers": workers, "--time": time, "--quick": quick, "--set": set_}
    given |= {"--input": input}
    if pipeline is None and (alone := [name for name, value in given.items() if value]):
        raise UsageError(f"{alone[0]} is about one pipeline; name it, as in costcalc augment alexnet {alone[0]} …")
    needed = {
        "--input": (bool(input), step, "--step"),
        "--rate": (rate is not None, step, "--step"), "--workers": (workers is not None, step, "--step"),
        "--quick": (quick, time, "--time"), "--device": (device != "auto", step and time, "--step and --time"),
    }  # fmt: skip
    for option, (is_given, other, name) in needed.items():
        if is_given and not other:
            raise UsageError(f"{option} goes with {name}; give {name} too")
    if workers is not None:
        check_workers(workers)
        if not time:
            raise UsageError("--workers is about a measured pipeline; give --time too")
    if rate is not None:
        check_rate(rate)
