"""The command about budgets: scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from costcalc.cli import warned
from costcalc.cli.options import (
    MAX_ROWS_SHOWN,
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
    Output,
    Target,
    emit,
    load_models,
    on_a_terminal,
    train_step,
)
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.train_step import DEFAULT_STEP

if TYPE_CHECKING:
    from costcalc.analysis.scaling.phi import CompoundLaw
    from costcalc.net import Net


def scale(
    target: Target,
    free: Annotated[
        str | None, typer.Option("--free", metavar="KNOBS", help="What to solve for: w, or r,d,w; else all sizes.")
    ] = None,
    most: Annotated[
        list[str] | None,
        typer.Option(
            "--max", "--target", metavar="METRIC=VALUE", help="As in macs=300M or params=6M; may be repeated."
        ),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="KNOB=VALUES", help="Look through r=128:320:8 or w=1,1.1; may be repeated."),
    ] = None,
    top: Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="Only the first N that fit.")] = None,
    compound: Annotated[
        str | None,
        typer.Option("--compound", metavar="phi=VALUE", help="Scale d, w and r together; phi alone: as --max allows."),
    ] = None,
    alpha: Annotated[str | None, typer.Option("--alpha", metavar="α", help="d = α^φ; 1.2.")] = None,
    beta: Annotated[str | None, typer.Option("--beta", metavar="β", help="w = β^φ; 1.1.")] = None,
    gamma: Annotated[str | None, typer.Option("--gamma", metavar="γ", help="r = γ^φ; 1.15.")] = None,
    optimizer: Optimizer = DEFAULT_STEP.optimizer,
    freeze: Freeze = None,
    freeze_statistics: FreezeStatistics = False,
    checkpoint: Checkpoint = None,
    columns: Columns = None,
    dtype: Dtype = None,
    input: Input = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", "--fix", metavar="KNOB=VALUE", help="Set a knob; may be repeated."),
    ] = None,
    format: Format = None,
    output: Output = None,
    max_layers: MaxLayers = MAX_LAYERS,
    max_bytes: MaxBytes = MAX_BYTES,
) -> None:
    """Backwards from a budget: the largest value of a knob that keeps it, or of several all that do and none beats;
    and compound scaling by φ."""
    from costcalc.analysis.metric_limits import read_budget
    from costcalc.analysis.scaling.phi import read_law

    step = train_step(optimizer, freeze, freeze_statistics, checkpoint)
    (model,) = load_models([target], set_, max_layers, max_bytes, dtype, step, inputs=input)
    law, budget = read_law(alpha, beta, gamma), read_budget(most or [])
    if compound is None:
        fixed = {text.partition("=")[0].strip() for text in set_ or ()}
        put_budget(model, budget, law, free, fixed, grid or [], top, columns, format, output)
        return
    if free or grid or top:
        raise UsageError("--compound scales d, w and r; it cannot be combined with --free, --grid and --top")
    from costcalc.analysis.scaling.compound import compound_model, read_compound

    scaled = compound_model(model, law, read_compound(compound), budget)
    warned.replace(model.label, lambda: scaled.warnings)
    emit(scaled, format, output, columns=columns)


def put_budget(
    model: Net, budget: Mapping[str, int], law: CompoundLaw, free: str | None, fixed: set[str], grid: list[str],
    top: int | None, columns: str | None, format: str | None, output: str | None,
) -> None:  # fmt: skip
    """Prints the largest value of a free knob that keeps a budget, or the settings of several that do."""
    from costcalc.analysis.scaling.budget import Fitting, read_free, scale_model
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.report.progress_bar import progress_bar

    values = read_axes(grid, model.knobs, model.name, numbers=True)
    names = read_free(model, free, values)
    if both := [name for name in names if name in fixed]:
        raise UsageError(f"{both[0]} is both free and fixed; give one of --free and --fix")
    with progress_bar() as show:
        found = scale_model(model, budget, names, grid=values, law=law, top=top, progress=show)
    warned.replace(model.label, lambda: found.warnings)
    shown = MAX_ROWS_SHOWN if on_a_terminal(format, output) else None
    tables = found.tables(shown) if isinstance(found, Fitting) else None
    emit(found, format, output, tables, columns=columns)
