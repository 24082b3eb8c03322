"""Pictures of several networks: balls over two of their numbers.

ball_chart([costcalc.load(name) for name in ("resnet50", "vgg16")], y="top1").save("ball.svg")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costcalc.analysis.cost import Cost
from costcalc.analysis.metrics import METRICS
from costcalc.analysis.quoted import QUOTED_COLUMNS, brief_notes, quotes_of
from costcalc.analysis.sweep.sweep_chart import metric_axis
from costcalc.chart import Axis, Ball, Balls
from costcalc.errors import UsageError, unknown
from costcalc.models.knob import QUOTED
from costcalc.models.model import Model
from costcalc.text import listed, plural

LOG_FROM = 10  # times the least: an axis that spans more is logarithmic


def check_ball_chart(models: Sequence[Model], x: str, y: str) -> None:
    """Raises the errors of `ball_chart` that are known before anything is counted."""
    for name in (x, y):
        _axis(name, ())
    if y in QUOTED or x in QUOTED:
        wanted = [name for name in (x, y) if name in QUOTED]
        if all(quotes_of(model, [name]).value(name) is None for model in models for name in wanted):
            titles = " and ".join(_title(name) for name in wanted)
            raise UsageError(f"no spec quotes the {titles} of {listed([model.label for model in models])}")


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
        raise UsageError(f"nothing to draw; {'; '.join(_left_out(models, values))}")
    names: dict[tuple[Any, ...], list[str]] = {}
    for i in drawn:
        names.setdefault((values[x][i], values[y][i], costs[i].total("params")), []).append(models[i].label)
    balls = [Ball(", ".join(dict.fromkeys(labels)), *place) for place, labels in names.items()]
    quoted = [name for name in dict.fromkeys((y, x)) if name in QUOTED]
    sources = brief_notes([quotes_of(models[i], quoted) for i in drawn], quoted) if quoted else []
    over, up = (_axis(name, [values[name][i] for i in drawn]) for name in (x, y))
    title = f"{_title(y)} over {_title(x)}, {plural(len(drawn), 'network')}"
    return Balls(title, over, up, metric_axis("params"), tuple(balls), (*sources, *_left_out(models, values)))


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
            why = f"not drawn, as they have no {_title(name)}, which `costcalc time` measures"
            notes.append(f"{why}: {', '.join(lacking)}")
    return notes
