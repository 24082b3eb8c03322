"""Which convention, of which variant of a network, gives a published figure; and how often chance would."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from costcalc.analysis.cost import cost_of
from costcalc.analysis.counting_forms import Form, forms_of_bytes, forms_of_counts, stored_tensors
from costcalc.analysis.figure_forms import Variant, variants
from costcalc.analysis.printed_figure import SAMPLE, Figure, read_printed
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.dtype import FLOAT32
from costcalc.errors import CostcalcError
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import FOOTER, Column, Table
from costcalc.text import plural, rounded

CHANCE = Fraction(5, 100)  # below this share of them a match is an explanation
MAX_SHOWN = 50
COLUMNS = (
    Column("network", "network", "text"), Column("counts", "what it counts", "text"), Column("exact", "exact", "int"),
    Column("changes", "settings changed", "int", 1),
)  # fmt: skip


class Match(NamedTuple):
    """One network, and the conventions by which it gives the figure."""

    network: str
    counts: str
    exact: int
    changes: int


@dataclass(frozen=True, eq=False, repr=False)
class FigureSearch(Result):
    """What gives a figure, fewest changed settings first; `forms` were tried, and `by_chance` of SAMPLE random figures
    are explained by them too."""

    target: str
    figure: str
    matches: tuple[Match, ...]
    forms: int
    by_chance: int
    convention: str = FOOTER  # what MACs are, where the figure may be of them

    @property
    def chance(self) -> Fraction:
        """The share of random figures with as many digits that this search explains."""
        return Fraction(self.by_chance, SAMPLE)

    @property
    def ok(self) -> bool:
        """Is the figure explained: is there a match, and would chance seldom give one?"""
        return bool(self.matches) and self.chance < CHANCE

    def table(self) -> Table:
        """A row for each network that gives the figure, at most MAX_SHOWN."""
        shown = [match._asdict() for match in self.matches[:MAX_SHOWN]]
        notes = [f"{len(self.matches) - MAX_SHOWN:,} more"] if len(self.matches) > MAX_SHOWN else []
        notes += [self._searched(), *([self.convention] if self.convention else [])]
        return Table(self._verdict(), COLUMNS, shown, None, notes)

    def _verdict(self) -> str:
        figure = f"{self.target}, {self.figure}"
        if not self.matches:
            return f"{figure}: nothing that was tried gives this figure"
        if self.ok:
            return f"{figure}: explained"
        return f"{figure}: candidates; chance explains {_percent(self.chance)}"

    def _searched(self) -> str:
        tried = f"tried: {plural(self.forms, 'form')}"
        also = f"{self.by_chance:,} of {SAMPLE:,} random figures of as many digits would be explained by them too"
        return f"{tried}; {also}"

    def to_records(self) -> list[dict[str, Any]]:
        """One dict for each match."""
        return [match._asdict() for match in self.matches]

    def _fields(self) -> dict[str, Any]:
        about = {"target": self.target, "figure": self.figure, "ok": self.ok, "matches": self.to_records()}
        return {**about, "forms": self.forms, "random_figures": SAMPLE, "explained_by_chance": self.by_chance}

    def _summary(self) -> str:
        return f"{self._verdict()}, {plural(len(self.matches), 'network')}"


def _percent(share: Fraction) -> str:
    return f"{rounded(100 * share, 1)} %"


def search_figure(model: Model, figure: Any, progress: Progress = no_progress) -> FigureSearch:
    """Which sum of metrics, of which variant of a network, gives a figure to the digits printed; of a figure with a
    unit of bytes, in which dtype.

    The search ends with the fewest changed settings that give it; where chance gives it as well, with one more. Raises
    UsageError for a text that is no figure and for a network with symbols.
    """
    wanted = read_printed(figure)
    model.require_numeric("reconcile")
    forms = forms_of_bytes(model.dtype) if wanted.of_bytes else forms_of_counts()
    tries = [*variants(model.with_dtype(FLOAT32) if wanted.of_bytes else model)]
    found = _Found(wanted, forms)
    last = max((variant.changed for variant in tries), default=0)
    for done, variant in enumerate(tries):
        if done and found.matching and variant.changed > tries[done - 1].changed:
            last = min(last, tries[done - 1].changed + (len(found.by_chance) >= CHANCE * SAMPLE))
        if variant.changed > last:
            break
        progress(done / len(tries), variant.model.label)
        for network, values, tensors in networks(variant, found.metrics, wanted.of_bytes):
            found.add(network, values, tensors, variant.changed)
    note = "" if wanted.of_bytes else FOOTER
    return FigureSearch(model.label, wanted.text, found.matches(), len(found.seen), len(found.by_chance), note)


class _Found:
    """What gave the figure so far, and every random figure that would have been given."""

    def __init__(self, figure: Figure, forms: Sequence[Form]):
        self.figure, self.forms = figure, forms
        self.metrics = tuple(dict.fromkeys(name for form in forms for _, name in form.terms))
        self.matching: dict[str, list[tuple[int, str, int, int]]] = {}  # by network; the plainest convention first
        self.seen: set[tuple[str, int, bool]] = set()
        self.fewest: dict[tuple[str, int], int] = {}  # changed settings, by what is counted and its number
        self.random = figure.random()
        self.by_chance: set[int] = set()  # of the random figures, by number

    def add(self, network: str, values: Mapping[str, int], tensors: int, changed: int) -> None:
        """Tries all forms on a network of so many `tensors`."""
        for rank, form in enumerate(self.forms):
            exact = form.of(values)
            if not exact or (network, exact, form.is_file) in self.seen:
                continue
            self.seen.add((network, exact, form.is_file))
            for unit in self.figure.units:
                steps = self.figure.steps_by(exact, unit.size, form.most(values, tensors))
                drawn = range(bisect_left(self.random, steps.start), bisect_left(self.random, steps.stop))
                self.by_chance.update(drawn)
                words = ", ".join(filter(None, (form.words, unit.words)))
                if self.figure.steps in steps and self.fewest.setdefault((words, exact), changed) == changed:
                    self.matching.setdefault(network, []).append((2 * rank + bool(unit.words), words, exact, changed))

    def matches(self) -> tuple[Match, ...]:
        """One match for each network, with all that its figure may count; fewest changes first, then by convention."""
        found = sorted(self.matching.items(), key=lambda entry: (entry[1][0][3], entry[1][0][0]))
        return tuple(
            Match(network, "; or ".join(words for _, words, _, _ in forms), forms[0][2], forms[0][3])
            for network, forms in found
        )


def networks(
    variant: Variant, metrics: Sequence[str], with_tensors: bool = False
) -> Iterator[tuple[str, dict[str, int], int]]:
    """The networks of a variant that are valid: the label of each, its metrics, and the number of its tensors, 0 unless
    asked for. All networks of a variant have as many tensors."""
    model, numbers = variant.model, variant.numbers
    try:
        tensors = stored_tensors(model) if with_tensors else 0
        if not numbers:
            cost = cost_of(model)
            yield variant.label({}), {name: int(cost.total(name)) for name in metrics}, tensors
            return
        from costcalc.analysis.scaling.along import costs_at

        found = costs_at(model, numbers, metrics)
    except CostcalcError:  # no such network
        return
    columns = [found.values[name].tolist() for name in metrics]
    for point, valid, *values in zip(zip(*numbers.values()), found.valid, *columns, strict=True):
        if valid:
            yield (
                variant.label(dict(zip(numbers, point, strict=True))),
                dict(zip(metrics, values, strict=True)),
                tensors,
            )
