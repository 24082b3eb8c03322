"""The plots of `costcalc show`, `compare`, `memory`, `time` and `runs show`: their options, checked before anything
is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from costcalc.cli.fast_params import METRICS
from costcalc.cli.pictures import checked_plot
from costcalc.errors import UsageError

if TYPE_CHECKING:
    from costcalc.net import Net


def _picture(option: str, what: str) -> Any:
    """An option that names the file of a picture."""
    return typer.Option(option, metavar="FILE", callback=checked_plot, help=f"{what}: FILE.svg, .png or .pdf.")


BarPlot: TypeAlias = Annotated[str | None, _picture("--plot", "Draw its MACs by the size of maps too")]
ComparisonPlot: TypeAlias = Annotated[
    str | None, _picture("--plot", "Draw a metric by the size of maps too, or with --y a ball for each network")
]
Roofline: TypeAlias = Annotated[str | None, _picture("--roofline", "Draw the layers below the ceilings of the device")]
YAxis: TypeAlias = Annotated[
    str | None,
    typer.Option("--y", metavar="NAME", help="Of a plot of balls: top1 or top5, which specs quote, or any metric."),
]
XAxis: TypeAlias = Annotated[
    str | None, typer.Option("--x", metavar="NAME", help=f"Of such a plot, macs if not given: {METRICS}, seconds.")
]


def check_plot(plot: str | None, x: str | None, y: str | None, others: Mapping[str, object]) -> None:
    """Raises UsageError for axes without a plot, and for options that answer something else than a plot shows."""
    if plot is None and (x or y):
        raise UsageError("--x and --y are axes of a plot; add --plot FILE.svg")
    if x and not y:
        raise UsageError("--x is the cost of a plot of balls; add --y top1, or another metric")
    if plot and (given := ", ".join(option for option, value in others.items() if value)):
        raise UsageError(f"--plot cannot be combined with {given}: it draws totals, or one metric by the size of maps")


def check_compared(models: Sequence[Net], plot: str | None, x: str | None, y: str | None, by: str) -> None:
    """Raises what the plot would raise, before networks are counted."""
    if not plot:
        return
    if y:
        from costcalc.analysis.compare_chart import check_ball_chart

        check_ball_chart(models, x or "macs", y)
    else:
        from costcalc.analysis.size_chart import check_bar_chart

        check_bar_chart(len(models), by.partition(",")[0])


def columns_of(plot: str | None, x: str | None, y: str | None, columns: str | None) -> str | None:
    """The columns of the table beside a plot of balls: its numbers, unless others are asked for."""
    if plot is None or y is None or columns is not None:
        return columns
    return ",".join(dict.fromkeys(("target", y, x or "macs", "params")))
