"""The command about budgets in CI: check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from costcalc import report
from costcalc.cli.options import (
    A_TARGET,
    Batch,
    Checkpoint,
    Dtype,
    Freeze,
    FreezeStatistics,
    Input,
    MaxBytes,
    MaxLayers,
    Set,
    check_folder,
    check_format,
    checked_format,
    emit,
    load_models,
    train_step,
)
from costcalc.errors import unknown
from costcalc.report import DRAWINGS, FORMATS
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.text import split_names
from costcalc.train_step import DEFAULT_STEP, OPTIMIZERS

GITHUB = "github"  # a format of this command alone: annotations of GitHub Actions


def _checked_format(context: typer.Context, format: str | None) -> str | None:
    if format is not None and format not in (*FORMATS, GITHUB):
        raise unknown("format", format, (*FORMATS[: -len(DRAWINGS)], GITHUB))
    return format if format == GITHUB else checked_format(context, format)


def _checked_output(context: typer.Context, output: str | None) -> str | None:
    return check_folder(output) if context.params.get("format") == GITHUB else check_format(context, output)


def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help=f"Each {A_TARGET}. None: those of the nearest pyproject.toml.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="METRIC=VALUE", help="A budget: macs=4.2G, peak_bytes=16MB; may be repeated."),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="REV", help="Show what has changed since git:main, git:HEAD~3 ….")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="NAMES", help="Of --against: params,macs,peak_bytes ….")
    ] = None,
    units: Annotated[
        str | None, typer.Option("--units", metavar="UNITS", help="Of tables: auto, none, K, M, G, KB, MiB …; M,MiB.")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", metavar="FILE", help="In place of the nearest pyproject.toml.")
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option("--optimizer", metavar="NAME", help=f"Of a training step: {', '.join(OPTIMIZERS)}.")
    ] = None,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    dtype: Dtype = None,
    input: Input = None,
    batch: Batch = None,
    set_: Set = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", metavar="FORMAT", is_eager=True, callback=_checked_format,
            help=f"{', '.join(FORMATS[: -len(DRAWINGS)])}, {GITHUB} (annotations).",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", callback=_checked_output, help="Write FILE, in its suffix's format."
        ),
    ] = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:  # fmt: skip
    """Are budgets kept? Exit 1 if one is broken, with a line for each. With --against also what has changed since a
    revision of git."""
    from costcalc.analysis.metric_limits import read_budget
    from costcalc.project.against import Past
    from costcalc.project.cost_check import check_models
    from costcalc.project.project import Project

    limits, project = read_budget(most or []), Project.find(config)
    options = {"max_layers": max_layers, "max_bytes": max_bytes}
    past = None if against is None else Past(against, project, named=bool(targets), **options)
    found = project.targets(targets or ())
    found = found if past is None else past.without_gone(found)
    of_training = project.is_about_training([*limits, *split_names(metrics or "")])
    unless = "" if of_training else "add a budget of one, as in --max train_macs=1G"
    step = train_step(optimizer or DEFAULT_STEP.optimizer, freeze, freeze_statistics, checkpoint, unless)
    step = project.step(step, optimizer)
    loadable = [target.loadable for target in found]
    models = load_models(loadable, set_, max_layers, max_bytes, project.dtype(dtype), step, batch, input)
    checked = check_models(project, found, models, limits, past, metrics, units)
    if format == GITHUB:
        _put_annotations(checked.to_github(), output)
    else:
        emit(checked, format, output)
    if not checked.ok:
        raise typer.Exit(1)


def _put_annotations(text: str, output: str | None) -> None:
    if output is None or output == "-":
        report.put(text)
        return
    from costcalc.files import write

    write(Path(output), text)
