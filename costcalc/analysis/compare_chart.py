"""Pictures of several networks: balls over two of their numbers, and a metric by the size of their maps.

ball_chart([costcalc.load(name) for name in ("resnet50", "vgg16")], y="top1").save("ball.svg")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costcalc.analysis.align import FLAT, by_size
from costcalc.analysis.breakdown import largest_first
from costcalc.analysis.cost import Cost, numeric_cost
from costcalc.analysis.metrics import METRICS, metric_of
from costcalc.analysis.quoted import QUOTED_COLUMNS, brief_notes, quotes_of
from costcalc.analysis.sweep.measured import Lookup, measured_seconds
from costcalc.analysis.sweep.sweep_chart import metric_axis
from costcalc.chart import Axis, Ball, Balls, Bar, Bars
from costcalc.errors import UsageError, unknown
from costcalc.models.knob import QUOTED
from costcalc.models.model import Model
from costcalc.text import plural

MAX_NETWORKS_IN_BARS = 8  # as many shades and hatches can be told apart
MAX_BARS = 120  # in one picture
LOG_FROM = 10  # times the least: an axis that spans more is logarithmic
SIZE_AXIS = Axis("maps that layers make", "height × width")


def check_ball_chart(models: Sequence[Model], x: str, y: str) -> None:
    """Raises the errors of `ball_chart` that are known before anything is counted."""
    for name in (x, y):
        _axis(name, ())
    if y in QUOTED or x in QUOTED:
        wanted = [name for name in (x, y) if name in QUOTED]
        if all(quotes_of(model, [name]).value(name) is None for model in models for name in wanted):
            titles = " and ".join(_title(name) for name in wanted)
            raise UsageError(f"no spec quotes the {titles} of {_and([model.label for model in models])}")


def ball_chart(
    models: Sequence[Model], costs: Sequence[Cost], x: str = "macs", y: str = "top1",
    seconds: Sequence[float | None] = (),
) -> Balls:  # fmt: skip
    """Networks over two of their numbers, metrics or quoted figures; areas show their params.

    A network without one of the numbers is named in the notes. Raises UnknownName; UsageError if no network has both,
    and for a metric of paths.
    """
    check_ball_chart(models, x, y)
    values = {name: _values(models, costs, name, seconds) for name in (x, y)}
    drawn = [i for i in range(len(models)) if values[x][i] is not None and values[y][i] is not None]
    if not drawn:
        raise UsageError(f"no network has both {_title(x)} and {_title(y)}: {' '.join(_left_out(models, values))}")
    names: dict[tuple[Any, ...], list[str]] = {}
    for i in drawn:
        names.setdefault((values[x][i], values[y][i], costs[i].total("params")), []).append(models[i].label)
    balls = [Ball(", ".join(dict.fromkeys(labels)), *place) for place, labels in names.items()]
    quoted = [name for name in dict.fromkeys((y, x)) if name in QUOTED]
    sources = brief_notes([quotes_of(models[i], quoted) for i in drawn], quoted) if quoted else []
    axes = (_axis(name, [values[name][i] for i in drawn]) for name in (x, y))
    title = f"{_title(y)} over {_title(x)}, {plural(len(drawn), 'network')}"
    return Balls(title, *axes, metric_axis("params"), tuple(balls), (*sources, *_left_out(models, values)))


def _values(models: Sequence[Model], costs: Sequence[Cost], name: str, seconds: Sequence[float | None]) -> list[Any]:
    if name in QUOTED:
        return [quotes_of(model, [name]).value(name) for model in models]
    if METRICS[name].measured:
        return [*seconds] or [None] * len(models)
    return [cost.total(name) for cost in costs]


def _axis(name: str, values: Sequence[Any]) -> Axis:
    if name in QUOTED:
        return Axis(_title(name), "%, quoted")
    if name not in METRICS:
        raise unknown("metric", name, [*QUOTED, *METRICS])
    if METRICS[name].path:
        raise UsageError(f"{name} describes paths through the layers, and is no number of a network")
    return metric_axis(name, log=bool(values) and min(values) > 0 and max(values) >= LOG_FROM * min(values))


def _title(name: str) -> str:
    return QUOTED_COLUMNS[name].title.removesuffix(" (%)") if name in QUOTED else METRICS[name].title


def _left_out(models: Sequence[Model], values: dict[str, list[Any]]) -> list[str]:
    """The networks that are not drawn, by the number that they lack."""
    notes = []
    for name, found in values.items():
        lacking = [model.label for model, value in zip(models, found) if value is None]
        if lacking and name in QUOTED:
            notes.append(f"not drawn, as no spec quotes their {_title(name)}: {', '.join(lacking)}")
        elif lacking:
            notes.append(f"not drawn, as they have no {_title(name)}; `costcalc time` measures it: {', '.join(lacking)}")
    return notes


def check_bar_chart(models: Sequence[Model], metric: str) -> None:
    """Raises the errors of `bar_chart` that are known before anything is counted."""
    if not metric_of(metric).is_sum:
        raise UsageError(f"{metric} is not the sum of its layers, so sizes of maps have no shares in it; try macs")
    if len(models) > MAX_NETWORKS_IN_BARS:
        most = f"{MAX_NETWORKS_IN_BARS} networks at most, not {len(models)}"
        raise UsageError(f"bars by the size of maps show {most}; --y top1 draws a ball for each network")


def bar_chart(costs: Sequence[Cost], metric: str = "macs") -> Bars:
    """A metric by the size of the maps that layers make, the largest first: what each network does on images of each
    size. Raises UsageError for a metric that is no sum, and for too many networks or sizes."""
    found = [{part.name: part.cost for part in by_size(cost, metric)} for cost in costs]
    sizes = sorted(set().union(*found) - {FLAT}, key=largest_first)
    sizes += [FLAT] * any(FLAT in each for each in found)
    if len(sizes) * len(costs) > MAX_BARS:
        raise UsageError(f"a picture shows {MAX_BARS} bars at most, not {len(sizes) * len(costs)}: name fewer networks")
    bars = [Bar(cost.target, tuple(each.get(size) for size in sizes)) for cost, each in zip(costs, found)]
    names = tuple(map(_squared, sizes))
    title = f"{METRICS[metric].title} by the size of maps: {', '.join(cost.target for cost in costs)}"
    totals = f"in all: {', '.join(f'{cost.target} {cost.total(metric):,}' for cost in costs)}"
    return Bars(title, SIZE_AXIS, metric_axis(metric), names, tuple(bars), (totals,))


def _squared(size: str) -> str:
    """`56²` for `56×56`."""
    first, _, second = size.partition("×")
    return f"{first}²" if first == second else size


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
