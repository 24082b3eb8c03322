"""The templates of pages: text is escaped unless it is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from costcalc.errors import MissingExtra
from costcalc.table import Table, visible
from costcalc.text import value_text

HERE = Path(__file__).parent
MAX_USUAL_COLUMNS = 7  # a table of more has smaller type
MAX_SHORT_ROWS = 20  # of a table that stays on one sheet of paper
MAX_SHORT_LETTERS = 150  # of its first row
MAX_STILL_LETTERS = 600  # of the markup of a formula that does not scroll


def check_template() -> None:
    """Raises MissingExtra without jinja2."""
    page_template()


def page_template() -> Any:
    """The template of a page. Raises MissingExtra."""
    return page_templates(HERE).get_template("template.html")


def page_templates(folder: Path) -> Any:
    """An environment of jinja2 for the templates of a folder: text is escaped, and what is missing is an error. Raises
    MissingExtra."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup, escape
    except ImportError:
        raise MissingExtra("a report needs jinja2", "report") from None
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible": lambda text: visible(str(text)), "trusted": Markup, "value": value_text,
        "table_class": table_class, "scrolls": scrolls,
        "unbroken": lambda text: visible(str(text)).replace(" ", "\u00a0"),
        "breakable": lambda text: Markup(str(escape(visible(str(text)))).replace("_", "_<wbr>").replace(".", ".<wbr>")),
    }  # fmt: skip
    return environment


def table_class(table: Table) -> str:
    """The classes of the frame around a table: `many` columns, few and `short` rows."""
    many = len(table.columns) > MAX_USUAL_COLUMNS
    short = 0 < len(table.rows) <= MAX_SHORT_ROWS and len("".join(table.texts(table.rows[0]))) < MAX_SHORT_LETTERS
    return " ".join(["wide", *["many"] * many, *["short"] * short])


def scrolls(pieces: Sequence[str]) -> bool:
    """May a formula of these pieces of markup be wider than the page?"""
    return max(map(len, pieces)) > MAX_STILL_LETTERS
