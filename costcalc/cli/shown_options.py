"""Options on how numbers are shown: their units, and the caption and label of a LaTeX table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli.added_options import AddedOptions
from costcalc.errors import UsageError
from costcalc.table import LatexFloat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costcalc.table import Table

UnitsOption = Annotated[
    str | None,
    typer.Option("--units", metavar="UNITS", help="Of counts and bytes, one a column: auto, none, M, MiB, or M,MiB."),
]
Caption = Annotated[
    str | None, typer.Option("--caption", metavar="TEXT", help="Of a LaTeX table that floats, in place of its title.")
]
Label = Annotated[str | None, typer.Option("--label", metavar="NAME", help="Of a LaTeX table, to refer to it.")]
ADDED = AddedOptions(
    ("dtype", "format", "output"),
    {"units": (UnitsOption, None), "caption": (Caption, None), "label": (Label, None)},
    not_of=("formula", "reconcile"),  # whose numbers are formulas and figures
)


def in_units_asked(tables: Sequence[Table]) -> Sequence[Table]:
    """The tables in the units that the command was given. Raises UnknownName, UsageError."""
    if (asked := ADDED.given().get("units")) is None:
        return tables
    from costcalc.table.units import in_units, read_units

    units = read_units(asked)
    return [in_units(table, units) for table in tables]


def float_asked(format: str) -> LatexFloat:
    """The caption and label that the command was given. Raises UsageError for a format that has none, and for
    a label that LaTeX could not find again."""
    given = ADDED.given()
    if given.keys() & {"caption", "label"} and format != "latex":
        raise UsageError("--caption and --label are of LaTeX; add -f latex, or -o FILE.tex")
    return LatexFloat.read(given.get("caption", ""), given.get("label", ""))
