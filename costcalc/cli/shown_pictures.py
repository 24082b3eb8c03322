"""The files of `costcalc show -o` that hold no table, and their options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias

import typer

from costcalc.cli.fast_params import METRICS
from costcalc.cli.shown_options import ADDED
from costcalc.drawing.styles import BLOCKS, STYLES
from costcalc.errors import UsageError
from costcalc.report.picture_files import picture_suffix

if TYPE_CHECKING:
    from costcalc.net import Net

Shade: TypeAlias = Annotated[
    str | None,
    typer.Option("--shade", metavar="METRIC", help=f"What the boxes of a drawing show; macs if not given. {METRICS}."),
]
EveryLayer: TypeAlias = Annotated[
    bool, typer.Option("--every-layer", help="A drawing with a box for each layer, activations too.")
]
Style: TypeAlias = Annotated[
    str | None, typer.Option("--style", metavar="STYLE", help=f"Of a drawing: {' or '.join(STYLES)}.")
]
Width: TypeAlias = Annotated[
    int | None, typer.Option("--width", metavar="PX", min=1, help="The most a drawing may be wide: 390 for a phone.")
]


class Asked(NamedTuple):
    """The options of drawings that a command was given."""

    depth: int | None = None
    shade: str | None = None
    every_layer: bool = False
    style: str | None = None
    width: int | None = None
    unroll: bool = False
    train: bool = False

    def check(self, output: str | None, format: str | None, columns: str | None) -> str:
        """The suffix of the file if it holds no table, else "". Raises UsageError for options that it does not have."""
        suffix = picture_suffix(output, format)
        if not suffix:
            given = {"--shade": self.shade, "--every-layer": self.every_layer, "--style": self.style,
                     "--width": self.width}  # fmt: skip
            if others := _names(given):
                raise UsageError(f"{others}: only drawings have them; add -o FILE.svg")
            return ""
        if others := _names({"--columns": columns, **{f"--{name}": True for name in ADDED.given()}}):
            raise UsageError(f"{others}: a {suffix} file has no table; --shade METRIC says what it shows")
        return suffix


def _names(given: Mapping[str, object]) -> str:
    return ", ".join(option for option, value in given.items() if value)


def _drawing(net: Net, asked: Asked, output: str) -> None:
    net.drawing(
        depth=asked.depth, shade=asked.shade or ("train_macs" if asked.train else "macs"), width=asked.width,
        style=asked.style or BLOCKS, every_layer=asked.every_layer, unrolled=asked.unroll,
    ).save(output)  # fmt: skip


WRITERS: dict[str, Callable[[Net, Asked, str], None]] = {
    ".svg": _drawing,
    ".png": _drawing,
    ".pdf": _drawing,
}
