"""The files of `costcalc show -o` that hold no table, and their options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias

import typer

from costcalc import report
from costcalc.cli.fast_params import METRICS
from costcalc.cli.options import emit
from costcalc.cli.shown_options import ADDED
from costcalc.drawing.styles import BLOCKS, STYLES
from costcalc.errors import TooLarge, UsageError
from costcalc.report import DRAWINGS, format_of
from costcalc.report.picture_files import picture_suffix

if TYPE_CHECKING:
    from costcalc.analysis.cost import Cost
    from costcalc.analysis.picture.viewer_files import ViewerFile
    from costcalc.net import Net

Shade: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--shade",
        metavar="METRIC",
        help=f"What boxes and bars show; macs if not given. {METRICS}, seconds.",
    ),
]
EveryLayer: TypeAlias = Annotated[
    bool, typer.Option("--every-layer", help="A drawing with a box for each layer, activations too.")
]
Tree: TypeAlias = Annotated[
    bool, typer.Option("--tree", help="The network as a tree of its blocks and branches, with bars of cost.")
]
Style: TypeAlias = Annotated[
    str | None, typer.Option("--style", metavar="STYLE", help=f"Of a drawing: {' or '.join(STYLES)}.")
]
Width: TypeAlias = Annotated[
    int | None, typer.Option("--width", metavar="PX", min=1, help="The most a drawing may be wide: 390 for a phone.")
]


class PictureOptions(NamedTuple):
    """The options of drawings that a command was given."""

    depth: int | None = None
    shade: str | None = None
    every_layer: bool = False
    style: str | None = None
    width: int | None = None
    unroll: bool = False
    train: bool = False
    tree: bool = False

    @property
    def metric(self) -> str:
        """What boxes and bars show."""
        return self.shade or ("train_macs" if self.train else "macs")

    def check(self, output: str | None, format: str | None, columns: str | None) -> str:
        """The suffix of the file if it holds no table, else "". Raises UsageError for options that it does not have."""
        suffix = picture_suffix(output, format)
        if self.shade == "seconds" and WRITERS.get(suffix) is not _drawing:
            raise UsageError("--shade seconds times each layer for a drawing; add -o FILE.svg, .png or .pdf")
        if not suffix:
            self._check_text(format_of(format, Path(output) if output else None), columns)
            return ""
        if self.tree:
            raise UsageError(f"--tree is text, and {suffix} is none; leave one of them out")
        of_boxes = {"--depth": self.depth, "--every-layer": self.every_layer, "--style": self.style,
                    "--width": self.width}  # fmt: skip
        if suffix.endswith(".json") and (others := _names(of_boxes)):
            raise UsageError(f"{others}: a {suffix} file has every layer; drawings have them, as -o FILE.svg")
        if suffix == ".graph.json" and self.shade:
            raise UsageError("--shade: a .graph.json file has no colours; -o FILE.overlay.json has")
        if others := _names({"--columns": columns, **{f"--{name}": True for name in ADDED.given()}}):
            raise UsageError(f"{others}: a {suffix} file has no table; --shade METRIC says what it shows")
        return suffix

    def _check_text(self, kind: str, columns: str | None) -> None:
        """Raises UsageError for options that text in this format does not have."""
        of_boxes = {"--shade": self.shade, "--every-layer": self.every_layer}
        of_places = {"--style": self.style, "--width": self.width}
        if others := _names(of_places if self.tree or kind in DRAWINGS else {**of_boxes, **of_places}):
            raise UsageError(f"{others}: only drawings have them; add -o FILE.svg")
        if self.tree and kind not in ("table", "json"):
            raise UsageError(f"--tree is text, or JSON with all layers; leave it out for {kind}")
        if self.tree and columns:
            raise UsageError("--columns: a tree has its own; --shade METRIC says what its bars show")


def _names(given: Mapping[str, object]) -> str:
    return ", ".join(option for option, value in given.items() if value)


def put_boxes(cost: Cost, options: PictureOptions, kind: str, format: str | None, output: str | None) -> None:
    """Prints a network as a tree, or as a diagram for another program."""
    boxes: dict[str, Any] = {"depth": options.depth, "shade": options.metric, "every_layer": options.every_layer}
    boxes["copies"] = options.unroll
    if kind in DRAWINGS:
        from costcalc.analysis.picture.network_sketch import network_sketch

        report.emit([], network_sketch(cost, **boxes), format=kind, output=Path(output) if output else None)
    else:
        from costcalc.analysis.picture.network_tree import network_tree

        emit(network_tree(cost, **boxes), format, output)


def _drawing(net: Net, options: PictureOptions, output: str) -> None:
    shade = options.metric
    net.drawing(
        depth=options.depth, shade=shade, width=options.width, style=options.style or BLOCKS,
        every_layer=options.every_layer, unrolled=options.unroll,
        seconds=_layer_seconds(net) if shade == "seconds" else None,
    ).save(output)  # fmt: skip


def _overlay(net: Net, options: PictureOptions, output: str) -> None:
    _save(net.overlay(shade=options.metric, unrolled=options.unroll), output)


def _explorer_graph(net: Net, options: PictureOptions, output: str) -> None:
    _save(net.explorer_graph(unrolled=options.unroll), output)


def _save(file: ViewerFile, output: str) -> None:
    file.save(output)
    for note in file.notes:
        if not report.is_hushed():
            print(f"note: {note}", file=sys.stderr)


def _layer_seconds(net: Net) -> dict[str, float]:
    """The seconds of each layer, timed here and now. Exits with 3 if they could not be taken."""
    from costcalc.report.progress_bar import progress_bar
    from costcalc.torch_backend.measure import QUICK_SECONDS
    from costcalc.torch_backend.timing import time_nets

    net.require_numeric("a drawing of seconds")
    with progress_bar() as show:
        timing = time_nets([net], seconds=QUICK_SECONDS, per_layer=True, progress=show)
    if not timing.measured:
        raise TooLarge(f"{net.label} could not be timed: {timing.measurements[0].message}")
    return {layer.name: layer.forward for layer in timing.measured[0].layers}


def _page(net: Net, options: PictureOptions, output: str) -> None:
    from costcalc.report.page.page import page

    given = {"--style": options.style, "--width": options.width, "--unroll": options.unroll}
    if others := _names(given):
        raise UsageError(f"{others}: a page has drawings of blocks, repeats as ×n, as wide as the window")
    found = page(net, by=options.shade, depth=options.depth, train=options.train, every_layer=options.every_layer)
    found.save(output)


def compared_page(
    nets: list[Net], output: str, by: str | None, *, baseline: str | None, depth: int | None, train: bool,
    algebra: bool | None, refused: Mapping[str, object],
) -> None:  # fmt: skip
    """Writes the page of networks beside each other. Raises UsageError for options that it does not have."""
    from costcalc.report.page.page import page

    if others := _names({**refused, **{f"--{name}": True for name in ADDED.given()}}):
        raise UsageError(f"{others}: a page of networks does not have this; --by METRIC says what it shows")
    if len(nets) < 2:
        raise UsageError("compare takes two or more networks; `costcalc show` shows one")
    found = page(*nets, by=by, baseline=baseline, depth=depth, train=train, algebra=algebra)
    found.save(output)


WRITERS: dict[str, Callable[[Net, PictureOptions, str], None]] = {
    ".svg": _drawing,
    ".png": _drawing,
    ".pdf": _drawing,
    ".html": _page,
    ".htm": _page,
    ".overlay.json": _overlay,
    ".graph.json": _explorer_graph,
}
