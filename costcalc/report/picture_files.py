"""The files of `-o` that hold no table: drawings, pages and overlays. Each suffix with the commands that write it.

A new one is a line of PICTURES, and a line in the command that writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from costcalc.errors import UsageError


class Picture(NamedTuple):
    """What a file with a suffix holds, which commands write it, and a check that its packages are installed."""

    what: str
    commands: tuple[str, ...]
    needs: Callable[[], object] | None = None  # raises MissingExtra


def _matplotlib() -> None:
    from costcalc.chart.draw import import_matplotlib

    import_matplotlib()


PLOTTED = ("memory",)  # commands whose pictures are plots, which matplotlib draws also as SVG
WITH_PLOT = ("compare", "sweep")  # commands that draw beside their table


def _jinja2() -> None:
    from costcalc.report.page.page_template import check_template

    check_template()


PICTURES: dict[str, Picture] = {
    ".svg": Picture("a drawing", ("show", *PLOTTED)),
    ".png": Picture("a drawing", ("show", *PLOTTED), _matplotlib),
    ".pdf": Picture("a drawing", ("show", *PLOTTED), _matplotlib),
    ".html": Picture("a page", ("show", "compare"), _jinja2),
    ".htm": Picture("a page", ("show", "compare"), _jinja2),
    ".overlay.json": Picture("an overlay for viewers", ("show",)),
    ".graph.json": Picture("a graph for Model Explorer", ("show",)),
}


def picture_suffix(output: Path | str | None, format: str | None = None) -> str:
    """The suffix of a file that holds no table: `.svg`, `.overlay.json`; "" for others, and with a format by name."""
    name = str(output or "").lower()
    found = [suffix for suffix in PICTURES if format is None and name.endswith(suffix)]
    return max(found, key=len, default="")


def suffixes_of(command: str) -> str:
    """The suffixes that a command writes besides those of tables, as a message lists them."""
    return " ".join(suffix for suffix, picture in PICTURES.items() if command in picture.commands)


def check_picture_of(command: str, output: Path | str, format: str | None = None) -> bool:
    """Is it a file that holds no table? Raises UsageError if this command writes no such file, MissingExtra."""
    suffix = picture_suffix(output, format)
    if not suffix:
        return False
    picture = PICTURES[suffix]
    if command not in picture.commands:
        others = " and ".join(f"`costcalc {name}`" for name in picture.commands)
        hint = f"; --plot FILE{suffix} draws" if command in WITH_PLOT and "show" in picture.commands else ""
        raise UsageError(f"{command} has no {suffix} file, which is {picture.what} of {others}{hint}")
    if picture.needs is not None:
        picture.needs()
    if command in PLOTTED:
        _matplotlib()
    return True
