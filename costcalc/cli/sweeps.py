"""Commands about many points at once: sweep, scale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from costcalc.cli.options import Format, MaxBytes, MaxLayers, Output, Set, Target, checked_output, emit, nets
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.report import format_of
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.table import visible

if TYPE_CHECKING:
    from costcalc.net import Net
    from costcalc.report.wanted import Wanted

SHOWN = 40  # points on a terminal
EXECUTORS = ("processes", "dask")


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
    if by is not None and top is None:
        raise UsageError("--by says by what --top N chooses; give --top too")
    if presets is not None:
        if axes or where or pareto or top or histogram or resume or restart:
            raise UsageError("--presets goes with no points and no choice of points")
        from costcalc.analysis.sweep.presets import sweep_presets

        of_presets = sweep_presets(net, presets)
        emit(of_presets.tables(), of_presets.to_dict(), format, output)
        return
    from costcalc.analysis.sweep.grid import read_axes

    points = read_axes(axes or [], net.spec.knobs, net.name)
    at_work = partial(_crew, workers, executor, scheduler)
    if histogram is not None:
        if pareto or top or resume or restart:
            raise UsageError("--histogram counts every point, and goes with --where alone")
        format_of(format, Path(output) if output else None)  # asked before anything is counted; it is not Parquet
        _histogram(net, points, histogram, where, at_work, format, output)
        return
    from costcalc.analysis.sweep.choice import read_choice
    from costcalc.analysis.sweep.sweep import grid_of
    from costcalc.report.wanted import Wanted

    grid = grid_of(points)
    choice = read_choice([*net.spec.knobs], [*points], where=where, pareto=pareto, top=top, by=by or "macs")
    _sweep(Wanted(net, grid, choice, Path(output or "-"), format, resume, restart), at_work)


def _sweep(wanted: Wanted, at_work: Callable[..., Any]) -> None:
    from costcalc.analysis.sweep.sweep import sweep
    from costcalc.report.progress import progress
    from costcalc.report.written import write

    looking = wanted.kind == "table" and str(wanted.path) == "-" and not (wanted.resume or wanted.restart)
    with at_work(wanted.grid.size, wanted.per_second) as crew, progress() as show:
        if looking:
            found = sweep(wanted.net, wanted.grid, wanted.choice, crew=crew, progress=show)
        else:
            with _told_how_to_go_on(wanted.path):
                written = write(wanted, crew, show)
    if looking:
        emit([found.table(SHOWN if sys.stdout.isatty() else None)], {}, None, None)
    elif written.large:
        name = "" if str(written.path) == "-" else f"{written.path}: "
        print(visible(f"{name}{'; '.join(written.notes)}"), file=sys.stderr)


@contextmanager
def _told_how_to_go_on(path: Path) -> Iterator[None]:
    """Says of a file that is interrupted that its chunks are kept."""
    try:
        yield
    except KeyboardInterrupt:
        from costcalc.files import real
        from costcalc.report.journal import beside

        if beside(real(path), "journal").exists():
            print(visible(f"{path}: what is done is kept; go on with --resume"), file=sys.stderr)
        raise


def _histogram(
    net: Net, points: Any, metric: str, where: str | None, at_work: Callable[..., Any],
    format: str | None, output: str | None,
) -> None:  # fmt: skip
    from costcalc.analysis.sweep.grid import Grid
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, histogram_net
    from costcalc.report.progress import progress

    with at_work(Grid(points).size, POINTS_PER_SECOND) as crew, progress() as show:
        found = histogram_net(net, points, metric, where=where, crew=crew, progress=show)
    bars = output is None and format in (None, "table") and sys.stdout.isatty()
    emit([found.table(bars)], found.to_dict(), format, output)


def _crew(workers: int | None, executor: str | None, scheduler: str | None, size: int, per_second: int) -> Any:
    """Who works out the chunks."""
    executor = executor or ("dask" if scheduler else "processes")
    if executor not in EXECUTORS:
        raise UnknownName(unknown("executor", executor, EXECUTORS))
    if executor == "processes":
        if scheduler:
            raise UsageError("--scheduler is that of a dask cluster; leave out --executor processes")
        from costcalc.analysis.sweep.crew import crew_of

        return crew_of(workers, size, per_second)
    if not scheduler or workers:
        raise UsageError("--executor dask needs --scheduler tcp://HOST:8786, and has as many workers as are there")
    from costcalc.analysis.sweep.cluster import Cluster

    return Cluster(scheduler)


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
