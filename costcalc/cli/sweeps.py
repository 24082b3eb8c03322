"""sweep: many points at once, as a table, a picture, a page, or a file of any length."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, TypeAlias

import typer

from costcalc.cli import at_work
from costcalc.cli.options import Format, MaxBytes, MaxLayers, Set, Target, checked_output, emit, nets
from costcalc.cli.pictures import Metric, Plot, Report, write_plot, write_report
from costcalc.cli.runs import StorePath
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS

METRICS = "params, macs, elementwise, activations, weight_bytes, peak_bytes, traffic_bytes, intensity, seconds"


def checked_file(context: typer.Context, output: str | None) -> str | None:
    """The file, if there is a format to write points in: any of a table's, or Parquet."""
    is_parquet = output is not None and output.lower().endswith(".parquet") and not context.params.get("format")
    return output if is_parquet else checked_output(context, output)


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
        typer.Argument(metavar="KNOB=VALUES", help="r=128:600:8, both ends included, or w=0.5,0.75,1."),
    ] = None,
    presets: Annotated[
        str | None, typer.Option("--presets", metavar="NAMES", help="Its presets instead: b0..b7, b0,b3 or all.")
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="NAMES", help=f"What to say of each point: {METRICS}."),
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
        int | None, typer.Option("--workers", metavar="N", help="Processes; 1 is this one. Else as many as pay.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option("--executor", metavar="NAME", help="processes, or dask, which needs --scheduler.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of a dask cluster: tcp://HOST:8786.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a FILE that was interrupted.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Start such a FILE anew.")] = False,
    set_: Set = None,
    format: Format = None,
    output: SweepOutput = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """What a network costs at every point of a grid of its knobs, or at its presets."""
    (net,) = nets([target], set_, max_layers, max_bytes)
    chosen: dict[str, Any] = {"--where": where, "--pareto": pareto, "--top": top, "--by": by}
    written = {"--resume": resume, "--restart": restart}
    drawn = {"--plot": plot, "--metric": metric}
    worked: dict[str, Any] = {"--workers": workers, "--executor": executor, "--scheduler": scheduler}
    looked_up = {"--metrics": metrics, "--store": store}
    if by is not None and top is None:
        raise UsageError("--by says by what --top N chooses; give --top too")
    if explain_steps:
        others: dict[str, Any] = {
            "points": axes,
            "--presets": presets,
            "--fit": fit,
            "--histogram": histogram,
            "--report": report,
        }
        _alone(
            "--explain-steps",
            {**others, **chosen, **written, **drawn, **worked, **looked_up},
            "it starts from the target; set its knobs with @",
        )
        _explain_steps(net, format, output)
    elif report is not None:
        others = {"--fit": fit, "--histogram": histogram, "--output": output, "--format": format}
        others |= {**worked, **looked_up}
        _alone("--report", {**others, **chosen, **written, **drawn}, "it goes with points or --presets alone")
        write_report(net, axes or [], presets, report)
    elif presets is not None:
        others = {"points": axes, "--fit": fit, "--histogram": histogram}
        _alone("--presets", {**others, **chosen, **written, **worked, "--metric": metric}, "it names the points")
        _presets(net, presets, metrics, store, plot, format, output)
    else:
        from costcalc.analysis.sweep.grid import read_axes

        points = read_axes(axes or [], net.spec.knobs, net.name)
        workers_of = partial(at_work.crew_of, workers, executor, scheduler)
        if histogram is not None:
            others = {"--fit": fit, **chosen, **written, **drawn, **looked_up, "--where": None}
            _alone("--histogram", others, "it counts every point, and goes with --where alone")
            at_work.put_histogram(net, points, histogram, where, workers_of, format, output)
            return
        choice = {"where": where, "pareto": pareto, "top": top, "by": by or "macs"}
        wanted = at_work.Wanted(net, points, choice, metrics, store, plot, metric, fit, resume, restart, format, output)
        at_work.put_sweep(wanted, workers_of)


def _alone(option: str, others: dict[str, Any], why: str) -> None:
    """Raises UsageError for options that do not go with one."""
    given = [name for name, value in others.items() if value]
    if given:
        raise UsageError(f"{option} goes without {', '.join(given)}: {why}")


def _explain_steps(net: Any, format: str | None, output: str | None) -> None:
    from costcalc.analysis.scaling.steps import next_steps

    steps = next_steps(net)
    emit([steps.table()], steps.to_dict(), format, output)


def _presets(
    net: Any, presets: str, metrics: str | None, store: str | None, plot: str | None, format: str | None,
    output: str | None,
) -> None:  # fmt: skip
    from costcalc.analysis.scaling.presets import sweep_presets

    found = sweep_presets(net, presets, metrics, seconds=at_work.seconds_for(metrics, store))
    if plot:
        write_plot(found.chart(), plot)
    emit(found.tables(), found.to_dict(), format, output)
