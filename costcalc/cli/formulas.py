"""The command about closed forms: formula."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from costcalc.cli.options import Format, MaxLayers, Set, Target, checked_output, emit, nets
from costcalc.report import format_of

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
    from costcalc.analysis.closed_form.answer import Answer, answer
    from costcalc.analysis.closed_form.formula import too_large
    from costcalc.analysis.closed_form.limits import time_limit
    from costcalc.analysis.closed_form.ratio import Ratio, ratio

    net, *others = nets([target, *([over] if over else [])], set_, max_layers)
    form = "python" if python else "latex" if latex else format_of(format, Path(output) if output else None)
    as_table = (elasticity or by_term) and not latex
    code, document, tables = "", {}, []
    with time_limit(SECONDS, too_large(net, SECONDS)):  # which ends before anyone reads what is printed
        found: Answer | Ratio
        if others:
            found = ratio(net, others[0], metric)
        else:
            found = answer(net, metric, assume=assume or (), elasticity=elasticity, terms=by_term)
        if form == "python" or (form == "latex" and not as_table):
            code = found.python if form == "python" else found.latex
        else:
            tables, document = found.tables(), found.to_dict() if form == "json" else {}
    if code:
        put(code, output)
    else:
        emit(tables, document, format, output)


def put(text: str, output: str | None) -> None:
    """Prints text as it is, or writes it to a file."""
    from costcalc.report import files, terminal

    if output and output != "-":
        files.write(Path(output), f"{text.rstrip()}\n")
    else:
        terminal.put(f"{text.rstrip()}\n")
