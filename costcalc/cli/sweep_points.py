"""The points of `costcalc sweep`: shown, drawn, fitted, counted in a histogram, or written to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from costcalc.cli import warned
from costcalc.cli.options import MAX_ROWS_SHOWN, emit, on_a_terminal
from costcalc.cli.sweep_options import SweepOptions
from costcalc.errors import UsageError, WorkersLost
from costcalc.report import is_parquet
from costcalc.table import visible

if TYPE_CHECKING:
    from costcalc.analysis.sweep.sweep_result import Sweep


def put_points(options: SweepOptions) -> None:
    """Prints the points, or writes them to a file, which may have any length as CSV or Parquet."""
    looked_at = options.output is None and options.format in (None, "table")
    in_memory = looked_at or options.plot or options.metric or options.fit or options.has_seconds
    if options.resume or options.restart or not in_memory:
        _write(options)
    else:
        _show(options, _swept(options))


def _swept(options: SweepOptions) -> Sweep:
    from costcalc.analysis.sweep.arrow import import_pyarrow
    from costcalc.analysis.sweep.state import MAX_ROWS_IN_MEMORY, USUAL_LIMIT, Limit
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, grid_of, sweep_model
    from costcalc.report.progress_bar import progress_bar

    axes, seconds = _axes(options), options.lookup()
    few_rows = options.fit or on_a_terminal(options.format, options.output)
    _check(options, axes)
    with options.pool(grid_of(options.model, axes).size, POINTS_PER_SECOND) as pool, progress_bar() as show:
        if is_parquet(options.format, options.path):
            import_pyarrow()  # before points are computed, and after all that can be wrong with the options
        return sweep_model(
            options.model, axes, metrics=options.shown_metrics, seconds=seconds, pool=pool, progress=show,
            limit=USUAL_LIMIT if few_rows else Limit(points=MAX_ROWS_IN_MEMORY), **options.query,
        )  # fmt: skip


def _axes(options: SweepOptions) -> dict[str, tuple[Any, ...]]:
    """The swept knobs and their values, whose points the command warns of."""
    from costcalc.analysis.warnings import warnings_of_grid

    axes = options.axes
    warned.replace(options.model.label, lambda: warnings_of_grid(options.model, axes))
    return axes


def _check(options: SweepOptions, axes: dict[str, tuple[Any, ...]]) -> None:
    """Raises, before points are computed, what the query or the chart would raise."""
    from costcalc.analysis.metric_names import read_metrics
    from costcalc.analysis.sweep.point_query import read_query

    query, metrics = read_query(options.model.settable, [*axes], **options.query), read_metrics(options.shown_metrics)
    if options.plot or options.metric:
        from costcalc.analysis.sweep.sweep_chart import check_chart

        check_chart(axes, metrics, query, options.metric)


def _show(options: SweepOptions, found: Sweep) -> None:
    from costcalc.cli.pictures import show_picture

    if options.plot:
        found.plot(options.plot, options.metric)
    if options.fit:
        emit(found.fit(), options.format, options.output, columns=options.columns)
        return
    if options.path and is_parquet(options.format, options.path):
        found.to_parquet(options.path, options.columns)
        return
    seen = on_a_terminal(options.format, options.output)
    emit(
        found, options.format, options.output, [found.table(MAX_ROWS_SHOWN if seen else None)], columns=options.columns
    )
    if seen:
        show_picture(found, options.metric)
    if not len(found):
        raise typer.Exit(1)


def _write(options: SweepOptions) -> None:
    from costcalc.analysis.sweep.point_query import read_query
    from costcalc.analysis.sweep.sweep import grid_of
    from costcalc.report.progress_bar import progress_bar
    from costcalc.sweep_files.request import SweepRequest
    from costcalc.sweep_files.write import counted_metrics, write

    options.refuse_a_store_alone()
    options.refuse("plot", "metric", "fit", why="--resume and --restart go without {}: they are of a file of points")
    if options.resume and options.restart:
        raise UsageError("--resume goes on and --restart starts anew: give one of them")
    axes = _axes(options)
    query, metrics = (
        read_query(options.model.settable, [*axes], **options.query),
        counted_metrics(options.shown_metrics),
    )
    request = SweepRequest(
        options.model, grid_of(options.model, axes), query, options.path or Path("-"), options.format, options.resume,
        options.restart, metrics, options.columns,
    )  # fmt: skip
    points, per_second = request.grid.size, request.points_per_second
    with options.pool(points, per_second) as pool, progress_bar() as show, resume_hint(request.path):
        done = write(request, pool, show)
    if done.large or request.query.minimises_only:
        name = "" if str(done.path) == "-" else f"{done.path}: "
        print(visible(f"{name}{'; '.join(done.notes)}"), file=sys.stderr)


@contextmanager
def resume_hint(path: Path) -> Iterator[None]:
    """Prints, if the block is interrupted or loses its workers or memory, that finished chunks are kept."""
    try:
        yield
    except (KeyboardInterrupt, WorkersLost, MemoryError):
        from costcalc.files import resolved
        from costcalc.sweep_files.resume_journal import beside

        if beside(resolved(path), "journal").exists():
            print(visible(f"{path}: what is done is kept; go on with --resume"), file=sys.stderr)
        raise


def put_histogram(options: SweepOptions) -> None:
    """Prints how many points there are of each size, with bars on a terminal."""
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, grid_of, histogram_model
    from costcalc.report.progress_bar import progress_bar

    options.only(
        "histogram", "columns", "points", "where", "workers", "executor", "scheduler", "output", "format",
        why="it counts every point, and goes with --where alone",
    )  # fmt: skip
    axes = _axes(options)
    with options.pool(grid_of(options.model, axes).size, POINTS_PER_SECOND) as pool, progress_bar() as show:
        found = histogram_model(
            options.model, axes, str(options.histogram), where=options.where, pool=pool, progress=show
        )
    table = found.table(on_a_terminal(options.format, options.output))
    emit(found, options.format, options.output, [table], columns=options.columns)
