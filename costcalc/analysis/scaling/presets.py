"""The presets of a spec side by side: settings, exact counts, published figures, and the law d·w²·r² beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import log, prod
from pathlib import Path
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.metric_names import check_not_a_metric, read_metrics
from costcalc.analysis.metric_notes import metric_notes
from costcalc.analysis.metrics import COUNTED, METRICS
from costcalc.analysis.power_laws import EXPONENTS, compound_knobs
from costcalc.analysis.reconcile import as_printed
from costcalc.analysis.scaling.along import costs_at
from costcalc.analysis.scaling.phi import PAPER_LAW
from costcalc.analysis.scaling.preset_chart import preset_chart
from costcalc.analysis.scaling.slopes import slopes, slopes_table
from costcalc.analysis.sweep.measured import Lookup, how_many_measured, measured_seconds
from costcalc.analysis.sweep.totals import totals_of
from costcalc.analysis.warnings import warnings_of_models
from costcalc.chart import Chart
from costcalc.errors import Problem, UsageError, shorten, unknown
from costcalc.models.model import Model
from costcalc.result import RowsResult
from costcalc.table import COUNT, Column, Table
from costcalc.text import equations_text, plural, power_text, times_text

PUBLISHED_METRICS = ("params", "macs")
BASES = {knob: float(base) for knob, base in PAPER_LAW.bases.items()}  # d = α^φ, w = β^φ, r = γ^φ from the first on
LAST_PHI = 7  # as far as B7 is from B0


@dataclass(frozen=True, eq=False, repr=False)
class PresetSweep(RowsResult):
    """A row for each preset; the law starts from the first.

    `rows`: one dict for each preset; with `law` and its `error`, a share of the exact count, if the knobs allow.
    """

    model: Model
    rows: tuple[dict[str, Any], ...]
    knobs: tuple[str, ...]  # set by the presets
    law: tuple[str, ...]  # read by the law
    metrics: tuple[str, ...] = PUBLISHED_METRICS
    models: tuple[Model, ...] = ()

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.model.label, warnings_of_models(self.models))]

    def table(self) -> Table:
        """Settings, metrics (params and MACs also as published), and the law with its error."""
        columns = [Column("preset", "preset", "text"), *(Column(name, name, "knob") for name in self.knobs)]
        for i, name in enumerate(self.metrics):
            rank = max(0, i - 1)
            if name in PUBLISHED_METRICS and self._has_figures(name):
                columns.append(
                    Column(f"{name}_published", f"published {METRICS[name].title}", "figure", 2 - (name == "macs"))
                )
            columns.append(metric_column(name, rank))
        notes = []
        if any(self._has_figures(name) for name in {*PUBLISHED_METRICS} & {*self.metrics}):
            notes.append("published: the figures of the spec's source; `costcalc reconcile` says why they differ")
        if self.law:
            law = "·".join(power_text(knob, EXPONENTS[knob]) for knob in self.law)
            columns += [Column("law", law, "int", 3, COUNT, "macs"), Column("error", "its error", "share", 3)]
            notes.append(f"{law}: the MACs of {self.rows[0]['preset']}, times what that product has grown by since")
        if "seconds" in self.metrics:
            notes.append(how_many_measured([row["seconds"] for row in self.rows]))
        notes += metric_notes(self.metrics, self.model.dtype, self.model.step)
        return Table(f"{self.model.name}: {self.model.architecture.title}", columns, self.to_records(), None, notes)

    def _has_figures(self, metric: str) -> bool:
        """Has any preset a published figure of this metric?"""
        return any(row[f"{metric}_published"] for row in self.rows)

    def tables(self) -> list[Table]:
        """The presets; their elasticities by each knob of the law; and, if it has all three knobs, the φ of each."""
        tables = [self.table()]
        if self.law:
            tables.append(slopes_table(self.elasticities, self.law))
        return [*tables, *([self.compound()] if set(self.law) == set(BASES) else [])]

    @cached_property
    def elasticities(self) -> list[dict[str, Any]]:
        """For each preset and knob of the law: the elasticity of the MACs, and the exponent of doubling the knob."""
        return slopes(self.models, self.law)

    @cached_property
    def growth(self) -> list[Any]:
        """The exact MACs at φ = 1 to 7 over those at φ − 1, starting from the first preset; empty if one of these
        networks is invalid."""
        if set(self.law) != set(BASES):
            return []
        points = PAPER_LAW.line(self.models[0], range(LAST_PHI + 1))
        found = costs_at(self.models[0], {knob: [point[knob] for point in points] for knob in BASES}, ["macs"])
        macs = found.values["macs"].tolist()
        return [Fraction(b, a) for a, b in pairwise(macs)] if found.valid.all() and all(macs) else []

    def compound(self) -> Table:
        """The φ that a preset's depth, width and resolution each imply."""
        columns = (Column("preset", "preset", "text"), *(Column(f"phi_{k}", f"φ by {k}", "real") for k in BASES))
        rows = [{"preset": row["preset"], **{f"phi_{k}": row[f"phi_{k}"] for k in BASES}} for row in self.rows]
        implied = [[row[f"phi_{k}"] for k in BASES if row[f"phi_{k}"] is not None] for row in self.rows]
        apart = max(max(phis) - min(phis) for phis in implied if phis)
        notes = [
            f"{PAPER_LAW.formula()} times those of {self.rows[0]['preset']}: "
            f"{PAPER_LAW.product_text()} times as many MACs for a φ of one more, by the law",
            *self._exactly(),
            f"the presets lie on no one φ: what depth, width and resolution imply is up to {apart:.2f} apart",
        ]
        return Table("the compound coefficient", columns, rows, None, notes)

    def _exactly(self) -> list[str]:
        """The law's promise by the exact counts."""
        if not self.growth:
            return []
        first, *later = (times_text(times) for times in self.growth)
        at = equations_text(PAPER_LAW.at(self.models[0], 1))
        then = f"{', '.join(later)} for φ = 2 to {LAST_PHI}"
        return [f"by the exact counts {first} times as many for φ = 1 ({at}), then {then}"]

    def chart(self) -> Chart:
        """Params against MACs, each preset with its name."""
        return preset_chart(self.model, self.rows)

    def plot(self, path: Path | str) -> None:
        """Writes the picture as .svg or .png. Raises UsageError for another suffix, MissingExtra without matplotlib."""
        self.chart().save(path)

    def _fields(self) -> dict[str, Any]:
        more = {"elasticities": self.elasticities, "growth": self.growth} if self.law else {}
        return {"target": self.model.name, "rows": self.to_records(), **more}

    def _summary(self) -> str:
        return f"{self.model.name}: {plural(len(self.rows), 'preset')}"

    def _picture(self) -> str:
        with suppress(UsageError):
            return self.chart().inline()
        return ""


