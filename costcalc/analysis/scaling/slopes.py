"""How the MACs of each preset respond to depth, width and resolution: elasticities, and exact doublings."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from costcalc.errors import CostcalcError
from costcalc.models.model import Model
from costcalc.table import Column, Table

NOTE = (
    "elasticity: d log MACs / d log knob there, roundings relaxed: ceil(x), floor(x) and round_to(x, m) taken as x\n"
    "doubled: log2 of the exact MACs with the knob doubled over those at the preset"
)


def slopes(models: Sequence[Model], knobs: Sequence[str]) -> list[dict[str, Any]]:
    """For each network, by knob: the elasticity of its MACs and the exponent of a doubling; None without one."""
    from costcalc.analysis.closed_form.elasticity import doubled  # sympy

    known: dict[Any, Any] = {}
    rows = []
    for model in models:
        there = _elasticities(model, known)
        row = {"preset": model.label, **{f"elasticity_{knob}": there.get(knob) for knob in knobs}}
        times = {knob: doubled(model, knob) for knob in knobs}
        rows.append(row | {f"doubled_{knob}": log2(found) if found else None for knob, found in times.items()})
    return rows


def _elasticities(model: Model, known: dict[Any, Any]) -> dict[str, Any]:
    """The elasticities by knob; empty for a network without a closed form in all its knobs.

    `known` keeps the closed forms: presets that differ in numbers alone share one.
    """
    from costcalc.analysis.closed_form.elasticity import derive_in_all, elasticities_at

    choices = tuple(model.values_but(model.size_knobs).values())
    try:
        if choices not in known:
            known[choices] = None
            known[choices] = derive_in_all(model, "macs")
        formula = known[choices]
        complete = formula and formula.knobs.keys() >= {*model.size_knobs}
        return elasticities_at(formula, model.values) if complete else {}
    except (CostcalcError, ZeroDivisionError):
        return {}


def slopes_table(rows: list[dict[str, Any]], knobs: Sequence[str]) -> Table:
    """A row for each preset."""
    columns = (
        Column("preset", "preset", "text"), *(Column(f"elasticity_{knob}", f"by {knob}", "real") for knob in knobs),
        *(Column(f"doubled_{knob}", f"{knob} doubled", "real", 1) for knob in knobs),
    )  # fmt: skip
    return Table("elasticities of the MACs", columns, rows, None, [NOTE])
