"""The query of a sweep, which points to keep: parsed from options, and described in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from costcalc.analysis.metric_names import check_not_a_metric, check_not_quoted
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.sweep.points import Order, Points, pareto_front, sorted_by, top_points
from costcalc.errors import Place, UsageError, unknown
from costcalc.expressions import Expression, parse
from costcalc.models.knob import Knob


@dataclass(frozen=True)
class PointQuery:
    """Which points to keep: those that meet `where`, then the Pareto front in `pareto`, then the `top` by `by`."""

    where: Expression | None = None
    pareto: tuple[Order, ...] = ()
    top: int | None = None
    by: Order = ("macs", False)

    @property
    def names(self) -> set[str]:
        """The knobs and metrics that it reads."""
        names = {*(self.where.names if self.where else ()), *(name for name, _ in self.pareto)}
        return names if self.top is None else names | {self.by[0]}

    @property
    def minimises_only(self) -> bool:
        """Does the front minimise in all its directions?"""
        return bool(self.pareto) and not any(more for _, more in self.pareto)

    @property
    def reduces(self) -> bool:
        """Does it keep few points, whatever the size of the grid?"""
        return bool(self.pareto) or self.top is not None

    def of(self, points: Points) -> Points:
        """Reduces points to the front, or without one to the best. Associative: reducing merged results gives the
        result for all points, which does not hold for the best of a front."""
        if self.pareto:
            return pareto_front(points, self.pareto)
        return points if self.top is None else top_points(points, self.by, self.top)

    def last(self, points: Points) -> Points:
        """The final points, of those that all blocks kept; the best, in order, if `top` is set."""
        return points if self.top is None else sorted_by(top_points(points, self.by, self.top), self.by)

    def in_words(self) -> str:
        """`where macs <= 400e6; the 3 with the most macs`."""
        words = []
        if self.where:
            words.append(f"where {self.where.text}")
        if self.pareto:
            names = (f"{'more' if more else 'less'} {name}" for name, more in self.pareto)
            words.append(f"no other is better: {', '.join(names)}")
        if self.top is not None:
            words.append(f"the {self.top:,} with the {'most' if self.by[1] else 'least'} {self.by[0]}")
        return "; ".join(words)


def read_query(
    knobs: Mapping[str, Knob],
    swept: Sequence[str],
    *,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
) -> PointQuery:
    """Parses a query for a network with these `knobs`, some of them `swept`.

    Raises UnknownName, SpecError and UsageError for invalid options.
    """
    if top is not None and top < 1:
        raise UsageError(f"the best {top}: keep 1 or more")
    names = pareto.split(",") if isinstance(pareto, str) else pareto or ()
    orders = (
        tuple(read_order(_check_varies(name, knobs, swept), swept) for name in names),
        read_order(by, (), (*swept, *METRICS)),
    )
    for name, _ in (*orders[0], orders[1]):
        if name in knobs and not knobs[name].is_size:
            raise UsageError(f"{name} is a {knobs[name].kind}, of which no value is more than another")
    return PointQuery(None if where is None else read_where(where, knobs), orders[0], top, orders[1])


def _check_varies(text: str, knobs: Collection[str], swept: Sequence[str]) -> str:
    """Returns a direction of a front. Raises UsageError for a knob that is not swept."""
    name = text.strip().removeprefix("-")
    if name in knobs and name not in swept:
        check_not_a_metric(name)
        raise UsageError(f"{name} is the same at every point: give it values, or leave it out of --pareto")
    return text


def read_order(text: str, knobs: Sequence[str], metrics: Iterable[str] = METRICS) -> Order:
    """`macs`: less is better; `r`, a knob: more is better; `-macs` and `-r`: the opposite. Raises UnknownName."""
    name, turned = text.strip().removeprefix("-"), text.strip().startswith("-")
    if name not in (*knobs, *metrics):
        check_not_quoted(name)
        raise unknown("knob or metric", name, [*knobs, *metrics])
    return name, (name in knobs) is not turned


def read_where(text: str, knobs: Mapping[str, Knob]) -> Expression:
    """A condition on knobs and metrics, in the grammar of specs. Raises SpecError, and UsageError for a name
    that is both."""
    read = parse(text, Place("--where", 1, 1))
    for name in sorted(read.names - {*knobs}):
        check_not_quoted(name)
    found = read.check_names([*knobs, *METRICS])
    for name in sorted(found.names & {*knobs}):
        check_not_a_metric(name)
    for name, word in found.compared_words():
        if name in knobs and knobs[name].kind == "choice":
            knobs[name].check(word)
    return found
