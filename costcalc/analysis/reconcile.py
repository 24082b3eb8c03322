"""Published figures beside ours, to the digits printed, and the reason where they differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costcalc.analysis.conventions import Convention, read_convention
from costcalc.analysis.cost import Cost, cost_of
from costcalc.analysis.fold import block_names
from costcalc.analysis.warnings import warnings_of
from costcalc.errors import CostcalcError, Problem, SpecError, did_you_mean
from costcalc.models.knob import FREEZE, Published
from costcalc.models.knob_texts import preset_of
from costcalc.models.model import Model
from costcalc.pipeline.pipeline_library import pipeline_paths
from costcalc.result import Result
from costcalc.table import CONVENTION, Column, RelativeDifference, Table, Worded
from costcalc.text import as_float, plural, value_text

COLUMNS = (
    Column("what", "figure", "text"),
    Column("published", "published", "figure"),
    Column("ours", "ours", "figure"),
    Column("exact", "exact", "int", 2),
    Column("difference", "differs by", "signed", 3),
    Column("source", "from", "text", 4),
    Column("verdict", "", "text", 1),
)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3}


@dataclass(frozen=True, eq=False)
class FigureCheck:
    """One published figure and ours. `agrees`: equal to the digits printed."""

    published: Published
    network: str
    exact: int
    ours: str  # in the author's unit and digits
    agrees: bool
    difference: RelativeDifference | None  # (published − exact) / exact; None if we count nothing


@dataclass(frozen=True, eq=False, repr=False)
class Reconciliation(Result):
    """The published figures of a network or pipeline at the given settings; `others` are networks of the same spec that
    have figures. `kind`: spec or another source; `convention`: what the figures count; `see`: where to find more."""

    target: str
    heading: str
    kind: str
    figures: tuple[FigureCheck, ...]
    others: tuple[str, ...] = ()
    warned: tuple[Problem, ...] = ()
    convention: str = CONVENTION
    see: str = ""

    def _warned(self) -> list[tuple[str, tuple[Problem, ...]]]:
        return [(self.target, self.warned)]

    @property
    def ok(self) -> bool:
        """Does every figure agree, or say why not?"""
        return all(figure.agrees or figure.published.because for figure in self.figures)

    def table(self) -> Table:
        """A row for each figure: published, ours, difference, reason."""
        rows = [{**_record(figure), "difference": _shown_difference(figure)} for figure in self.figures]
        notes = [self.convention, "ours: rounded or cut to the digits and the unit of the published figure"]
        shown = notes if rows else [self._why_none()]
        return Table(self.heading, COLUMNS, rows, notes=[*shown, *([self.see] if self.see else [])])

    def _why_none(self) -> str:
        if self.others:
            return f"no published figures at these settings; there are some for {'; '.join(self.others)}"
        if self.kind != "spec":
            return f"no published figures: {'an' if self.kind[0] in 'aeiou' else 'a'} {self.kind} lists none"
        return "no published figures: add them to the spec under `published:`"

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each figure."""
        return [_record(figure) for figure in self.figures]

    def _fields(self) -> dict[str, Any]:
        return {"target": self.target, "ok": self.ok, "figures": self.to_records(), "others": list(self.others)}

    def _summary(self) -> str:
        agreeing, figures = sum(figure.agrees for figure in self.figures), plural(len(self.figures), "figure")
        return f"{self.target}: {agreeing} of {figures} agreeing"


def reconcile_model(model: Model) -> Reconciliation:
    """The published figures of a network beside ours; of a spec by its own name those of all its networks. If the model
    sets knobs, only those at these values.

    Raises SpecError if a figure names a block that does not exist, UsageError if a knob of the model is not numeric.
    """
    model.require_numeric("reconcile")
    costs: dict[str, Cost] = {}
    figures, others = [], []
    for published in model.published:
        if published.is_quoted:
            continue
        other = network_of(model, published)
        label = other.label
        if not is_asked_for(model, published, other):
            others.append(label)
            continue
        if label not in costs:
            costs[label] = cost_of(other)
        figures.append(check_figure(published, label, _exact(published, label, costs[label])))
    kind, others = model.architecture.kind, [*dict.fromkeys(others)]
    see = f"figures of its images: `costcalc reconcile augment:{model.name}`" if model.name in pipeline_paths() else ""
    if figures and others:
        see = "; ".join(filter(None, (see, f"figures of others of this spec: `costcalc reconcile {model.name}`")))
    warned = warnings_of(model)
    return Reconciliation(model.label, model.heading, kind, tuple(figures), tuple(others), warned, see=see)


