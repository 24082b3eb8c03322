"""The pictures of `costcalc sweep`: in a file, on the terminal, and on a page about the network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from costcalc.cli import warned

if TYPE_CHECKING:
    from costcalc.net import Net


def checked_plot(plot: str | None) -> str | None:
    """Checks, before anything is counted, that a picture can be made and written there."""
    if plot is not None:
        from costcalc.chart import check_picture

        check_picture(plot)
    return plot


def checked_report(report: str | None) -> str | None:
    """Checks that a page can be made and written there."""
    if report is not None:
        from costcalc.report.page.page import check_page

        check_page(report)
    return report


Plot: TypeAlias = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", callback=checked_plot, help="Draw the sweep too: FILE.svg, .png or .pdf."),
]
Metric: TypeAlias = Annotated[
    str | None, typer.Option("--metric", metavar="METRIC", help="What a map of two knobs shows; macs if not given.")
]
Report: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE", callback=checked_report,
        help="Write a page instead: tables, pictures, formulas and sliders in one FILE.html.",
    ),
]  # fmt: skip


def show_picture(found: Any, metric: str | None) -> None:
    """Draws the points below their table on a terminal."""
    if sys.stdout.isatty():
        from costcalc.report.terminal import show_lines
        from costcalc.report.text_pictures import text_picture

        show_lines(lambda width, blocks: text_picture(found, metric, width, blocks))


def write_report(model: Net, axes: list[str], presets: str | None, metrics: str | None, path: str) -> None:
    """Writes the page about a network, over a grid of its knobs if one is given."""
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.report.page.page import sweep_page
    from costcalc.report.progress_bar import progress_bar

    with progress_bar() as show:
        show(0.0, "counting")
        page = sweep_page(model, read_axes(axes, model.knobs, model.name), presets, metrics)
        show(0.2, "drawing")
        page.save(path)
    warned.replace(model.label, lambda: page.warnings)
