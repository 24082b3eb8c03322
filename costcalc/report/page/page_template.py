"""The templates of pages: text is escaped unless it is one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from costcalc.errors import MissingExtra
from costcalc.table import visible
from costcalc.text import value_text

HERE = Path(__file__).parent


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
        "unbroken": lambda text: visible(str(text)).replace(" ", "\u00a0"),
        "breakable": lambda text: Markup(str(escape(visible(str(text)))).replace("_", "_<wbr>").replace(".", ".<wbr>")),
    }  # fmt: skip
    return environment
