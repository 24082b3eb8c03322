"""Published figures that are quoted and never computed, such as accuracies: of a network, and beside others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.reconcile import is_asked_for, network_of
from costcalc.models.knob import FREEZE, QUOTED, Published
from costcalc.models.model import Model
from costcalc.table import NOT_QUOTED, Column, Printed, Table

WITHOUT_EFFECT = ("batch", FREEZE.name)  # knobs that do not change what a network answers
WEIGHTS_OF = re.compile(r"\w+_Weights\.")  # ResNet50_Weights.IMAGENET1K_V1
QUOTED_COLUMNS = {name: Column(name, f"{name[:-1]}-{name[-1]} (%)", "quoted", 1) for name in QUOTED}


class Quotes(NamedTuple):
    """What is quoted of one network: its figures as published, at its very knobs; and where there are none the
    `nearest` networks of the spec that have some."""

    target: str
    figures: tuple[Published, ...] = ()
    nearest: tuple[str, ...] = ()

    def value(self, metric: str) -> Printed | None:
        """The first figure that the spec lists; None if it has none."""
        return next((Printed(figure.value) for figure in self.shown([metric])), None)

    def shown(self, metrics: Sequence[str]) -> list[Published]:
        """Of each metric the first figure that the spec lists."""
        of = [[figure for figure in self.figures if figure.metric == name] for name in metrics]
        return [figures[0] for figures in of if figures]

    def records(self) -> list[dict[str, Any]]:
        """Every figure with its source."""
        return [{"metric": f.metric, "value": Printed(f.value), "source": f.source} for f in self.figures]


def quoted_in(columns: Iterable[Column]) -> list[str]:
    """The quoted figures among these columns."""
    return [column.key for column in columns if column.key in QUOTED]


def quotes_of(model: Model, metrics: Sequence[str]) -> Quotes:
    """The figures that are quoted of exactly this network: the same spec with the same knobs, but for the batch."""
    figures = [figure for figure in model.published if figure.metric in metrics]
    apart = [_settings_apart(model, network_of(model, figure)) for figure in figures]
    same = tuple([figure for figure, count in zip(figures, apart) if not count])
    least = [network_of(model, figure).label for figure, count in zip(figures, apart) if count == min(apart)]
    return Quotes(model.label, same, () if same else tuple(dict.fromkeys(least)))


def _settings_apart(model: Model, other: Model) -> int:
    mine, theirs = model.values_but(WITHOUT_EFFECT), other.values_but(WITHOUT_EFFECT)
    return sum(value != theirs[name] for name, value in mine.items())


def quotes_by_source(model: Model) -> list[dict[str, Any]]:
    """The quoted figures of the spec's networks, those of one source together; if the model sets knobs, of this one."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for figure in model.published:
        network = network_of(model, figure)
        if figure.is_quoted and is_asked_for(model, figure, network):
            row = found.setdefault((network.label, figure.source), {"network": network.label})
            row |= {figure.metric: figure.value, "source": figure.source}
    return [*found.values()]


def accuracies(rows: Sequence[dict[str, Any]]) -> Table:
    """A table of quoted figures, by network and source."""
    names = [name for name in QUOTED if any(name in row for row in rows)]
    about = Column("network", "network", "text"), *(QUOTED_COLUMNS[name] for name in names)
    return Table("accuracy", (*about, Column("source", "from", "text", 1)), rows, None, [*map(_meaning, names)])


def _meaning(name: str) -> str:
    return f"{QUOTED_COLUMNS[name].title}: {QUOTED[name]}; quoted, not computed"


def quoted_notes(quotes: Sequence[Quotes], metrics: Sequence[str]) -> list[str]:
    """What the figures are, where they are from, what else is published, and why some are missing."""
    shown, more = [], []
    for one in quotes:
        first = one.shown(metrics)
        shown += [(one.target, source) for source in dict.fromkeys(figure.source for figure in first)]
        others = [figure for figure in one.figures if figure not in first]
        for source in dict.fromkeys(figure.source for figure in others):
            values = ", ".join(figure.value for figure in others if figure.source == source)
            more.append((f"{one.target} {values} with", source))
    found = [(shown, "quoted from"), (more, "published as well,")]
    return [
        *map(_meaning, metrics),
        *(f"{words} {_listed(sources)}" for sources, words in found if sources),
        *_missing(quotes, metrics),
    ]


def brief_notes(quotes: Sequence[Quotes], metrics: Sequence[str]) -> list[str]:
    """What the figures of a picture are, and their sources, each once: `torchvision 0.29, IMAGENET1K_V1`."""
    shown: dict[str, list[str]] = {}
    more: dict[str, list[str]] = {}
    for one in quotes:
        first = one.shown(metrics)
        for source in dict.fromkeys(brief_source(figure) for figure in first):
            shown.setdefault(source, []).append(one.target)
        for figure in one.figures:
            if figure not in first:
                more.setdefault(brief_source(figure), []).append(f"{one.target} {figure.value}")
    named = len(shown) > 1
    sources = [f"{source}{': ' + ', '.join(names) if named else ''}" for source, names in shown.items()]
    others = [f"{', '.join(values)} ({source})" for source, values in more.items()]
    return [
        *map(_meaning, metrics), f"quoted from {'; '.join(sources)}",
        *([f"published as well: {'; '.join(others)}"] if others else []),
    ]  # fmt: skip


def brief_source(figure: Published) -> str:
    """The source of a figure, without the name of the network that torchvision repeats."""
    return WEIGHTS_OF.sub("", figure.source)


def _listed(sources: Sequence[tuple[str, str]]) -> str:
    """`torchvision 0.29: resnet18 ResNet18_Weights.IMAGENET1K_V1, …`: what all sources begin with stands once."""
    starts = {source.rpartition(", ")[0] for _, source in sources}
    start = f"{starts.pop()}: " if len(starts) == 1 and "" not in starts else ""
    return start + "; ".join(f"{of} {source.rpartition(', ')[2] if start else source}" for of, source in sources)


def _missing(quotes: Sequence[Quotes], metrics: Sequence[str]) -> Iterator[str]:
    none = []
    for one in quotes:
        lacking = [name for name in metrics if one.value(name) is None]
        titles = " and ".join(QUOTED_COLUMNS[name].title.removesuffix(" (%)") for name in lacking)
        if one.nearest:
            yield f"{NOT_QUOTED}: {' and '.join(one.nearest)} has a published {titles}, {one.target} has none"
        elif lacking:
            none.append(one.target if lacking == [*metrics] else f"{titles} of {one.target}")
    if none:
        yield f"{NOT_QUOTED}: no spec quotes one for {', '.join(none)}"