def sweep_presets(
    model: Model, wanted: str, metrics: Sequence[str] | str | None = None, *, seconds: Lookup | None = None
) -> PresetSweep:
    """The presets that `wanted` names: `all`, or `b0,b3..b7` for `efficientnet_b0` and `_b3` to `_b7`. The default
    metrics are params and MACs.

    Raises UnknownName for one that does not exist, UsageError for a spec without presets, a range that goes backwards,
    or a network with symbols.
    """
    shown = read_metrics(metrics, PUBLISHED_METRICS)
    names = read_presets(wanted, model)
    model.require_numeric("sweep")
    models = [model.with_only({**model.presets[name].settings, **model.overrides}, name) for name in names]
    knobs = tuple(k for k in model.knobs if any(k in model.presets[name].settings for name in names))
    for knob in knobs:
        check_not_a_metric(knob)
    law = compound_knobs(models[0]) if "macs" in shown else ()
    rows: list[dict[str, Any]] = []
    times = measured_seconds(models, seconds) if "seconds" in shown else [None] * len(models)
    for name, one, time in zip(names, models, times):
        row = {"preset": name, **{knob: one.values[knob] for knob in knobs}}
        totals = {**totals_of(one, [metric for metric in shown if metric in COUNTED]), "seconds": time}
        for metric in shown:
            row |= {f"{metric}_published": _published(one, metric)} if metric in PUBLISHED_METRICS else {}
            row[metric] = totals[metric]
        rows.append(row)
    if law:
        base, first = rows[0]["macs"], models[0].values
        rows = [{**row, **_by_law(row["macs"], base, one.values, first, law)} for row, one in zip(rows, models)]
    return PresetSweep(model, tuple(rows), knobs, law, shown, tuple(models))


def _by_law(
    macs: int, base: int, at: Mapping[str, Any], first: Mapping[str, Any], law: Sequence[str]
) -> dict[str, Any]:
    """The MACs by the law, its error (None without MACs), and the φ that each knob implies (None for a knob of 0)."""
    said = base * prod((Fraction(at[knob]) / Fraction(first[knob])) ** EXPONENTS[knob] for knob in law)
    error = {"law": round(said), "error": (said - macs) / macs if macs else None}
    return error | {f"phi_{k}": log(at[k] / first[k]) / log(BASES[k]) if at[k] > 0 else None for k in law}


def read_presets(wanted: str, model: Model) -> list[str]:
    """Names of presets from `all`, `first..last` in the spec's order, or a list with commas."""
    names = [*model.presets]
    if not names:
        raise UsageError(f"{model.name} has no presets; sweep over its knobs: {', '.join(model.knobs)}")
    if wanted.strip() == "all":
        return names
    found: list[str] = []
    for part in wanted.split(","):
        first, dots, last = (end.strip() for end in part.partition(".."))
        start = names.index(_preset(first, names, model))
        end = names.index(_preset(last, names, model)) if dots else start
        if end < start:
            raise UsageError(
                f"--presets {shorten(part.strip())} goes backwards: {names[end]} comes before {names[start]}"
            )
        found += names[start : end + 1]
    return list(dict.fromkeys(found))


def _preset(short: str, names: Sequence[str], model: Model) -> str:
    for name in (short, f"{model.name}_{short}", f"{model.name}{short}"):
        if name in names:
            return name
    raise unknown("preset", short, names)


def _published(model: Model, metric: str) -> str | None:
    """The first published figure of the whole network."""
    own = (figure for figure in model.published if figure.preset == model.label and not figure.at and not figure.block)
    return next((as_printed(figure.value, figure.thousand) for figure in own if figure.metric == metric), None)
