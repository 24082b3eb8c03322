"""`costcalc help`: the pages of the documentation, which are in every installation."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from costcalc.errors import unknown
from costcalc.report import printing, put

SUFFIX = ".md"


@cache
def _folder() -> Path:
    """The folder of the pages: in an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "docs"
    return inside if inside.is_dir() else package.parent / "docs"


def pages() -> dict[str, Path]:
    """The file of each page by its name, `exit-codes`."""
    return {path.stem.replace("_", "-"): path for path in sorted(_folder().glob(f"*{SUFFIX}"))}


def page(name: str) -> str:
    """The text of a page, as Markdown. Raises UnknownName."""
    known, asked = pages(), name.casefold().replace("_", "-")
    if asked not in known:
        raise unknown("page", name, known)
    return known[asked].read_text(encoding="utf-8")


def help_(
    name: Annotated[str | None, typer.Argument(metavar="PAGE", help="Without one, all pages.")] = None,
) -> None:
    """A page of the documentation: terms, specs, formats, exit-codes, and what else `costcalc help` lists."""
    from costcalc.report import terminal

    if name is None:
        width = max(map(len, pages()))
        put("".join(f"{each:{width}}  {_title(path)}\n" for each, path in pages().items()))
    elif terminal.is_used():
        printing()
        terminal.show_page(page(name))
    else:
        put(page(name))


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).lstrip("# ").rstrip("\n")
