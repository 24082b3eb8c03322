"""scale: from a budget back to the knobs."""

from __future__ import annotations

from typing import Annotated

import typer

from costcalc.cli.options import SHOWN, Format, MaxBytes, MaxLayers, Output, Target, emit, looking, nets
from costcalc.errors import UsageError
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS


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
    from costcalc.analysis.scaling.phi import read_law
    from costcalc.analysis.scaling.scale import read_budget

    (net,) = nets([target], set_, max_layers, max_bytes)
    fixed = {text.partition("=")[0].strip() for text in set_ or ()}
    if both := [name.strip() for name in (free or "").split(",") if name.strip() in fixed]:
        raise UsageError(f"{both[0]} is both free and fixed; give one of --free and --fix")
    law = read_law(alpha, beta, gamma)
    budget = read_budget(most or [])
    if compound is not None:
        from costcalc.analysis.scaling.compound import compound_net, read_compound

        if free or grid or top:
            raise UsageError("--compound scales d, w and r; it goes without --free, --grid and --top")
        line = compound_net(net, law, read_compound(compound), budget)
        emit([line.table()], line.to_dict(), format, output)
        return
    from costcalc.analysis.scaling.budget import Fitting, scale_net
    from costcalc.analysis.sweep.grid import read_axes
    from costcalc.report.progress import progress

    with progress() as show:
        values = read_axes(grid or [], net.spec.knobs, net.name)
        found = scale_net(net, budget, free, grid=values, law=law, top=top, progress=show)
    shown = SHOWN if looking(format, output) else None
    emit(found.tables(shown) if isinstance(found, Fitting) else [found.table()], found.to_dict(), format, output)
