"""Exponents fitted over a sweep: macs ≈ c · r^a · d^b · w^e by least squares of the logarithms.

costcalc.sweep("efficientnet", r="128:600:8", d="1:3:0.1", w="1:2:0.1").fit().table()
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from costcalc.analysis.columns import metric_cell
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.kept_points import KeptPoints, invalid_note
from costcalc.analysis.warnings import warnings_of_grid
from costcalc.errors import Problem, UsageError
from costcalc.result import RowsResult
from costcalc.table import FOOTER, Column, Table
from costcalc.text import knobs_note

FLOAT_NOISE = 1e-9  # an exponent below this is 0
METHOD = (
    "least squares of log metric on the logs of the knobs; ±: the standard error of an exponent, as if points missed "
    "the law by chance, which roundings do not"
)


@dataclass(frozen=True, eq=False, repr=False)
class Fit(RowsResult):
    """A row for each metric: the exponent of each knob with its standard error, the constant, and the largest error.

    `rows`: one dict for each metric: for a knob `r` the exponent `r` and its standard error `r_error`; `constant`;
    `largest_error`, of the fit as a share of the exact cost; `r_squared` of the logs, None where nothing varies.
    """

    swept: KeptPoints
    knobs: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...] = ()  # knobs and metrics without a fit, each with the reason

    def table(self) -> Table:
        """The exponents with their standard errors, and the largest error of each fit."""
        pairs = [(Column(knob, knob, "real"), Column(f"{knob}_error", f"± {knob}", "brief", 2)) for knob in self.knobs]
        columns = (
            Column("metric", "exponents of", "text"), *(column for pair in pairs for column in pair),
            Column("constant", "constant", "measured", 3), Column("r_squared", "R²", "real", 4),
            Column("largest_error", "largest error", "share", 1),
        )  # fmt: skip
        rows = [{**row, "metric": metric_cell(row["metric"])} for row in self.rows]
        powers = " · ".join(f"{knob}^…" for knob in self.knobs)
        title = f"{self.swept.model.heading}, as constant · {powers}"
        return Table(title, columns, rows, None, [*self.notes(), FOOTER])

    def notes(self) -> list[str]:
        """How many points were fitted, the method, and the metrics that were left out."""
        swept = self.swept
        notes = [
            f"fitted to {len(swept):,} of {swept.grid.size:,} points" + (f": {swept.chosen}" if swept.chosen else "")
        ]
        if swept.invalid:
            notes.append(invalid_note(swept.invalid, swept.reason))
        return [*notes, METHOD, *self.left_out, *knobs_note(swept.model.values_but(swept.grid.axes))]

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.swept.model.label, warnings_of_grid(self.swept.model, self.swept.grid.axes))]

    def _fields(self) -> dict[str, Any]:
        axes = {name: list(values) for name, values in self.swept.grid.axes.items()}
        return {
            "target": self.swept.model.label, "knobs": self.swept.model.values_but(axes), "axes": axes,
            "points": len(self.swept), "rows": self.to_records(),
        }  # fmt: skip

    def _summary(self) -> str:
        return f"{self.swept.model.label}: {', '.join(self.knobs)} over {len(self.swept):,} points"


def fit(swept: KeptPoints) -> Fit:
    """The exponents of each swept knob in each metric, over the points that were kept.

    Raises UsageError for too few points, or knobs that change together in them.
    """
    columns = swept.columns
    knobs = [name for name in swept.grid.axes if len({*columns[name].tolist()}) > 1]
    left_out = [f"{name} has one value in these points: no exponent" for name in swept.grid.axes if name not in knobs]
    design, rows = _design(swept, knobs), []
    for metric in swept.metrics:
        if None in columns[metric].tolist():
            left_out.append(f"{METRICS[metric].title}: not timed at some points")
        elif min(columns[metric].tolist(), default=1) <= 0:
            left_out.append(f"{METRICS[metric].title}: 0 at some points, which has no logarithm")
        else:
            rows.append({"metric": metric, **_fitted(design, _logs(columns[metric]), knobs)})
    return Fit(swept, tuple(knobs), tuple(rows), tuple(left_out))


def _design(swept: KeptPoints, knobs: list[str]) -> Any:
    """A row for each point: 1, and the logarithms of these knobs. Raises UsageError as `fit` does."""
    columns = swept.columns
    for name in knobs:
        if name not in swept.grid.numbers:
            raise UsageError(f"{name} is not numeric, and has no exponent: keep one value, as in --where or behind @")
    if not knobs or len(swept) < len(knobs) + 2:
        needed = f"{len(knobs) + 2} points of which the knobs differ"
        raise UsageError(f"a fit takes at least {needed}, and here are {len(swept):,}: give more values")
    for name in knobs:
        if min(columns[name].tolist()) <= 0:
            raise UsageError(f"{name} is 0 at some points, which has no logarithm: leave them out with --where")
    design = np.stack([np.ones(len(swept)), *(_logs(columns[name]) for name in knobs)], axis=1)
    if np.linalg.matrix_rank(design) < len(knobs) + 1:
        raise UsageError(f"{' and '.join(knobs)} change together in these points: no exponents of their own")
    return design


def _fitted(design: Any, logs: Any, knobs: list[str]) -> dict[str, Any]:
    """Exponents, standard errors, constant, R² and the largest relative error of one metric."""
    found, *_ = np.linalg.lstsq(design, logs, rcond=None)
    off = design @ found - logs
    scatter, about = float(off @ off), float(((logs - logs.mean()) ** 2).sum())
    variance = scatter / (len(logs) - len(found))
    errors = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    found[np.abs(found) < FLOAT_NOISE] = 0
    exponents = {knob: float(found[i]) for i, knob in enumerate(knobs, 1)}
    deviations = {f"{knob}_error": float(errors[i]) for i, knob in enumerate(knobs, 1)}
    worst = float(np.expm1(off[np.argmax(np.abs(np.expm1(off)))]))
    varies = about > FLOAT_NOISE * len(logs)
    return {
        **exponents, **deviations, "constant": float(np.exp(found[0])),
        "r_squared": 1 - scatter / about if varies else None, "largest_error": worst,
    }  # fmt: skip


def _logs(values: Any) -> Any:
    """Natural logarithms, also of numbers too large for a float."""
    ratios = (value.as_integer_ratio() for value in values.tolist())
    return np.array([log(over) - log(under) for over, under in ratios])
