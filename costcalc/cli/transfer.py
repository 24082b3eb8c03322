"""The command about transfer learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli.options import (
    Dtype,
    Format,
    Input,
    MaxBytes,
    MaxLayers,
    Optimizer,
    Output,
    Set,
    Target,
    emit,
    load_models,
)
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP

if TYPE_CHECKING:
    from costcalc.analysis.transfer.transfer_result import Transfer


def transfer(
    target: Target,
    classes: Annotated[int, typer.Option("--classes", metavar="N", help="Of the new head.")],
    images: Annotated[int, typer.Option("--images", metavar="N", help="To train on.")] = 1000,
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="How often all of them are seen.")] = 10,
    views: Annotated[
        int, typer.Option("--views", metavar="N", help="Of each image, augmented, whose features are kept.")
    ] = 1,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", help="Images of a step (32).")] = None,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    head: Annotated[
        str | None, typer.Option("--head", metavar="LAYER", help="The head is all from here on, not the last linear.")
    ] = None,
    freeze_until: Annotated[
        str | None, typer.Option("--freeze-until", metavar="ROW", help="The row up to which a part is frozen.")
    ] = None,
    rank: Annotated[int, typer.Option("--rank", metavar="K", help="Of the adapters.")] = 8,
    adapt: Annotated[
        list[str] | None,
        typer.Option("--adapt", metavar="PATTERN", help="Adapters for these linear layers, not all before the head."),
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="BYTES", help="The largest batches that fit into 24GB or 16GiB.")
    ] = None,
    disk: Annotated[
        str | None, typer.Option("--disk", metavar="FOLDER", help="Where features are kept; checked for room.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="N", help="Images a second that the device computes forward.")
    ] = None,
    disk_rate: Annotated[
        str | None, typer.Option("--disk-rate", metavar="BYTES", help="A second, of the disk: 500MB.")
    ] = None,
    time: Annotated[bool, typer.Option("--time", help="Train here on random images, and measure the steps.")] = False,
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="With --time: auto, cpu, cuda, …: see devices.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="With --time: half a second each in place of three.")] = False,
    dtype: Dtype = None,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """What it costs to train a network for other classes: the head, on images or kept features, a part, all, or
    adapters. With --within exit 1 if no step fits."""
    from costcalc.analysis.transfer.compare_strategies import compare_strategies

    if not time and (device or quick):
        raise UsageError("--device and --quick are about measuring; add --time")
    if time and rate is not None:
        raise UsageError("--time measures what --rate gives; leave one out")
    (model,) = load_models([target], set_, max_layers, max_bytes, dtype, inputs=input)
    found = compare_strategies(
        model, classes, images=images, epochs=epochs, views=views, batch=batch, optimizer=optimizer, head=head,
        freeze_until=freeze_until, rank=rank, adapt=adapt or (), within=within, disk=disk, rate=rate,
        disk_rate=None if time else disk_rate,
    )  # fmt: skip
    if time:
        found = _timed(found, device or "auto", quick, disk, disk_rate)
    emit(found, format, output)
    if time and not found.seconds:
        raise typer.Exit(3)


def _timed(found: Transfer, device: str, quick: bool, disk: str | None, disk_rate: str | None) -> Transfer:
    """The strategies with their measured times, with a progress bar on stderr."""
    from costcalc.report.progress_bar import progress_bar
    from costcalc.torch_backend.measure import DEFAULT_SECONDS, QUICK_SECONDS
    from costcalc.torch_backend.transfer_timing import time_transfer

    seconds = QUICK_SECONDS if quick else DEFAULT_SECONDS
    with progress_bar() as show:
        return time_transfer(found, device=device, seconds=seconds, disk=disk, disk_rate=disk_rate, progress=show)
