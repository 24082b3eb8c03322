"""The presets of a spec side by side: settings, exact counts, published figures, and the law d·w²·r² beside them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import log, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costcalc.analysis.cost import cost_of
from costcalc.analysis.reconcile import reconcile_net
from costcalc.analysis.sweep.law import EXPONENTS, compound, power_text
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.spec.library import preset_of
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Column, Table, document

if TYPE_CHECKING:
    from costcalc.chart import Chart

BASES = {"d": 1.2, "w": 1.1, "r": 1.15}  # equation 3 and section 4.1: d = α^φ, w = β^φ, r = γ^φ from the first on


@dataclass(frozen=True, eq=False, repr=False)
class PresetSweep:
    """A row for each preset, the first of which the law starts from."""

    net: Network
    rows: tuple[dict[str, Any], ...]
    knobs: tuple[str, ...]  # those that the presets set
    law: tuple[str, ...]  # those that the law reads

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each preset; `law` and its `error`, a share of the exact count, if the spec has such knobs."""
        return [dict(row) for row in self.rows]

    def table(self) -> Table:
        """Settings, params and MACs, each published and exact, and the law with its error."""
        columns = [
            Column("preset", "preset", "text"), *(Column(name, name, "knob") for name in self.knobs),
            Column("params_published", "published params", "figure", 2), Column("params", "params"),
            Column("macs_published", "published MACs", "figure", 1), Column("macs", "MACs"),
        ]  # fmt: skip
        if self.law:
            law = "·".join(power_text(knob, EXPONENTS[knob]) for knob in self.law)
            columns += [Column("law", law, "int", 3), Column("error", "its error", "share", 3)]
        notes = ["published: the figures of the spec's source; `costcalc reconcile` says why they differ"]
        if self.law:
            notes.append(f"{law}: the MACs of {self.rows[0]['preset']}, times what that product has grown by since")
        return Table(f"{self.net.name}: {self.net.spec.title}", columns, self.to_records(), None, [*notes, CONVENTION])

    def tables(self) -> list[Table]:
        """The presets, and where the law reads depth, width and resolution the φ that each of them implies."""
        return [self.table(), *([self.compound()] if set(self.law) == set(BASES) else [])]

    def compound(self) -> Table:
        """The φ at which α^φ, β^φ and γ^φ would be a preset's depth, width and resolution."""
        columns = (Column("preset", "preset", "text"), *(Column(f"phi_{k}", f"φ by {k}", "real") for k in BASES))
        rows = [{"preset": row["preset"], **{f"phi_{k}": row[f"phi_{k}"] for k in BASES}} for row in self.rows]
        product = prod(BASES[k] ** EXPONENTS[k] for k in BASES)
        apart = max(max(row[f"phi_{k}"] for k in BASES) - min(row[f"phi_{k}"] for k in BASES) for row in self.rows)
        notes = [
            f"d = 1.2^φ, w = 1.1^φ, r = 1.15^φ times those of {self.rows[0]['preset']}: "
            f"1.2·1.1²·1.15² = {product:.2f} times as many MACs for a φ of one more, by the law",
            f"the presets lie on no one φ: what depth, width and resolution imply is up to {apart:.2f} apart",
        ]
        return Table("the compound coefficient", columns, rows, None, notes)

    def chart(self) -> Chart:
        """Params against MACs, each preset with its name."""
        from costcalc.analysis.sweep.charts import preset_chart

        return preset_chart(self)

    def plot(self, path: Path | str) -> None:
        """Writes the picture as .svg or .png. Raises UsageError for another suffix, MissingExtra without matplotlib."""
        self.chart().save(path)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc sweep --presets`."""
        return document(target=self.net.name, rows=self.to_records())

    def __repr__(self) -> str:
        return f"<costcalc.PresetSweep {self.net.name}: {len(self.rows)} presets; table(), to_records()>"

    def _repr_html_(self) -> str:
        picture = ""
        with suppress(UsageError):
            picture = self.chart().inline()
        return "".join(table._repr_html_() for table in self.tables()) + picture


def sweep_presets(net: Network, wanted: str) -> PresetSweep:
    """The presets that `wanted` names: `all`, or as `b0,b3..b7`, which are `efficientnet_b0` and `_b3` to `_b7`.

    Raises UnknownName for one that is none, UsageError for a spec without presets or a range that goes backwards.
    """
    names = read_presets(wanted, net)
    given = _besides_its_preset(net)
    nets = [net.at({**net.spec.presets[name].settings, **given}, name) for name in names]
    knobs = tuple(k for k in net.spec.knobs if any(k in net.spec.presets[name].settings for name in names))
    law = compound(net)
    first = nets[0].knobs
    base = cost_of(nets[0]).macs
    rows = []
    for name, one in zip(names, nets):
        cost, at = cost_of(one), one.knobs
        row = {"preset": name, **{knob: at[knob] for knob in knobs}}
        row |= {"params_published": _published(one, "params"), "params": cost.params}
        row |= {"macs_published": _published(one, "macs"), "macs": cost.macs}
        if law:
            said = Fraction(base)
            for knob in law:
                said *= (Fraction(at[knob]) / Fraction(first[knob])) ** EXPONENTS[knob]
            row |= {"law": round(said), "error": (said - cost.macs) / cost.macs}
            row |= {f"phi_{k}": log(at[k] / first[k]) / log(BASES[k]) for k in law}
        rows.append(row)
    return PresetSweep(net, tuple(rows), knobs, law)


def _besides_its_preset(net: Network) -> dict[str, Any]:
    """What is set of a network but by the preset that it may be: of resnet50@r=160 only r."""
    preset = preset_of(net.label, net.spec)
    by_preset = preset.settings if preset else {}
    return {name: value for name, value in net.settings.items() if by_preset.get(name) != value}


def read_presets(wanted: str, net: Network) -> list[str]:
    """Names of presets from `all`, `first..last` in the spec's order, or a list with commas."""
    names = [*net.spec.presets]
    if not names:
        raise UsageError(f"{net.name} has no presets; sweep over its knobs: {', '.join(net.spec.knobs)}")
    if wanted.strip() == "all":
        return names
    found: list[str] = []
    for part in wanted.split(","):
        first, dots, last = (end.strip() for end in part.partition(".."))
        start = names.index(_preset(first, names, net))
        end = names.index(_preset(last, names, net)) if dots else start
        if end < start:
            raise UsageError(f"--presets {part.strip()[:60]} goes backwards: {names[end]} comes before {names[start]}")
        found += names[start : end + 1]
    return list(dict.fromkeys(found))


def _preset(short: str, names: Sequence[str], net: Network) -> str:
    for name in (short, f"{net.name}_{short}", f"{net.name}{short}"):
        if name in names:
            return name
    raise UnknownName(unknown("preset", short, names))


def _published(net: Network, metric: str) -> str | None:
    """The first figure of the whole network that its spec lists."""
    figures = [figure.published for figure in reconcile_net(net).figures]
    return next((p.value for p in figures if p.preset == net.label and p.metric == metric and not p.block), None)
