"""The presets of a spec side by side: settings, exact counts, published figures, and the law d·w²·r² beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import log, prod
from typing import Any

from costcalc.analysis.cost import cost_of
from costcalc.analysis.reconcile import reconcile_net
from costcalc.analysis.sweep.line import costs_at
from costcalc.analysis.sweep.phi import EXPONENTS, PAPERS
from costcalc.analysis.sweep.slopes import slopes, slopes_table
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.spec.network import Network
from costcalc.table import CONVENTION, Column, Table, document
from costcalc.text import rounded, value_text

BASES = {knob: float(base) for knob, base in PAPERS.bases.items()}  # d = α^φ, w = β^φ, r = γ^φ from the first on
LARGEST_PHI = 7  # as far as B7 is from B0


@dataclass(frozen=True, eq=False, repr=False)
class PresetSweep:
    """A row for each preset, the first of which the law starts from."""

    net: Network
    rows: tuple[dict[str, Any], ...]
    knobs: tuple[str, ...]  # those that the presets set
    law: tuple[str, ...]  # those that the law reads
    nets: tuple[Network, ...] = ()

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
            law = "·".join(map(_power, self.law))
            columns += [Column("law", law, "int", 3), Column("error", "its error", "share", 3)]
        notes = ["published: the figures of the spec's source; `costcalc reconcile` says why they differ"]
        if self.law:
            notes.append(f"{law}: the MACs of {self.rows[0]['preset']}, times what that product has grown by since")
        return Table(f"{self.net.name}: {self.net.spec.title}", columns, self.to_records(), None, [*notes, CONVENTION])

    def tables(self) -> list[Table]:
        """The presets; what each knob of the law does to them; and where it has all three the φ that each implies."""
        tables = [self.table()]
        if self.law:
            tables.append(slopes_table(self.elasticities, self.law))
        return [*tables, *([self.compound()] if set(self.law) == set(BASES) else [])]

    @cached_property
    def elasticities(self) -> list[dict[str, Any]]:
        """For each preset the elasticity of its MACs by each knob of the law, and the exponent of doubling it."""
        return slopes(self.nets, self.law)

    @cached_property
    def growth(self) -> list[Any]:
        """How many times the MACs of one φ before it the exact ones of φ = 1 to 7 are, from the first preset on; none
        where one of these is no network."""
        if set(self.law) != set(BASES):
            return []
        points = PAPERS.line(self.nets[0], range(LARGEST_PHI + 1))
        found = costs_at(self.nets[0], {knob: [point[knob] for point in points] for knob in BASES}, ["macs"])
        macs = found.of["macs"].tolist()
        return [Fraction(b, a) for a, b in pairwise(macs)] if found.valid.all() and all(macs) else []

    def compound(self) -> Table:
        """The φ at which α^φ, β^φ and γ^φ would be a preset's depth, width and resolution."""
        columns = (Column("preset", "preset", "text"), *(Column(f"phi_{k}", f"φ by {k}", "real") for k in BASES))
        rows = [{"preset": row["preset"], **{f"phi_{k}": row[f"phi_{k}"] for k in BASES}} for row in self.rows]
        product = prod(BASES[k] ** EXPONENTS[k] for k in BASES)
        apart = max(max(row[f"phi_{k}"] for k in BASES) - min(row[f"phi_{k}"] for k in BASES) for row in self.rows)
        notes = [
            f"d = 1.2^φ, w = 1.1^φ, r = 1.15^φ times those of {self.rows[0]['preset']}: "
            f"1.2·1.1²·1.15² = {product:.2f} times as many MACs for a φ of one more, by the law",
            *self._exactly(),
            f"the presets lie on no one φ: what depth, width and resolution imply is up to {apart:.2f} apart",
        ]
        return Table("the compound coefficient", columns, rows, None, notes)

    def _exactly(self) -> list[str]:
        """What the law's promise is by the exact counts."""
        if not self.growth:
            return []
        first, *later = (rounded(times, 2) for times in self.growth)
        at = ", ".join(f"{knob} = {value_text(value)}" for knob, value in PAPERS.at(self.nets[0], 1).items())
        then = f"{', '.join(later)} for φ = 2 to {LARGEST_PHI}"
        return [f"by the exact counts {first} times as many for φ = 1 ({at}), then {then}"]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document of `costcalc sweep --presets`."""
        more = {"elasticities": self.elasticities, "growth": self.growth} if self.law else {}
        return document(target=self.net.name, rows=self.to_records(), **more)

    def __repr__(self) -> str:
        return f"<costcalc.PresetSweep {self.net.name}: {len(self.rows)} presets; table(), to_records()>"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def sweep_presets(net: Network, wanted: str) -> PresetSweep:
    """The presets that `wanted` names: `all`, or as `b0,b3..b7`, which are `efficientnet_b0` and `_b3` to `_b7`.

    Raises UnknownName for one that is none, UsageError for a spec without presets or a range that goes backwards.
    """
    names = read_presets(wanted, net)
    nets = [net.at({**net.spec.presets[name].settings, **net.settings}, name) for name in names]
    knobs = tuple(k for k in net.spec.knobs if any(k in net.spec.presets[name].settings for name in names))
    law = tuple(k for k in EXPONENTS if k in net.spec.knobs and net.spec.knobs[k].is_size)
    law = law if set(law) >= {"w", "r"} or "d" in law else ()
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
    return PresetSweep(net, tuple(rows), knobs, law, tuple(nets))


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


def _power(knob: str) -> str:
    return knob + ("²" if EXPONENTS[knob] == 2 else "")
