"""Metrics that a reader names: looked up, and refused with the reason where an analysis cannot take one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from costcalc.analysis.metric import LARGEST, Metric
from costcalc.analysis.metrics import COUNTED, METRICS, USUAL
from costcalc.errors import UsageError, unknown
from costcalc.models.knob import QUOTED
from costcalc.text import split_names

_LARGEST_HAS_NONE = "which layer it is depends on the knobs; `costcalc sweep` has it at any number of points"


def metric_of(name: str, *, unless: Callable[[Metric], str] = lambda metric: "") -> Metric:
    """The metric of a name. Raises UnknownName; UsageError if `unless` returns a reason against it."""
    check_not_quoted(name)
    if name not in METRICS:
        raise unknown("metric", str(name), [known for known, metric in METRICS.items() if not unless(metric)])
    if why := unless(METRICS[name]):
        raise UsageError(f"{name} {why}")
    return METRICS[name]


def check_not_quoted(name: str) -> None:
    """Raises UsageError for the name of a figure that is quoted from its source."""
    if name in QUOTED:
        where = "it is a column of `compare`, and `info` shows it with its source"
        raise UsageError(f"{name} is quoted, not computed: {where}")


def why_no_formula(metric: Metric) -> str:
    """The reason why a metric has no closed form; empty if it has one."""
    why = metric.no_formula
    if metric.path:
        why = "it describes paths through the layers; it is a column of `show` and `compare`"
    elif metric.of:
        why = "it is a quotient; ask for its parts: --metric {}, and --metric {}".format(*metric.of)
    elif metric.together == LARGEST:
        why = _LARGEST_HAS_NONE
    return f"has no closed form: {why}" if why else ""


def why_not_counted(metric: Metric) -> str:
    """The reason why a metric cannot be counted; empty if it can."""
    if why := why_of_layers(metric):
        return why
    return "is measured, not counted: only `compare --columns` and the tables of `sweep` look it up" * metric.measured


def why_of_layers(metric: Metric) -> str:
    """The reason why a metric is one of layers alone; empty if it is not."""
    where = "it is a column of `show` and `compare`"
    return f"describes paths through the layers and does not add up: {where}" if metric.path else ""


def why_not_whole(metric: Metric) -> str:
    """The reason why a metric is not an exact whole number; empty if it is."""
    return "is a quotient, and this takes whole numbers" if metric.of else why_not_counted(metric)


def with_metrics_in(shown: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """The metrics that are shown, and those among `names`, by which points are chosen. Raises UsageError for a measured
    one."""
    for name in names:
        if name in METRICS:
            metric_of(name, unless=why_of_layers)
        if name in METRICS and METRICS[name].measured:
            raise UsageError(f"{name} are looked up once the points are chosen; choose them by what is counted")
    return tuple(dict.fromkeys((*shown, *(name for name in COUNTED if name in names))))


def expand_quotients(names: Iterable[str]) -> list[str]:
    """The metrics, with the two metrics of a quotient in its place; each once."""
    return list(dict.fromkeys(part for name in names for part in METRICS[name].of or (name,)))


def check_not_a_metric(knob: str) -> None:
    """Raises UsageError for a knob with the name of a metric that points have: both would have one column."""
    if knob in METRICS and not METRICS[knob].path:
        raise UsageError(f"{knob} is a knob here, and a metric too: give the knob another name in the spec")


def read_metrics(given: Sequence[str] | str | None, usual: tuple[str, ...] = USUAL) -> tuple[str, ...]:
    """`params,macs,peak_bytes`, each once, of points of a sweep; the usual ones for None. Raises UnknownName and
    UsageError."""
    if given is None:
        return usual
    names = split_names(given)
    for name in names:
        metric_of(name, unless=why_of_layers)
        if names.count(name) > 1:
            raise UsageError(f"metric {name} is there twice; name each once")
    if not names:
        raise UsageError(f"no metrics to show; there are {', '.join(METRICS)}")
    return tuple(names)
