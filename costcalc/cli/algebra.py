"""The command about closed forms: formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from costcalc import report
from costcalc.cli.fast_params import METRICS
from costcalc.cli.options import (
    Checkpoint,
    Columns,
    Dtype,
    Format,
    Freeze,
    FreezeStatistics,
    Input,
    MaxBytes,
    MaxLayers,
    Optimizer,
    Set,
    Target,
    check_folder,
    checked_output,
    load_models,
    train_step,
)
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP

if TYPE_CHECKING:
    from costcalc.models.model import Model

CONFLICTS = (  # an option, and those that it would ignore
    ("--over", ("--assume", "--elasticity", "--by-term")),
    ("--python", ("--latex", "--format", "--elasticity", "--by-term", "--columns")),
    ("--latex", ("--format", "--elasticity", "--by-term", "--columns")),
    ("--assume", ("--elasticity", "--by-term")),
)


def formula_output(context: typer.Context, output: str | None) -> str | None:
    """Checks that the file can be written: with any suffix for --python and --latex, else with that of a format."""
    is_code = context.params.get("python") or context.params.get("latex")
    return check_folder(output) if is_code else checked_output(context, output)


Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", callback=formula_output, help="Write FILE, in its suffix's format."),
]


@contextmanager
def progress_of(models: Iterable[Model]) -> Iterator[Any]:
    """A progress bar if one of the models runs for its formula, which may take long; else None."""
    if not any(model.architecture.only_here for model in models):
        yield None
        return
    from costcalc.report.progress_bar import progress_bar

    with progress_bar() as show:
        yield show


def formula(
    target: Target,
    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            "-m",
            metavar="METRIC",
            help=f"Any of {METRICS} that has a closed form.",
        ),
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
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    columns: Columns = None,
    dtype: Dtype = None,
    input: Input = None,
    set_: Set = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """The closed form of a cost, in every knob that is not set; or the ratio of two, as algebra."""
    refuse_together({
        "--over": over, "--assume": assume, "--python": python, "--latex": latex, "--elasticity": elasticity,
        "--by-term": by_term, "--format": format, "--columns": columns,
    })  # fmt: skip
    from costcalc.analysis.closed_form.formula_output import formula_output

    step = train_step(optimizer, freeze, freeze_statistics, checkpoint)
    targets = [target, *([over] if over else [])]
    model, *others = load_models(targets, set_, max_layers, max_bytes, dtype, step, inputs=input)
    form = "python" if python else "latex" if latex else report.format_of(format, Path(output) if output else None)
    with progress_of([model, *others]) as show:
        shown = formula_output(
            model, *others, metric=metric, form=form, assume=assume or (), elasticity=elasticity, terms=by_term,
            progress=show,
        )  # fmt: skip
    if shown.code:
        put_code(shown.code, output)
        return
    if columns is not None and shown.tables:
        from costcalc.analysis.selection import select_columns

        shown.tables[0] = select_columns(shown.tables[0], columns, hint="; `--metric` says what the formula is of")
    report.emit(shown.tables, shown.document, format=format, output=Path(output) if output else None)


def refuse_together(given: dict[str, object]) -> None:
    """Raises UsageError for two of these options that conflict."""
    for first, others in CONFLICTS:
        for second in others:
            if given[first] and given[second]:
                raise UsageError(f"{first} does not go with {second}; give one of them")


def put_code(text: str, output: str | None) -> None:
    """Prints code, or writes it to a file."""
    from costcalc import files

    if output and output != "-":
        files.write(Path(output), f"{text.rstrip()}\n")
    else:
        report.put(f"{text.rstrip()}\n")
