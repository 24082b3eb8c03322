"""Commands about many points at once: sweep, scale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from costcalc.cli.options import Format, MaxBytes, MaxLayers, Output, Set, Target, emit, nets
from costcalc.cli.pictures import Metric, Plot, Report, show_picture, write_plot, write_report
from costcalc.cli.runs import StorePath
from costcalc.errors import UsageError
from costcalc.report import format_of
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS

SHOWN = 40  # points on a terminal
METRICS = "params, macs, elementwise, activations, weight_bytes, peak_bytes, traffic_bytes, intensity, seconds"


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
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """What a network costs at every point of a grid of its knobs, or at its presets."""
    (net,) = nets([target], set_, max_layers, max_bytes)
    if by is not None and top is None:
        raise UsageError("--by says by what --top N chooses; give --top too")
    if explain_steps:
        if axes or presets or where or pareto or top or fit or plot or report:
            raise UsageError("--explain-steps starts from the target: set its knobs behind an @, and give no points")
        from costcalc.analysis.sweep.steps import next_steps

        steps = next_steps(net)
        emit([steps.table()], steps.to_dict(), format, output)
        return
    if report is not None:
        if where or pareto or top or fit or plot or output or format:
            raise UsageError("--report goes with points or --presets, and with nothing that chooses or writes others")
        write_report(net, axes or [], presets, report)
        return
    seconds = None
    if metrics and "seconds" in metrics.replace(" ", "").split(","):
        from costcalc.cli.keeping import seconds_here

        seconds = seconds_here(store)
    if presets is not None:
        if axes or where or pareto or top or fit:
            raise UsageError("--presets goes with no points and no choice of points")
        from costcalc.analysis.sweep.presets import sweep_presets

        of_presets = sweep_presets(net, presets, metrics, seconds=seconds)
        if plot:
            write_plot(of_presets.chart(), plot)
        emit(of_presets.tables(), of_presets.to_dict(), format, output)
        return
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.analysis.sweep.sweep import sweep_net
    from costcalc.report.progress import progress

    with progress() as show:
        points = read_axes(axes or [], net.spec.knobs, net.name)
        choice: dict[str, Any] = {"where": where, "pareto": pareto, "top": top, "by": by or "macs", "seconds": seconds}
        found = sweep_net(net, points, metrics=metrics, **choice, progress=show)
    if plot or metric:
        write_plot(found.chart(metric), plot)
    if fit:
        exponents = found.fit()
        emit([exponents.table()], exponents.to_dict(), format, output)
        return
    looking = _looking(format, output)
    kind = format_of(format, Path(output) if output else None)
    emit([found.table(SHOWN if looking else None)], found.to_dict() if kind == "json" else {}, format, output)
    if looking:
        show_picture(found, metric)


def scale(
    target: Target,
    free: Annotated[
        str | None, typer.Option("--free", metavar="KNOBS", help="What to solve for: w, or r,d,w; else all sizes.")
    ] = None,
    most: Annotated[
        list[str] | None,
        typer.Option(
            "--max", "--target", metavar="METRIC=VALUE", help="As in macs=300M or params=6M; may be repeated."
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KNOB=VALUES", help="Look through r=128:320:8 or w=1,1.1; may be repeated."),
    ] = None,
    top: Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="Only the first N that fit.")] = None,
    compound: Annotated[
        str | None,
        typer.Option("--compound", metavar="phi=VALUE", help="Scale d, w and r together; phi alone: as --max allows."),
    ] = None,
    alpha: Annotated[str | None, typer.Option("--alpha", metavar="α", help="d = α^φ; 1.2.")] = None,
    beta: Annotated[str | None, typer.Option("--beta", metavar="β", help="w = β^φ; 1.1.")] = None,
    gamma: Annotated[str | None, typer.Option("--gamma", metavar="γ", help="r = γ^φ; 1.15.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "--fix", metavar="KNOB=VALUE", help="Set a knob; may be repeated."),
    ] = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Backwards from a budget: the largest value of a knob that keeps it, or of several all that do and none beats;
    and compound scaling by φ."""
    from costcalc.analysis.sweep.phi import read_law
    from costcalc.analysis.sweep.scale import read_budget

    (net,) = nets([target], set_, max_layers, max_bytes)
    law = read_law(alpha, beta, gamma)
    budget = read_budget(most or [])
    if compound is not None:
        from costcalc.analysis.sweep.compound import compound_net, read_compound

        if free or grid or top:
            raise UsageError("--compound scales d, w and r; it goes without --free, --grid and --top")
        line = compound_net(net, law, read_compound(compound), budget)
        emit([line.table()], line.to_dict(), format, output)
        return
    from costcalc.analysis.sweep.budget import Fitting, scale_net
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.report.progress import progress

    with progress() as show:
        values = read_axes(grid or [], net.spec.knobs, net.name)
        found = scale_net(net, budget, free, grid=values, law=law, top=top, progress=show)
    shown = SHOWN if _looking(format, output) else None
    emit(found.tables(shown) if isinstance(found, Fitting) else [found.table()], found.to_dict(), format, output)


def _looking(format: str | None, output: str | None) -> bool:
    """Does someone sit before a terminal, who sees the first points only?"""
    return output is None and format_of(format, None) == "table" and sys.stdout.isatty()
