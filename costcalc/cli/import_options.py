"""Options that every command has which takes a network to import: what the reader accepts of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from costcalc.cli.added_options import AddedOptions

AssumeFree = Annotated[
    list[str] | None,
    typer.Option(
        "--assume-free", metavar="OP", help="Count an op of an imported network that has no rule as 0; may be repeated."
    ),
]
UntilValues = Annotated[
    bool,
    typer.Option("--until-values", help="Count a torch module that asks for a value of a tensor up to there."),
]
ADDED = AddedOptions(("input",), {"assume_free": (AssumeFree, None), "until_values": (UntilValues, False)})


def chosen() -> dict[str, Any]:
    """The arguments of `costcalc.load` that the command was given."""
    return ADDED.given()
