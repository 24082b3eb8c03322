"""The points that `costcalc sweep` was asked for: shown, drawn, fitted, counted by size, or written to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.cli import warned
from costcalc.cli.options import SHOWN, emit, looking
from costcalc.cli.sweep_options import Asked
from costcalc.errors import UsageError, WorkersLost
from costcalc.table import visible

if TYPE_CHECKING:
    from costcalc.analysis.sweep.sweep_result import Sweep


def put_points(asked: Asked) -> None:
    """The points on the terminal, or in a file, of any length if it is CSV or Parquet."""
    looked_at = asked.output is None and asked.format in (None, "table")
    in_memory = looked_at or asked.plot or asked.metric or asked.fit or asked.has_seconds
    if asked.resume or asked.restart or not in_memory:
        _write(asked)
    else:
        _show(asked, _found(asked))


def _found(asked: Asked) -> Sweep:
    from costcalc.analysis.sweep.state import MAX_ROWS, USUAL_LIMIT, Limit
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, grid_of, sweep_net
    from costcalc.report.progress_bar import progress_bar

    axes, seconds = _axes(asked), asked.lookup()
    few_rows = asked.fit or looking(asked.format, asked.output)
    if asked.plot or asked.metric:
        _check_picture(asked, axes)
    with asked.pool(grid_of(asked.net, axes).size, POINTS_PER_SECOND) as pool, progress_bar() as show:
        return sweep_net(
            asked.net, axes, metrics=asked.metrics, seconds=seconds, pool=pool, progress=show,
            limit=USUAL_LIMIT if few_rows else Limit(points=MAX_ROWS), **asked.choice,
        )  # fmt: skip


def _axes(asked: Asked) -> dict[str, tuple[Any, ...]]:
    """The swept knobs, of whose points the command warns."""
    from costcalc.analysis.warned import warnings_at

    axes = asked.axes
    warned.instead(asked.net.label, lambda: warnings_at(asked.net, axes))
    return axes


def _check_picture(asked: Asked, axes: dict[str, tuple[Any, ...]]) -> None:
    """Raises what drawing the points would raise, before they are worked out."""
    from costcalc.analysis.sweep.choice import read_choice
    from costcalc.analysis.sweep.metrics import read_metrics
    from costcalc.analysis.sweep.sweep_chart import check_chart

    choice = read_choice(asked.net.spec.knobs, [*axes], **asked.choice)
    check_chart(axes, read_metrics(asked.metrics), choice, asked.metric)


def _show(asked: Asked, found: Sweep) -> None:
    from costcalc.cli.pictures import show_picture, write_plot
    from costcalc.report import format_of

    if asked.plot or asked.metric:
        write_plot(found.chart(asked.metric), asked.plot)
    if asked.fit:
        exponents = found.fit()
        emit([exponents.table()], exponents.to_dict(), asked.format, asked.output)
        return
    if asked.path and asked.format is None and asked.path.suffix.lower() == ".parquet":
        found.to_parquet(asked.path)
        return
    seen = looking(asked.format, asked.output)
    document = found.to_dict() if format_of(asked.format, asked.path) == "json" else {}
    emit([found.table(SHOWN if seen else None)], document, asked.format, asked.output)
    if seen:
        show_picture(found, asked.metric)


def _write(asked: Asked) -> None:
    from costcalc.analysis.sweep.choice import read_choice
    from costcalc.analysis.sweep.sweep import grid_of
    from costcalc.report.progress_bar import progress_bar
    from costcalc.sweep_files.request import Wanted
    from costcalc.sweep_files.write import counted_metrics, write

    asked.refuse_a_store_alone()
    asked.refuse("plot", "metric", "fit", why="--resume and --restart go without {}: they are of a file of points")
    if asked.resume and asked.restart:
        raise UsageError("--resume goes on and --restart starts anew: give one of them")
    axes = _axes(asked)
    choice = read_choice(asked.net.spec.knobs, [*axes], **asked.choice)
    path, metrics = asked.path or Path("-"), counted_metrics(asked.metrics)
    file = Wanted(asked.net, grid_of(asked.net, axes), choice, path, asked.format, asked.resume, asked.restart, metrics)
    with asked.pool(file.grid.size, file.per_second) as pool, progress_bar() as show, told_how_to_go_on(path):
        done = write(file, pool, show)
    if done.large or choice.of_costs_alone:
        name = "" if str(done.path) == "-" else f"{done.path}: "
        print(visible(f"{name}{'; '.join(done.notes)}"), file=sys.stderr)


@contextmanager
def told_how_to_go_on(path: Path) -> Iterator[None]:
    """Says of a file that is interrupted, or whose workers or memory are gone, that its chunks are kept."""
    try:
        yield
    except (KeyboardInterrupt, WorkersLost, MemoryError):
        from costcalc.files import real
        from costcalc.sweep_files.journal import beside

        if beside(real(path), "journal").exists():
            print(visible(f"{path}: what is done is kept; go on with --resume"), file=sys.stderr)
        raise


def put_histogram(asked: Asked) -> None:
    """How many points there are of each size, with bars for someone who is looking."""
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, grid_of, histogram_net
    from costcalc.report.progress_bar import progress_bar

    asked.only(
        "histogram", "points", "where", "workers", "executor", "scheduler", "output", "format",
        why="it counts every point, and goes with --where alone",
    )  # fmt: skip
    axes = _axes(asked)
    with asked.pool(grid_of(asked.net, axes).size, POINTS_PER_SECOND) as pool, progress_bar() as show:
        found = histogram_net(asked.net, axes, str(asked.histogram), where=asked.where, pool=pool, progress=show)
    emit([found.table(looking(asked.format, asked.output))], found.to_dict(), asked.format, asked.output)
