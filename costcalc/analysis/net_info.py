"""What a spec says of itself: what the network is, its source, its presets, and what each knob means and does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costcalc.analysis.columns import metric_column
from costcalc.analysis.cost import Cost, cost_of
from costcalc.analysis.quoted import accuracies, quotes_by_source
from costcalc.dims import MAX_SIZE
from costcalc.errors import CostcalcError
from costcalc.models.knob import Knob
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import Column, Table, cell
from costcalc.text import settings_text, value_text

SHOWN = ("params", "macs")
OTHERS = ("peak_bytes",), ("elementwise", "activations")  # shown of a knob that changes none of SHOWN
FREEZE_NOTE = "every network also takes freeze=LAYERS: not trained, as `costcalc help transfer` has it"
KNOB_COLUMNS = (
    Column("knob", "knob", "text"), Column("value", "is", "knob"), Column("takes", "may be", "text", 2),
    Column("about", "meaning", "text"), Column("effect", "what it does", "text", 1),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class NetInfo(Result):
    """What is known of a network, apart from its layers."""

    model: Model
    knobs: tuple[dict[str, Any], ...]  # `knob`, `value`, `takes`, `about`, `effect`
    presets: tuple[dict[str, Any], ...]  # `preset`, `about`, `settings`, `params`, `macs`
    quoted: tuple[dict[str, Any], ...] = ()  # `network`, `top1` …, `source`: as published, and not computed

    def tables(self) -> list[Table]:
        """The network with its source; its knobs; its presets."""
        tables = [Table(self.model.heading, (), (), None, [*self._about(), *self._totals()])]
        if self.knobs:
            tables.append(Table("knobs", KNOB_COLUMNS, self.knobs, None, [FREEZE_NOTE]))
        if self.presets:
            columns = Column("preset", "preset", "text"), Column("about", "what it is", "text", 1)
            tables.append(Table("presets", (*columns, *(metric_column(name) for name in SHOWN)), self.presets))
        if self.quoted:
            tables.append(accuracies(self.quoted))
        tables[-1].notes += [f"try: {command}" for command in self.commands()]
        return tables

    def _about(self) -> Iterator[str]:
        architecture = self.model.architecture
        if architecture.about:
            yield " ".join(architecture.about.split())
        if architecture.source:
            yield f"source: {architecture.source}"

    def _totals(self) -> Iterator[str]:
        cost = cost_of(self.model)
        yield ", ".join(f"{cell(cost.total(name), 'int')} {metric_column(name).title}" for name in SHOWN)

    def commands(self) -> list[str]:
        """What to ask next of this network."""
        model, label = self.model, self.model.label
        found = [f"costcalc show {label} --depth 1"]
        if model.architecture.published:
            found.append(f"costcalc reconcile {model.name}")
        if sizes := [name for name, knob in model.knobs.items() if knob.is_size and name != "batch"]:
            found.append(f"costcalc formula {label}")
            knob, now = sizes[0], model.values[sizes[0]]
            found.append(f"costcalc sweep {label} {knob}={value_text(now)},{value_text(2 * now)}")
        if len(self.presets) > 1:
            first, second = self.presets[0]["preset"], self.presets[-1]["preset"]
            found.append(f"costcalc compare {first} {second}")
        return found

    def _fields(self) -> dict[str, Any]:
        of = self.model.architecture
        about = {"name": of.name, "title": of.title, "source": of.source, "about": " ".join(of.about.split())}
        lists = {"knobs": [*self.knobs], "presets": [*self.presets], "quoted": [*self.quoted]}
        return {"target": self.model.label, **about, **lists}

    def _summary(self) -> str:
        return self.model.heading


def net_info(model: Model) -> NetInfo:
    """What is known of a network. Raises UsageError for symbols as knobs."""
    model.require_numeric("info")
    knobs = tuple([_knob(model, knob) for knob in model.knobs.values()])
    presets = tuple([_preset(model, name) for name in model.presets])
    return NetInfo(model, knobs, presets, tuple(quotes_by_source(model)))


def _knob(model: Model, knob: Knob) -> dict[str, Any]:
    value = model.values[knob.name]
    return {
        "knob": knob.name, "value": value, "takes": takes(knob), "about": knob.about, "effect": effect(model, knob),
    }  # fmt: skip


def _preset(model: Model, name: str) -> dict[str, Any]:
    preset = model.presets[name]
    cost = cost_of(model.with_only(preset.settings, name))
    about = preset.about or settings_text(preset.settings)
    return {"preset": name, "about": about, **{metric: cost.total(metric) for metric in SHOWN}}


def takes(knob: Knob) -> str:
    """The values of a knob: `32 or more`, `basic, bottleneck`, `true, false`."""
    if knob.kind == "flag":
        return "true, false"
    if knob.choices:
        return ", ".join(knob.choices)
    low, high = value_text(knob.low), value_text(knob.high)
    fraction = ", fractions too" if knob.kind == "real" else ""
    return f"{low} or more{fraction}" if knob.high == MAX_SIZE else f"{low} to {high}{fraction}"


def others(knob: Knob, now: Any) -> list[Any]:
    """What a knob may be instead, to see what it does: each other choice; twice the number, half of it, its ends."""
    if knob.kind == "flag":
        return [not now]
    if knob.choices:
        return [choice for choice in knob.choices if choice != now]
    nearby = [2 * now or 1, now // 2 if knob.kind == "integer" else now / 2, knob.high, knob.low]
    return [value for value in nearby if value != now]


def effect(model: Model, knob: Knob) -> str:
    """`448: MACs ×3.98`: what params and MACs become with another value; of a number the first that is valid."""
    found = []
    for value in others(knob, model.values[knob.name]):
        try:
            changed = cost_of(model.at({knob.name: value}))
        except CostcalcError:
            continue
        found.append(f"{value_text(value)}: {_changes(cost_of(model), changed)}")
        if knob.is_size:
            break
    return "; ".join(found)


def _changes(before: Cost, after: Cost) -> str:
    """`params ×1.31, MACs ×3.98`, of those that change; where neither does, of others."""
    for metrics in (SHOWN, *OTHERS):
        pairs = {metric: (before.total(metric), after.total(metric)) for metric in metrics}
        if said := [f"{metric_column(m).title} {_factor(old, new)}" for m, (old, new) in pairs.items() if old != new]:
            return ", ".join(said)
    return "the same"


def _factor(old: int, new: int) -> str:
    return cell(Fraction(new, old), "factor") if old else f"from 0 to {cell(new, 'int')}"
