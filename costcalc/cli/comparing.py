"""The command that sets networks side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli.fast_params import METRICS
from costcalc.cli.options import (
    Batch,
    Checkpoint,
    Columns,
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
    Targets,
    Train,
    emit,
    load_models,
    train_step,
)
from costcalc.cli.plot_options import ComparisonPlot, XAxis, YAxis, check_compared, check_plot, columns_of
from costcalc.cli.runs import StorePath, has_seconds
from costcalc.cli.shown_pictures import compared_page
from costcalc.errors import UsageError
from costcalc.report.picture_files import picture_suffix
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP

if TYPE_CHECKING:
    from costcalc.analysis.compare import Comparison
    from costcalc.analysis.scaling.break_even import BreakEven
    from costcalc.net import Net

TRAIN_COLUMNS = "target,params,trainable_params,macs,train_macs,saved_bytes,train_peak_bytes"


def compare(
    targets: Targets,
    algebra: Annotated[
        bool, typer.Option("--algebra", help="Show the ratio as algebra for whole networks too.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="METRICS", help=f"Default macs, with --train train_macs; or several, macs,params. Of {METRICS}."
        ),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="TARGET", help="To which the others are compared: the first.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Blocks of this depth side by side, of two networks.")
    ] = None,
    train: Train = False,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    columns: Columns = None,
    dtype: Dtype = None,
    plot: ComparisonPlot = None,
    y: YAxis = None,
    x: XAxis = None,
    break_even: Annotated[
        str | None,
        typer.Option("--break-even", metavar="KNOB", help="From which r on does one cost more? Or r=32:512:1."),
    ] = None,
    time: Annotated[bool, typer.Option("--time", help="Time them here too; see costcalc time.")] = False,
    store: StorePath = None,
    input: Input = None,
    batch: Batch = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Networks side by side: totals, ratios, and for two of them which block made the difference."""
    from costcalc.analysis.compare import compare_models

    check_plot(plot, x, y, {"--break-even": break_even, "--time": time})
    columns = columns_of(plot, x, y, columns)
    unless = "" if train or columns or by else "add --train, or --columns of training"
    step = train_step(optimizer, freeze, freeze_statistics, checkpoint, unless)
    models = load_models(targets, set_, max_layers, max_bytes, dtype, step, batch, input)
    if picture_suffix(output, format):
        refused = {"--columns": columns, "--plot": plot, "--break-even": break_even, "--time": time, "--store": store}
        compared_page(
            models, str(output), by, baseline=baseline, depth=depth, train=train, algebra=algebra or None,
            refused=refused,
        )  # fmt: skip
        return
    by = by or ("train_macs" if train else "macs")
    columns = TRAIN_COLUMNS if train and columns is None else columns
    if break_even is not None:
        given = {"--algebra": algebra, "--time": time, "--store": store, "--columns": columns, "--baseline": baseline,
                 "--depth": depth}  # fmt: skip
        if others := ", ".join(option for option, value in given.items() if value):
            raise UsageError(f"--break-even cannot be combined with {others}: it compares counts, as formulas")
        emit(_break_even(models, break_even, by), format, output)
        return
    if store is not None and not (time or has_seconds(columns)):
        raise UsageError("--store is where measured times are kept; add --time, or --columns target,seconds")
    check_compared(models, plot, x, y, by)
    lookup = None
    if has_seconds(columns):
        from costcalc.cli.save_runs import seconds_here

        lookup = seconds_here(store)
    comparison = compare_models(
        models, by=by, baseline=baseline, depth=depth, algebra=algebra or None, columns=columns, seconds=lookup
    )
    if plot:
        comparison.plot(plot, y, x or "macs")
    if time:
        _put_timed(comparison, models, store, format, output)
    else:
        emit(comparison, format, output)


def _break_even(models: list[Net], knob: str, by: str) -> BreakEven:
    from costcalc.analysis.scaling.break_even import break_even

    if len(models) != 2:
        raise UsageError(f"--break-even is about two networks, got {len(models)}")
    return break_even(models[0], models[1], knob, by=by)


def _put_timed(
    comparison: Comparison, models: list[Net], store: str | None, format: str | None, output: str | None
) -> None:
    """Times the networks and prints both. Exits with 3 if none could be timed."""
    from costcalc.cli.save_runs import time_and_save
    from costcalc.torch_backend.timing import TimedComparison

    timing, saver = time_and_save(models, store)
    emit(TimedComparison(comparison, timing), format, output)
    saver.raise_any()
    if not timing.measured:
        raise typer.Exit(3)
