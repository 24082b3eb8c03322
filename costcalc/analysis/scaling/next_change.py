"""The next step up of each knob: how far it is free, what the step costs, and which layers change.

next_steps(costcalc.load("efficientnet@d=1.1")).table()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from costcalc.analysis.cost import cost_of
from costcalc.analysis.scaling.along import costs_at
from costcalc.analysis.scaling.default_grid import architecture_knobs
from costcalc.analysis.scaling.diff import describe_changes
from costcalc.analysis.scaling.knob_steps import KnobSteps, check_size_knob
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import Problem, UsageError
from costcalc.models.model import Model
from costcalc.result import RowsResult
from costcalc.table import COUNT, FOOTER, Column, Table
from costcalc.text import knobs_note, value_text

MAX_STEPS = 150_000  # in which a change is looked for
MAX_CHANGES_SHOWN = 3  # changes that a table names


@dataclass(frozen=True, eq=False, repr=False)
class NextSteps(RowsResult):
    """A row for each knob: its value `now`, the last that costs the same, the `next`, and the additional cost.

    `rows`: one dict for each knob: `knob`, `now`, `free_to`, `next` (None if nothing changes within the search),
    `params` and `macs` there, `more_params` and `more_macs`, these as a share, and `changes`, a list of texts.
    """

    model: Model
    rows: tuple[dict[str, Any], ...]
    among: Mapping[str, str]  # the steps of each knob, in words

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of(self.model))]

    def table(self) -> Table:
        """The next step of each knob, its cost and the reason."""
        columns = (
            Column("knob", "knob", "text"), Column("now", "now", "knob"), Column("free_to", "free to", "knob"),
            Column("next", "next", "knob"), Column("more_params", "more params", "int", 3, COUNT),
            Column("params_share", "params up", "share", 2), Column("more_macs", "more MACs", "int", 3, COUNT),
            Column("macs_share", "MACs up", "share", 1), Column("what", "what changes", "text", 1),
        )  # fmt: skip
        rows = [{**row, "what": _shortened(row["changes"])} for row in self.rows]
        notes = [*self._cheapest(), "free to: no metric changes up to this value; " + self._among()]
        notes += [*knobs_note(self.model.values_but(self.among)), FOOTER]
        return Table(f"{self.model.label}: the next step up of each knob", columns, rows, None, notes)

    def _cheapest(self) -> list[str]:
        """The knob whose next step costs the fewest additional MACs."""
        grown = [row for row in self.rows if row["more_macs"] is not None and row["more_macs"] > 0]
        if len(grown) < 2:
            return []
        least = min(grown, key=lambda row: row["more_macs"])
        return [f"the cheapest in MACs: {least['knob']} = {value_text(least['next'])}, {least['more_macs']:,} more"]

    def _among(self) -> str:
        knobs: dict[str, list[str]] = {}
        for knob, steps in self.among.items():
            knobs.setdefault(steps, []).append(knob)
        return "; ".join(f"{', '.join(names)} in {steps}" for steps, names in knobs.items())

    def _fields(self) -> dict[str, Any]:
        return {"target": self.model.label, "knobs": dict(self.model.values), "rows": self.to_records()}

    def _summary(self) -> str:
        rows = (row for row in self.rows if row["next"] is not None)
        shown = (f"{row['knob']} {value_text(row['now'])} → {value_text(row['next'])}" for row in rows)
        return f"{self.model.label}: {', '.join(shown)}"


def next_steps(model: Model, knobs: Sequence[str] | None = None) -> NextSteps:
    """The next step up of each knob that sets the size of the network, or of the given knobs.

    Compares all whole numbers, or thousandths of a real knob, up to the first at which a usual metric changes. Raises
    UnknownName for a knob that does not exist, UsageError for a network without such knobs or with symbols.
    """
    model.require_numeric("the next step of a knob")
    names = [*(architecture_knobs(model) if knobs is None else knobs)]
    if not names:
        raise UsageError(f"{model.label} has no knob that says how large it is")
    for name in names:
        check_size_knob(model, name)
    steps = {name: KnobSteps(model, name) for name in names}
    return NextSteps(
        model, tuple(_row(model, one) for one in steps.values()), {k: one.said() for k, one in steps.items()}
    )


def _row(model: Model, steps: KnobSteps) -> dict[str, Any]:
    knob, now = steps.knob, model.values[steps.knob]
    free, following = _found(model, steps)
    row = {"knob": knob, "now": now, "free_to": free, "next": following}
    before = cost_of(model)
    if following is None:
        return {**row, "params": None, "more_params": None, "params_share": None, "macs": None, "more_macs": None,
                "macs_share": None, "changes": [f"nothing up to {value_text(free)}"]}  # fmt: skip
    after = cost_of(model.at({knob: following}))
    for metric in ("params", "macs"):
        old, new = before.total(metric), after.total(metric)
        row |= {metric: new, f"more_{metric}": new - old, f"{metric}_share": Fraction(new - old, old) if old else None}
    return {**row, "changes": describe_changes(before, after)}


def _found(model: Model, steps: KnobSteps) -> tuple[Any, Any]:
    """The last value that costs the same as the knob's value now, and the first that does not, None if it is not
    within `MAX_STEPS`. Invalid values are skipped."""
    now = free = model.values[steps.knob]
    mine = {name: values[0] for name, values in costs_at(model, {steps.knob: [now]}, steps.metrics).values.items()}
    first = steps.index(now) + 1
    for indices, found in steps.chunks(first, min(steps.ends[1], first + MAX_STEPS - 1), steps.metrics):
        same = found.same_as(mine)
        other = np.flatnonzero(found.valid & ~same)
        kept = np.flatnonzero(same[: other[0]] if len(other) else same)
        free = steps.value(indices[kept[-1]]) if len(kept) else free
        if len(other):
            return free, steps.value(indices[other[0]])
    return free, None


def _shortened(found: Sequence[str]) -> str:
    more = f", and {len(found) - MAX_CHANGES_SHOWN} more" if len(found) > MAX_CHANGES_SHOWN else ""
    return ", ".join(found[:MAX_CHANGES_SHOWN]) + more
