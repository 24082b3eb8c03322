"""The command about closed forms: formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from costcalc.cli.options import Format, MaxLayers, Set, Target, checked_output, emit, nets
from costcalc.report import format_of

if TYPE_CHECKING:
    from costcalc.analysis.formula import Formula
    from costcalc.net import Net

SECONDS = 12.0  # for everything; the closed form alone has ten


def formula_output(context: typer.Context, output: str | None) -> str | None:
    """The file: of a suffix there is a format for, or the code of --python in whatever the user calls it."""
    raw = context.params.get("python") or context.params.get("latex")
    return output if raw else checked_output(context, output)


Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", callback=formula_output, help="Write FILE, in its suffix's format."),
]


def formula(
    target: Target,
    metric: Annotated[
        str,
        typer.Option("--metric", "-m", help="macs, params, weight, bias, norm, buffers, elementwise or activations."),
    ] = "macs",
    over: Annotated[
        str | None, typer.Option("--over", metavar="TARGET", help="Divide by the cost of this one.")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            "--assume", metavar="RULE", help="Without floors: r%32==0 for a formula in r, r=32*k for one in k."
        ),
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", is_eager=True, help="LaTeX to include, with amsmath.")] = False,
    python: Annotated[
        bool, typer.Option("--python", is_eager=True, help="Python to run, exact and by itself.")
    ] = False,
    elasticity: Annotated[
        bool, typer.Option("--elasticity", help="What each knob does, at the current settings.")
    ] = False,
    by_term: Annotated[bool, typer.Option("--by-term", help="Which blocks dominate, at the current settings.")] = False,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = 100_000,
) -> None:
    """The closed form of a cost, in every knob that is not set; or the ratio of two, as algebra."""
    from costcalc.analysis.formula import too_large
    from costcalc.analysis.limits import time_limit

    both = nets([target, *([over] if over else [])], set_, max_layers)
    if not (latex or python or elasticity or by_term):
        latex = format_of(format, Path(output) if output else None) == "latex"
    with time_limit(SECONDS, too_large(both[0], SECONDS)):
        if over:
            _emit_ratio(both, metric, latex, python, format, output)
        else:
            _emit_formula(both[0], metric, assume, (latex, python, elasticity, by_term), format, output)


def _emit_ratio(
    both: list[Net], metric: str, latex: bool, python: bool, format: str | None, output: str | None
) -> None:
    from costcalc.analysis.ratio import ratio

    found = ratio(both[0], both[1], metric)
    if latex or python:
        put(found.latex if latex else found.python, output)
    else:
        emit([found.table()], found.to_dict(), format, output)


def _emit_formula(
    net: Net, metric: str, assume: list[str] | None, wanted: tuple[bool, ...], format: str | None, output: str | None
) -> None:
    from costcalc.analysis.assume import floor_free, parse_assumption, views
    from costcalc.analysis.formula import derive
    from costcalc.analysis.influence import by_term, elasticities

    latex, python, elasticity, terms = wanted
    found = derive(net, metric)
    shown = [floor_free(found, [parse_assumption(text, found) for text in assume])] if assume else views(found)
    if latex or python:
        put(shown[0].latex if latex else shown[0].python, output)
        return
    asked = {"elasticity": elasticities(net, metric)} if elasticity else {}
    asked |= {"by_term": by_term(net, metric)} if terms else {}
    document = {**shown[0].to_dict(), **_without_floors(shown[1:]), **{k: t.to_records() for k, t in asked.items()}}
    emit([*asked.values()] or [one.table() for one in shown], document, format, output)


def _without_floors(shown: list[Formula]) -> dict[str, Any]:
    keys = ("given", "free", "text", "latex", "python", "terms", "where", "domain")
    return {"without_floors": {key: value for key, value in shown[0].to_dict().items() if key in keys}} if shown else {}


def put(text: str, output: str | None) -> None:
    """Prints text as it is, or writes it to a file."""
    from costcalc.report import files, terminal

    if output and output != "-":
        files.write(Path(output), f"{text.rstrip()}\n")
    else:
        terminal.put(f"{text.rstrip()}\n")
