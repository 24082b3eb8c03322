"""The options of `costcalc sweep`, and the values that several of its answers derive from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.cli.runs import has_seconds
from costcalc.errors import UsageError, unknown

if TYPE_CHECKING:
    from costcalc.net import Net

EXECUTORS = ("processes", "dask")


@dataclass(frozen=True)
class SweepOptions:
    """A network and all options; one that was not given is None or False."""

    model: Net
    points: list[str] | None
    presets: str | None
    fit: bool
    histogram: str | None
    report: str | None
    explain_steps: bool
    where: str | None
    pareto: str | None
    top: int | None
    by: str | None
    resume: bool
    restart: bool
    plot: str | None
    metric: str | None
    workers: int | None
    executor: str | None
    scheduler: str | None
    metrics: str | None
    store: str | None
    output: str | None
    format: str | None
    columns: str | None

    def refuse(self, *names: str, why: str) -> None:
        """Raises UsageError if one of these options was given."""
        if given := [option_name(name) for name in names if getattr(self, name)]:
            raise UsageError(why.format(", ".join(given)))

    def only(self, *names: str, why: str) -> None:
        """Raises UsageError if any option but these was given: the first of these cannot be combined with it."""
        others = [field.name for field in fields(self) if field.name not in ("model", *names)]
        self.refuse(*others, why=f"{option_name(names[0])} cannot be combined with {{}}: {why}")

    @property
    def axes(self) -> dict[str, tuple[Any, ...]]:
        """The swept knobs and their values. Raises UnknownName and UsageError."""
        from costcalc.analysis.sweep.grid import read_axes

        return read_axes(self.points or [], self.model.settable, self.model.name)

    @property
    def query(self) -> dict[str, Any]:
        """Which points are kept, as arguments of `read_query`."""
        return {"where": self.where, "pareto": self.pareto, "top": self.top, "by": self.by or "macs"}

    @property
    def path(self) -> Path | None:
        """The file that -o names; None without -o."""
        return Path(self.output) if self.output else None

    def lookup(self) -> Any:
        """The function that looks up measurements, if seconds are among the metrics. Raises UsageError for a store that
        is not read."""
        self.refuse_a_store_alone()
        if not self.has_seconds:
            return None
        from costcalc.cli.save_runs import seconds_here

        return seconds_here(self.store)

    def refuse_a_store_alone(self) -> None:
        """Raises UsageError for a store that is not read."""
        if not self.has_seconds:
            self.refuse("store", why="{} is where seconds are looked up; add them, as in --metrics macs,seconds")

    @property
    def shown_metrics(self) -> str | None:
        """The metrics of --metrics and --columns; None for the usual ones."""
        if self.columns is None:
            return self.metrics
        from costcalc.analysis.metrics import METRICS, USUAL

        named = [] if self.metrics is None else self.metrics.split(",")
        more = [name for name in self.columns.replace(" ", "").split(",") if name in METRICS and name not in named]
        return ",".join([*named, *more] or USUAL)

    @property
    def has_seconds(self) -> bool:
        """Are measured times among the metrics?"""
        return has_seconds(self.shown_metrics)

    def pool(self, points: int, points_per_second: int) -> Any:
        """The worker pool for so many points. Raises UsageError for executor options that contradict each other."""
        executor = self.executor or ("dask" if self.scheduler else "processes")
        if executor not in EXECUTORS:
            raise unknown("executor", executor, EXECUTORS)
        if executor == "processes":
            if self.scheduler:
                raise UsageError("--scheduler is that of a dask cluster; leave out --executor processes")
            from costcalc.workers.pools import pool_for

            return pool_for(self.workers, None, points, points_per_second)
        if not self.scheduler:
            raise UsageError("--executor dask needs --scheduler tcp://HOST:8786")
        if self.workers is not None:
            raise UsageError("a cluster has as many workers as are there; leave out --workers")
        from costcalc.workers.cluster import DaskCluster

        return DaskCluster(self.scheduler)


def option_name(name: str) -> str:
    """A field as it is written on the command line."""
    return name if name == "points" else f"--{name.replace('_', '-')}"
