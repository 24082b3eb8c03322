"""What `costcalc sweep` does with the points of a grid: who works them out, what is shown, and where they go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.cli.options import SHOWN, emit, looking
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.table import visible

if TYPE_CHECKING:
    from costcalc.analysis.sweep.found import Sweep
    from costcalc.net import Net

EXECUTORS = ("processes", "dask")


@dataclass(frozen=True)
class Wanted:
    """Points, and all that is asked about them."""

    net: Net
    points: dict[str, tuple[Any, ...]]
    choice: dict[str, Any]
    metrics: str | None
    store: str | None
    plot: str | None
    metric: str | None
    fit: bool
    resume: bool
    restart: bool
    format: str | None
    output: str | None

    @property
    def in_memory(self) -> bool:
        """Are all points to be there at once: to be looked at, drawn, fitted, or matched with measurements?"""
        looked_at = self.output is None and self.format in (None, "table")
        return bool(looked_at or self.plot or self.metric or self.fit or _has_seconds(self.metrics))


def put_sweep(wanted: Wanted, workers_of: Callable[..., Any]) -> None:
    """The points on the terminal, or in a file, of any length if it is CSV or Parquet."""
    if wanted.resume or wanted.restart or not wanted.in_memory:
        _write(wanted, workers_of)
    else:
        _show(wanted, _found(wanted, workers_of))


def _found(wanted: Wanted, workers_of: Callable[..., Any]) -> Sweep:
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, grid_of, sweep_net
    from costcalc.report.progress import progress

    seconds, size = seconds_for(wanted.metrics, wanted.store), grid_of(wanted.points).size
    with workers_of(size, POINTS_PER_SECOND) as crew, progress() as show:
        return sweep_net(
            wanted.net, wanted.points, metrics=wanted.metrics, seconds=seconds, crew=crew, progress=show,
            **wanted.choice,
        )  # fmt: skip


def _show(wanted: Wanted, found: Sweep) -> None:
    from costcalc.cli.pictures import show_picture, write_plot
    from costcalc.report import format_of

    if wanted.plot or wanted.metric:
        write_plot(found.chart(wanted.metric), wanted.plot)
    if wanted.fit:
        exponents = found.fit()
        emit([exponents.table()], exponents.to_dict(), wanted.format, wanted.output)
        return
    output = Path(wanted.output) if wanted.output else None
    if output and wanted.format is None and output.suffix.lower() == ".parquet":
        found.to_parquet(output)
        return
    seen = looking(wanted.format, wanted.output)
    document = found.to_dict() if format_of(wanted.format, output) == "json" else {}
    emit([found.table(SHOWN if seen else None)], document, wanted.format, wanted.output)
    if seen:
        show_picture(found, wanted.metric)


def _write(asked: Wanted, workers_of: Callable[..., Any]) -> None:
    from costcalc.analysis.sweep.choice import read_choice
    from costcalc.analysis.sweep.sweep import grid_of
    from costcalc.report import written
    from costcalc.report.progress import progress
    from costcalc.report.wanted import Wanted as ToFile

    drawn = {"--plot": asked.plot, "--metric": asked.metric, "--fit": asked.fit}
    if given := [name for name, value in drawn.items() if value]:
        raise UsageError(f"--resume and --restart go without {', '.join(given)}: they are of a file of points")
    if asked.resume and asked.restart:
        raise UsageError("--resume goes on and --restart starts anew: give one of them")
    choice = read_choice([*asked.net.spec.knobs], [*asked.points], **asked.choice)
    path, metrics = Path(asked.output or "-"), written.counted_metrics(asked.metrics)
    file = ToFile(asked.net, grid_of(asked.points), choice, path, asked.format, asked.resume, asked.restart, metrics)
    with workers_of(file.grid.size, file.per_second) as crew, progress() as show, told_how_to_go_on(path):
        done = written.write(file, crew, show)
    if done.large or choice.of_costs_alone:
        name = "" if str(done.path) == "-" else f"{done.path}: "
        print(visible(f"{name}{'; '.join(done.notes)}"), file=sys.stderr)


def seconds_for(metrics: str | None, store: str | None) -> Any:
    """Who looks up what was measured, if it is asked for."""
    if not _has_seconds(metrics):
        return None
    from costcalc.cli.keeping import seconds_here

    return seconds_here(store)


def _has_seconds(metrics: str | None) -> bool:
    return bool(metrics) and "seconds" in str(metrics).replace(" ", "").split(",")


@contextmanager
def told_how_to_go_on(path: Path) -> Iterator[None]:
    """Says of a file that is interrupted that its chunks are kept."""
    try:
        yield
    except KeyboardInterrupt:
        from costcalc.files import real
        from costcalc.report.journal import beside

        if beside(real(path), "journal").exists():
            print(visible(f"{path}: what is done is kept; go on with --resume"), file=sys.stderr)
        raise


def put_histogram(
    net: Net, points: Any, metric: str, where: str | None, workers_of: Callable[..., Any],
    format: str | None, output: str | None,
) -> None:  # fmt: skip
    """How many points there are of each size, with bars for someone who is looking."""
    from costcalc.analysis.sweep.grid import Grid
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, histogram_net
    from costcalc.report import format_of
    from costcalc.report.progress import progress

    format_of(format, Path(output) if output else None)  # asked before anything is counted; it is not Parquet
    with workers_of(Grid(points).size, POINTS_PER_SECOND) as crew, progress() as show:
        found = histogram_net(net, points, metric, where=where, crew=crew, progress=show)
    emit([found.table(looking(format, output))], found.to_dict(), format, output)


def crew_of(workers: int | None, executor: str | None, scheduler: str | None, size: int, per_second: int) -> Any:
    """Who works out the chunks."""
    executor = executor or ("dask" if scheduler else "processes")
    if executor not in EXECUTORS:
        raise UnknownName(unknown("executor", executor, EXECUTORS))
    if executor == "processes":
        if scheduler:
            raise UsageError("--scheduler is that of a dask cluster; leave out --executor processes")
        from costcalc.analysis.sweep import crew

        return crew.crew_of(workers, size, per_second)
    if not scheduler or workers:
        raise UsageError("--executor dask needs --scheduler tcp://HOST:8786, and has as many workers as are there")
    from costcalc.analysis.sweep.cluster import Cluster

    return Cluster(scheduler)
