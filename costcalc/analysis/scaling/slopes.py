"""What each of depth, width and resolution does to the MACs of each preset: the tangent, and an exact doubling."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

from costcalc.analysis.scaling.along import costs_at
from costcalc.errors import CostcalcError
from costcalc.spec.network import Network
from costcalc.table import Column, Table

NOTE = (
    "elasticity: d log MACs / d log knob there, roundings relaxed: ceil(x), floor(x) and round_to(x, m) taken as x\n"
    "doubled: log2 of the exact MACs with the knob doubled over those at the preset"
)


def slopes(nets: Sequence[Network], knobs: Sequence[str]) -> list[dict[str, Any]]:
    """For each network the elasticity of its MACs by knob, and the exponent of a doubling; None where there is none."""
    tangents = _Tangents()
    rows = []
    for net, doubled in zip(nets, _doubled(nets, knobs)):
        there = tangents.at(net)
        row = {"preset": net.label, **{f"elasticity_{knob}": there.get(knob) for knob in knobs}}
        rows.append(row | {f"doubled_{knob}": doubled[knob] for knob in knobs})
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

    def at(self, net: Network) -> dict[str, Any]:
        """Elasticities by knob, or nothing for a network that has no closed form in its knobs."""
        from costcalc.analysis.closed_form.influence import derive_in_all, tangent

        choices = _choices(net)
        try:
            if choices not in self.known:
                self.known[choices] = None
                self.known[choices] = derive_in_all(net, "macs")
            formula = self.known[choices]
            return tangent(formula, net.knobs) if formula and formula.knobs.keys() >= {*net.spec.size_knobs} else {}
        except (CostcalcError, ZeroDivisionError):
            return {}


def _doubled(nets: Sequence[Network], knobs: Sequence[str]) -> list[dict[str, float | None]]:
    """For each network and knob log2 of how many times the MACs there are with the knob doubled."""
    found: list[dict[str, float | None]] = [dict.fromkeys(knobs) for _ in nets]
    for alike in _alike(nets):
        points = [(i, knob, _twice(nets[i], knob)) for i in alike for knob in ("", *knobs)]
        line = {name: [point[name] for _, _, point in points] for name in points[0][2]}
        costs = costs_at(nets[alike[0]], line, ["macs"])
        macs = dict.fromkeys(alike, 0)
        for (i, knob, _), valid, count in zip(points, costs.valid.tolist(), costs.of["macs"].tolist()):
            if not knob:
                macs[i] = count
            elif valid and macs[i] and count:
                found[i][knob] = log2(count) - log2(macs[i])
    return found


def _alike(nets: Sequence[Network]) -> list[list[int]]:
    """Which of them differ in numbers alone."""
    groups: dict[Any, list[int]] = {}
    for i, net in enumerate(nets):
        groups.setdefault(_choices(net), []).append(i)
    return [*groups.values()]


def _choices(net: Network) -> tuple[Any, ...]:
    return tuple(net.knobs_but(net.spec.size_knobs).values())


def _twice(net: Network, knob: str) -> dict[str, Any]:
    """All numbers of a network, one of them doubled."""
    return net.sizes | ({knob: 2 * net.knobs[knob]} if knob else {})
