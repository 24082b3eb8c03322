"""What each of depth, width and resolution does to the MACs of each preset: the tangent, and an exact doubling."""

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
    """For each network the elasticity of its MACs by knob, and the exponent of a doubling; None where there is none."""
    from costcalc.analysis.closed_form.elasticity import doubled  # sympy

    tangents = _Tangents()
    rows = []
    for model in models:
        there = tangents.at(model)
        row = {"preset": model.label, **{f"elasticity_{knob}": there.get(knob) for knob in knobs}}
        times = {knob: doubled(model, knob) for knob in knobs}
        rows.append(row | {f"doubled_{knob}": log2(found) if found else None for knob, found in times.items()})
    return rows


def slopes_table(rows: list[dict[str, Any]], knobs: Sequence[str]) -> Table:
    """A row for each preset."""
    columns = (
        Column("preset", "preset", "text"), *(Column(f"elasticity_{knob}", f"by {knob}", "real") for knob in knobs),
        *(Column(f"doubled_{knob}", f"{knob} doubled", "real", 1) for knob in knobs),
    )  # fmt: skip
    return Table("elasticities of the MACs", columns, rows, None, [NOTE])


class _Tangents:
    """Closed forms, each derived once: presets of a spec that differ in numbers alone have the same."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def at(self, model: Model) -> dict[str, Any]:
        """Elasticities by knob, or nothing for a network that has no closed form in its knobs."""
        from costcalc.analysis.closed_form.elasticity import derive_in_all, tangent

        choices = _choices(model)
        try:
            if choices not in self.known:
                self.known[choices] = None
                self.known[choices] = derive_in_all(model, "macs")
            formula = self.known[choices]
            return tangent(formula, model.values) if formula and formula.knobs.keys() >= {*model.size_knobs} else {}
        except (CostcalcError, ZeroDivisionError):
            return {}


def _choices(model: Model) -> tuple[Any, ...]:
    return tuple(model.values_but(model.size_knobs).values())
