"""The command about memory, and what fits into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli import warned
from costcalc.cli.options import (
    Batch,
    Checkpoint,
    Dtype,
    Format,
    Freeze,
    FreezeStatistics,
    Input,
    MaxBytes,
    MaxLayers,
    Optimizer,
    Output,
    Set,
    Target,
    emit,
    load_models,
    train_step,
)
from costcalc.cli.shown_options import ADDED
from costcalc.errors import UsageError
from costcalc.graph.checkpointing import AUTO
from costcalc.report.picture_files import picture_suffix
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP, TrainStep

if TYPE_CHECKING:
    from costcalc.analysis.training.memory_timeline import MemoryTimeline


def memory(
    target: Target,
    train: Annotated[bool, typer.Option("--train", help="In a training step, not at inference.")] = False,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="At each moment, a row for each; -o FILE.svg draws them.")
    ] = False,
    within: Annotated[
        str | None, typer.Option("--within", metavar="BYTES", help="The largest batch that fits into 24GB or 16GiB.")
    ] = None,
    free: Annotated[
        str | None,
        typer.Option("--free", metavar="KNOB", help="With --within: of this knob, not of batch."),
    ] = None,
    dtype: Dtype = None,
    input: Input = None,
    batch: Batch = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """What a network holds in memory at once, by kind, and the layer at which it does. With --within what fits; exit 1
    if nothing does. With --checkpoint auto the rows to compute again so that it fits."""
    step = train_step(optimizer, freeze, freeze_statistics, checkpoint, "" if train else "add --train")
    picture = picture_suffix(output, format)
    if picture and (others := ", ".join(f"--{name}" for name in ADDED.given())):
        raise UsageError(f"{others}: a {picture} file has no table; its axes say their units")
    if within is not None and (timeline or picture) and AUTO not in step.checkpoint:
        what = f"-o {output}" if picture else "--timeline"
        raise UsageError(f"{what} is of the network as it is, and --within solves for another; give one of them")
    if AUTO in step.checkpoint:
        _check_auto(step, within, free)
        (model,) = load_models([target], set_, max_layers, max_bytes, dtype, replace(step, checkpoint=()), batch, input)
        from costcalc.analysis.training.checkpoint_plan import checkpoint_plan
        from costcalc.analysis.training.memory_timeline import memory_timeline

        plan = checkpoint_plan(model, within)
        if timeline or picture:
            _put_timeline(memory_timeline(plan.model, train=True), picture, format, output)
        else:
            emit(plan, format, output)
        return
    (model,) = load_models([target], set_, max_layers, max_bytes, dtype, step, batch, input)
    if within is None:
        if free is not None:
            raise UsageError("--free says what --within solves for; give --within too")
        if timeline or picture:
            from costcalc.analysis.training.memory_timeline import memory_timeline

            _put_timeline(memory_timeline(model, train=train), picture, format, output)
            return
        from costcalc.analysis.training.memory_use import memory_use

        emit(memory_use(model, train=train), format, output)
        return
    from costcalc.analysis.training.memory_use import fitting

    found = fitting(model, within, free or "batch", train=train)
    warned.replace(model.label, lambda: found.warnings)
    emit(found, format, output)


def _put_timeline(found: MemoryTimeline, picture: str, format: str | None, output: str | None) -> None:
    """Draws what is held over a step, or prints a row for each moment."""
    if picture:
        found.plot(str(output))
    else:
        emit(found, format, output)


def _check_auto(step: TrainStep, within: str | None, free: str | None) -> None:
    """Raises UsageError for options that do not go with `--checkpoint auto --within BYTES`."""
    if step.checkpoint != (AUTO,):
        raise UsageError("--checkpoint auto chooses the rows; leave out the others")
    if within is None:
        raise UsageError("--checkpoint auto chooses rows for a budget; add --within 24GB")
    if free is not None:
        raise UsageError("--checkpoint auto fits the network as it is; leave out --free")
