"""`costcalc help`: the pages of the documentation, which are in every installation."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from costcalc.errors import unknown
from costcalc.report import clear_progress, put

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
    known, asked = pages(), _as_page(name)
    if asked not in known:
        raise unknown("page", name, known)
    return known[asked].read_text(encoding="utf-8")


def _as_page(name: str) -> str:
    return name.casefold().replace("_", "-")


def term(name: str) -> str:
    """What a term of the page of terms means, as `MACs: …`; empty for a word that is not one."""
    asked = name.casefold().replace("-", " ")
    for line in page("terms").splitlines():
        match [cell.strip() for cell in line.strip("|").split("|")]:
            case [word, meaning] if asked in word.casefold().replace("`", "").split(", "):
                return f"{word.replace('`', '')}: {meaning}\n"
    return ""


def help_(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="PAGE", help="Or a term, or a command; without one, all pages."),
    ] = None,
) -> None:
    """A page of the documentation: terms, specs, formats, exit-codes, and what else `costcalc help` lists; what a term
    means, as `help macs`; or the options of a command."""
    from costcalc.report import terminal

    name = " ".join(words or ())
    if not name:
        width = max(map(len, pages()))
        put("".join(f"{each:{width}}  {_title(path)}\n" for each, path in pages().items()))
    elif _as_page(name) not in pages() and (means := term(name)):
        put(means)
    elif _as_page(name) not in pages() and name in context.obj.commands:
        context.obj.run([name, "--help"])
    elif terminal.is_used():
        clear_progress()
        terminal.show_page(page(name))
    else:
        put(page(name))


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).lstrip("# ").rstrip("\n")