def is_asked_for(model: Model, published: Published, network: Model) -> bool:
    """Is a figure of this network one of the model's? It agrees with what the model sets, and if the model is a preset,
    the figure is of that preset, at whatever other settings, or of the very same network."""
    asked = {name: value for name, value in model.settings.items() if name != FREEZE.name}
    if not asked.items() <= network.values.items():
        return False
    preset = preset_of(model.label, model.presets)
    return preset is None or published.preset == preset.name or model.values_but((FREEZE.name,)) == network.values


def network_of(model: Model, published: Published) -> Model:
    """The network a figure is for."""
    preset = model.presets[published.preset].settings if published.preset else {}
    at = ",".join(f"{name}={value_text(value)}" for name, value in published.at.items())
    label = (published.preset or model.name) + (f"@{at}" if at else "")
    return model.with_only({**preset, **published.at}, label)


def check_figure(published: Published, label: str, exact: int) -> FigureCheck:
    """A published figure beside our exact one; `label` is the network or pipeline that it is of."""
    printed, unit, decimals = read_figure(published.value, published.thousand)
    equal = agrees(exact, printed, unit, decimals)
    ours = published.value if equal else figure_text(exact, published.value, published.thousand)
    apart = printed * unit - exact
    share = as_float(apart / exact) if exact else None
    return FigureCheck(
        published, label, exact, ours, equal, None if share is None else RelativeDifference(share, apart)
    )


def _exact(published: Published, label: str, cost: Cost) -> int:
    """Our count for the network or block of a figure. Raises SpecError for a metric or block that does not exist."""
    convention = convention_of(published)
    if not published.block:
        return convention.total(cost)
    depth = published.block.count(".") + 1
    found = [block for block in cost.fold(depth, convention.metrics) if block.name == published.block]
    if not found:
        hint = did_you_mean(published.block, block_names(cost.layers))
        raise SpecError(Problem(published.place, f"no block {published.block!r} in {label}", hint))
    return convention.of(lambda name: found[0].costs[name])


def convention_of(published: Published) -> Convention:
    """What a figure counts. Raises SpecError, at its place, for a metric that does not exist or is not whole."""
    try:
        return read_convention(published.metric)
    except CostcalcError as error:
        raise SpecError(Problem(published.metric_place, *error.said)) from None


def read_figure(text: str, thousand: int) -> tuple[Fraction, int, int]:
    """`2.7K` as (27/10, 1000, 1): number, unit, decimals."""
    digits, suffix = re.fullmatch(r"([0-9.,]+)([KMGB]?)", text).groups()  # type: ignore[union-attr]
    digits = digits.replace(",", "")
    return Fraction(digits), thousand ** POWERS[suffix], len(digits.partition(".")[2])


def as_printed(text: str, thousand: int) -> Worded:
    """A figure with its digits and unit, and its plain number: `2.7K` is 2700, or with a K of 1024 2764.8."""
    number, unit, _ = read_figure(text, thousand)
    return Worded(text, number * unit)


def agrees(exact: int, printed: Fraction, unit: int, decimals: int) -> bool:
    """Does `exact`, rounded half up or cut to the printed decimals, give the printed figure?"""
    return printed * 10**decimals in (exact * 10**decimals // unit, _rounded(exact, unit, decimals))


def _rounded(exact: int, unit: int, decimals: int) -> int:
    """In units of the last decimal, half up."""
    return (Fraction(exact * 10**decimals, unit) + Fraction(1, 2)) // 1


def figure_text(exact: int, like: str, thousand: int) -> str:
    """Our number with the unit and decimals of a published one."""
    _, unit, decimals = read_figure(like, thousand)
    if unit == 1:
        return f"{exact:,}"
    steps = _rounded(exact, unit, decimals)
    whole, rest = divmod(steps, 10**decimals)
    return f"{whole:,}" + (f".{rest:0{decimals}d}" if decimals else "") + like[-1]


def _record(figure: FigureCheck) -> dict[str, Any]:
    p = figure.published
    what = f"{figure.network}: {p.metric}" + (f" of {p.block}" if p.block else "")
    return {
        "what": what, "published": as_printed(p.value, p.thousand), "ours": as_printed(figure.ours, p.thousand),
        "exact": figure.exact, "agrees": figure.agrees,
        "difference": figure.difference, "verdict": _verdict(figure), "source": p.source,
    }  # fmt: skip


def _verdict(figure: FigureCheck) -> str:
    if not figure.agrees:
        return figure.published.because or "differs from the published figure (unexplained)"
    printed, unit, decimals = read_figure(figure.published.value, figure.published.thousand)
    cut = "" if _rounded(figure.exact, unit, decimals) == printed * 10**decimals else ", cut to its digits"
    return f"agrees{cut}" + (f"; {figure.published.because}" if figure.published.because else "")


def _shown_difference(figure: FigureCheck) -> Any:
    if figure.agrees:
        return None
    return "ours is 0" if figure.difference is None else figure.difference
