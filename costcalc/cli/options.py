"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from costcalc.errors import UnknownName, unknown
from costcalc.net import Net, apply_settings, load

FORMATS = ("table", "json", "csv", "markdown", "latex")

Target: TypeAlias = Annotated[str, typer.Argument(help="NAME, PRESET or path of a spec, with @knob=value,… behind it.")]
Targets: TypeAlias = Annotated[list[str], typer.Argument(help="Two or more of: NAME, PRESET, path; with @knob=value,…")]
Set: TypeAlias = Annotated[list[str] | None, typer.Option("--set", metavar="KNOB=VALUE", help="Set a knob; may be repeated.")]  # fmt: skip
Format: TypeAlias = Annotated[str | None, typer.Option("--format", "-f", help=f"One of {', '.join(FORMATS)}.")]
Output: TypeAlias = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE; the format is its suffix's.")]  # fmt: skip
MaxLayers: TypeAlias = Annotated[int, typer.Option("--max-layers", help="Refuse networks of more layers, repeats written out.")]  # fmt: skip


def nets(targets: list[str], settings: list[str] | None, max_layers: int = 100_000) -> list[Net]:
    """The networks a command was asked for."""
    return apply_settings([load(target, max_layers=max_layers) for target in targets], settings or [])


def checked_format(format: str | None) -> str | None:
    """The format, if there is such a one."""
    if format is not None and format not in FORMATS:
        raise UnknownName(unknown("format", format, FORMATS))
    return format


def emit(tables: Any, document: Any, format: str | None, output: Path | None) -> None:
    """Prints a result, or writes it to a file."""
    from costcalc import report

    report.emit(tables, document, format=checked_format(format), output=output)
