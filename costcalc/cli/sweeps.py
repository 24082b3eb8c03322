"""Commands about many points at once: sweep, scale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import Format, MaxBytes, MaxLayers, Output, Set, Target, emit, nets
from costcalc.cli.pictures import Metric, Plot, Report, show_picture, write_plot, write_report
from costcalc.errors import UsageError
from costcalc.report import format_of
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS

SHOWN = 40  # points on a terminal


def sweep(
    target: Target,
    axes: Annotated[
        list[str] | None,
        typer.Argument(metavar="KNOB=VALUES", help="r=128:600:8, both ends included, or w=0.5,0.75,1."),
    ] = None,
    presets: Annotated[
        str | None, typer.Option("--presets", metavar="NAMES", help="Its presets instead: b0..b7, b0,b3 or all.")
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
    plot: Plot = None,
    metric: Metric = None,
    report: Report = None,
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
    if report is not None:
        if where or pareto or top or plot or output or format:
            raise UsageError("--report goes with points or --presets, and with nothing that chooses or writes others")
        write_report(net, axes or [], presets, report)
        return
    if presets is not None:
        if axes or where or pareto or top:
            raise UsageError("--presets goes with no points and no choice of points")
        from costcalc.analysis.sweep.presets import sweep_presets

        of_presets = sweep_presets(net, presets)
        if plot:
            write_plot(of_presets.chart(), plot)
        emit(of_presets.tables(), of_presets.to_dict(), format, output)
        return
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.analysis.sweep.sweep import sweep_net
    from costcalc.report.progress import progress

    with progress() as show:
        points = read_axes(axes or [], net.spec.knobs, net.name)
        found = sweep_net(net, points, where=where, pareto=pareto, top=top, by=by or "macs", progress=show)
    if plot or metric:
        write_plot(found.chart(metric), plot)
    looking = output is None and format_of(format, None) == "table" and sys.stdout.isatty()
    kind = format_of(format, Path(output) if output else None)
    emit([found.table(SHOWN if looking else None)], found.to_dict() if kind == "json" else {}, format, output)
    if looking:
        show_picture(found, metric)


def scale(
    target: Target,
    free: Annotated[str, typer.Option("--free", metavar="KNOB", help="The knob to solve for.")],
    most: Annotated[
        list[str],
        typer.Option(
            "--max", "--target", metavar="METRIC=VALUE", help="As in macs=300M or params=6M; may be repeated."
        ),
    ],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "--fix", metavar="KNOB=VALUE", help="Set a knob; may be repeated."),
    ] = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Backwards from a budget: the largest value of a knob that keeps it, and what the next one costs."""
    from costcalc.analysis.sweep.scale import largest, read_budget

    (net,) = nets([target], set_, max_layers, max_bytes)
    found = largest(net, free, read_budget(most))
    emit([found.table()], found.to_dict(), format, output)
