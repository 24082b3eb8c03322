"""Which convention, of which variant of a network, gives a published figure; and how often chance would."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from costcalc.analysis.cost import cost_of
from costcalc.analysis.figure_forms import CONVENTIONS, METRICS_OF_FORMS, Variant, variants
from costcalc.analysis.reconcile import read_figure
from costcalc.analysis.sweep.progress import Progress, no_progress
from costcalc.dims import clip
from costcalc.errors import CostcalcError, UsageError, shorten
from costcalc.models.knob import FIGURE
from costcalc.models.model import Model
from costcalc.result import Result
from costcalc.table import FOOTER, Column, Table
from costcalc.text import plural, rounded

SAMPLE = 1000  # random figures that are searched too
CHANCE = Fraction(5, 100)  # below this share of them a match is an explanation
MAX_SHOWN = 50
COLUMNS = (
    Column("network", "network", "text"), Column("counts", "what it counts", "text"), Column("exact", "exact", "int"),
    Column("changes", "settings changed", "int", 1),
)  # fmt: skip


class Figure(NamedTuple):
    """A printed number: `steps` units of its last digit, in a unit of 1, K, M or G."""

    text: str
    steps: int
    decimals: int
    suffix: str

    def steps_by(self, exact: int, thousand: int) -> set[int]:
        """The figures, in steps, that would be printed for an exact number by a K of 1000 or 1024: cut or rounded."""
        unit = read_figure(f"1{self.suffix}", thousand)[1]
        whole, rest = divmod(exact * 10**self.decimals, unit)
        return {whole, whole + (2 * rest >= unit)}

    @property
    def thousands(self) -> tuple[int, ...]:
        """What its K may be."""
        return (1000, 1024) if self.suffix else (1000,)

    def random(self) -> list[int]:
        """SAMPLE figures with as many digits in the same decade, always the same ones."""
        digits = len(str(self.steps))
        draw = random.Random(20 * digits)
        return [draw.randrange(10 ** (digits - 1), 10**digits) for _ in range(SAMPLE)]


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
        return Table(self._verdict(), COLUMNS, shown, None, [*notes, self._searched(), FOOTER])

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


def read_printed(figure: Any) -> Figure:
    """Reads `9.74G`, `15,237,608` or 15237608. Raises UsageError for anything else, and for zero."""
    text = str(figure) if isinstance(figure, int) and not isinstance(figure, bool) else figure
    if not isinstance(text, str):
        raise UsageError(f"a figure is a text or a whole number, got {clip(figure)}", "write 9.74G as it is printed")
    text = re.sub(r"[kmgb]$", lambda found: found[0].upper(), text.strip())
    if not FIGURE.fullmatch(text):
        raise UsageError(f"{shorten(text)!r} is not a figure", "digits, and K, M, G or B: 61,706 or 9.74G")
    printed, _, decimals = read_figure(text, 1000)
    if not printed:
        raise UsageError("a figure of 0 says nothing", "write it as it is printed: 61,706 or 9.74G")
    return Figure(text, int(printed * 10**decimals), decimals, text[-1] if text[-1].isalpha() else "")


def search_figure(model: Model, figure: Any, progress: Progress = no_progress) -> FigureSearch:
    """Which sum of metrics, of which variant of a network, gives a figure to the digits printed.

    The search ends with the fewest changed settings that give it. Raises UsageError for a text that is no figure and
    for a network with symbols.
    """
    wanted = read_printed(figure)
    model.require_numeric("reconcile")
    tries = [*variants(model)]
    found = _Found(wanted)
    for done, variant in enumerate(tries):
        if found.forms and variant.changed > tries[done - 1].changed:
            break
        progress(done / len(tries), variant.model.label)
        for network, values in networks(variant):
            found.add(network, values, variant.changed)
    chance = sum(step in found.steps for step in wanted.random())
    return FigureSearch(model.label, wanted.text, found.matches(), len(found.seen), chance)


class _Found:
    """What gave the figure so far, and every figure that would have been given."""

    def __init__(self, figure: Figure):
        self.figure = figure
        self.forms: dict[str, list[tuple[int, str, int, int]]] = {}  # by network; the plainest convention first
        self.seen: set[tuple[str, int]] = set()
        self.steps: set[int] = set()

    def add(self, network: str, values: Mapping[str, int], changed: int) -> None:
        """Tries all conventions on a network."""
        for rank, convention in enumerate(CONVENTIONS):
            exact = convention.of(values.__getitem__)
            if not exact or (network, exact) in self.seen:
                continue
            self.seen.add((network, exact))
            for thousand in self.figure.thousands:
                steps = self.figure.steps_by(exact, thousand)
                self.steps |= steps
                if self.figure.steps in steps:
                    words = convention.words + (", K = 1024" if thousand == 1024 else "")
                    self.forms.setdefault(network, []).append((rank, words, exact, changed))

    def matches(self) -> tuple[Match, ...]:
        """One match for each network, with all that its figure may count; fewest changes first, then by convention."""
        found = sorted(self.forms.items(), key=lambda entry: (entry[1][0][3], entry[1][0][0]))
        return tuple(
            Match(network, "; or ".join(words for _, words, _, _ in forms), forms[0][2], forms[0][3])
            for network, forms in found
        )


def networks(variant: Variant) -> Iterator[tuple[str, dict[str, int]]]:
    """The networks of a variant that are valid: the label of each, and its metrics."""
    model, numbers = variant.model, variant.numbers
    try:
        if not numbers:
            cost = cost_of(model)
            yield variant.label({}), {name: int(cost.total(name)) for name in METRICS_OF_FORMS}
            return
        from costcalc.analysis.scaling.along import costs_at

        found = costs_at(model, numbers, METRICS_OF_FORMS)
    except CostcalcError:  # no such network
        return
    columns = [found.values[name].tolist() for name in METRICS_OF_FORMS]
    for point, valid, *values in zip(zip(*numbers.values()), found.valid, *columns, strict=True):
        if valid:
            yield (
                variant.label(dict(zip(numbers, point, strict=True))),
                dict(zip(METRICS_OF_FORMS, values, strict=True)),
            )
