"""The command about many points: sweep, which prints a table, draws, or writes a page or a file of any length."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from costcalc.cli import warned
from costcalc.cli.fast_params import METRICS
from costcalc.cli.options import (
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
    Set,
    Target,
    check_folder,
    check_format,
    emit,
    load_models,
    train_step,
)
from costcalc.cli.pictures import Metric, Plot, Report, write_report
from costcalc.cli.runs import StorePath
from costcalc.cli.sweep_options import SweepOptions
from costcalc.cli.sweep_points import put_histogram, put_points
from costcalc.errors import UsageError
from costcalc.report import format_of, is_parquet
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP


def checked_file(context: typer.Context, output: str | None) -> str | None:
    """Checks that the format exists, which may be Parquet, and that the file can be written."""
    parquet = output and is_parquet(context.params.get("format"), Path(output))
    return check_folder(output) if parquet else check_format(context, output, ".parquet")


SweepOutput: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", callback=checked_file,
        help="Write FILE, in its suffix's format; .csv and .parquet hold any grid.",
    ),
]  # fmt: skip


def sweep(
    target: Target,
    axes: Annotated[
        list[str] | None,
        typer.Argument(metavar="KNOB=VALUES", help="r=128:600:8, both ends included, w=0.5,1, or head=linear,conv."),
    ] = None,
    presets: Annotated[
        str | None, typer.Option("--presets", metavar="NAMES", help="Its presets instead: b0..b7, b0,b3 or all.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="NAMES", help=f"Metrics to show of each point: {METRICS}, seconds."),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="CONDITION", help='As in "macs <= 400e6 and r % 32 == 0".')
    ] = None,
    pareto: Annotated[
        str | None,
        typer.Option(
            "--pareto", metavar="NAMES", help="Only points that no other beats: less of a metric, more of a knob."
        ),
    ] = None,
    top: Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="Only the first N by --by.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="A metric or knob, small ones first; -NAME large ones.")
    ] = None,
    fit: Annotated[
        bool,
        typer.Option("--fit", help="Instead of points the exponents of the knobs, fitted to them."),
    ] = False,
    explain_steps: Annotated[
        bool, typer.Option("--explain-steps", help="Instead the next step up of each knob, what it costs, and why.")
    ] = False,
    plot: Plot = None,
    metric: Metric = None,
    report: Report = None,
    store: StorePath = None,
    histogram: Annotated[
        str | None, typer.Option("--histogram", metavar="METRIC", help="Only how many points there are of each size.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", help="Number of processes; 1: no extra process. Default: one per core if long."
        ),
    ] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", metavar="NAME", help="processes, or dask, which needs --scheduler.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of a dask cluster: tcp://HOST:8786.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a FILE that was interrupted.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Start such a FILE anew.")] = False,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    columns: Columns = None,
    dtype: Dtype = None,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: SweepOutput = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """What a network costs at every point of a grid of its knobs, or at its presets."""
    step = train_step(optimizer, freeze, freeze_statistics, checkpoint)
    (model,) = load_models([target], set_, max_layers, max_bytes, dtype, step, inputs=input)
    dispatch(SweepOptions(
        model=model, points=axes, presets=presets, fit=fit, histogram=histogram, report=report,
        explain_steps=explain_steps, where=where, pareto=pareto, top=top, by=by, resume=resume, restart=restart,
        plot=plot, metric=metric, workers=workers, executor=executor, scheduler=scheduler, metrics=metrics, store=store,
        output=output, format=format, columns=columns,
    ))  # fmt: skip


def dispatch(options: SweepOptions) -> None:
    """Prints points, or what one of the options asks for instead. Raises UsageError for options that conflict with
    it."""
    if options.by is not None and options.top is None:
        raise UsageError("--by says by what --top N chooses; give --top too")
    if options.explain_steps or options.fit or options.presets is not None or options.histogram is not None:
        format_of(options.format, options.path)  # before anything is counted: Parquet holds points alone
    if options.explain_steps:
        put_steps(options)
    elif options.report is not None:
        put_report(options)
    elif options.presets is not None:
        put_presets(options)
    elif options.histogram is not None:
        put_histogram(options)
    else:
        put_points(options)


def put_steps(options: SweepOptions) -> None:
    """Prints the next step up of each knob."""
    from costcalc.analysis.scaling.next_change import next_steps

    options.only("explain_steps", "columns", "output", "format", why="it starts from the target; set its knobs with @")
    emit(next_steps(options.model), options.format, options.output, columns=options.columns)


def put_report(options: SweepOptions) -> None:
    """Writes the page about the network."""
    why = "a page has no columns, so --report cannot be combined with {}; name its metrics with --metrics"
    options.refuse("columns", why=why)
    options.only("report", "points", "presets", "metrics", why="it goes with points, --presets or --metrics alone")
    write_report(options.model, options.points or [], options.presets, options.metrics, str(options.report))


def put_presets(options: SweepOptions) -> None:
    """Prints the presets side by side."""
    from costcalc.analysis.scaling.preset_chart import check_preset_chart
    from costcalc.analysis.scaling.presets import sweep_presets

    options.only("presets", "metrics", "columns", "store", "plot", "output", "format", why="it names the points")
    if options.plot:
        check_preset_chart(options.shown_metrics)
    found = sweep_presets(options.model, str(options.presets), options.shown_metrics, seconds=options.lookup())
    warned.replace(options.model.label, lambda: found.warnings)
    if options.plot:
        found.plot(options.plot)
    emit(found, options.format, options.output, columns=options.columns)
