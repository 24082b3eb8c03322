"""What a sweep can say of each point: every metric, what it is the sum of, and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from costcalc.analysis.sweep.peak import peaks
from costcalc.analysis.traffic import moved
from costcalc.analysis.walk import Row
from costcalc.dims import Size
from costcalc.errors import UnknownName, UsageError, unknown
from costcalc.graph import Graph
from costcalc.table import CONVENTION

FLOAT32 = 4  # bytes


@dataclass(frozen=True)
class Metric:
    """One of: `parts`, which each copy of a layer adds; `whole`, pairs of which the sum of products is that of a
    network; `of`, two metrics of which it is the first over the second; or `measured`, and looked up. `worth` is what
    one of them counts for."""

    title: str
    counts: str  # what, in a line
    parts: Callable[[Row], Iterable[Size]] | None = None
    whole: Callable[[Graph], list[tuple[Size, Size]]] | None = None
    of: tuple[str, str] | None = None
    worth: int = 1
    kind: str = "int"  # as in a table's Column
    unit: str = ""  # what one is, where the title does not say it
    usual: bool = False  # shown unless others are asked for
    measured: bool = False


ALL = {
    "params": Metric(
        "params", "learned scalars: weights, biases, normalisation; shared tensors once",
        lambda row: (row.weight, row.bias, row.norm), unit="learned scalars", usual=True,
    ),
    "macs": Metric(
        "MACs", "multiply-accumulates", lambda row: (row.macs,), unit="multiplications", usual=True
    ),
    "elementwise": Metric(
        "elementwise", "all other arithmetic, one per element and elementary operation",
        lambda row: (row.elementwise,), unit="operations", usual=True,
    ),
    "activations": Metric(
        "activations", "elements written by layers, views none", lambda row: (row.activations,),
        unit="elements written", usual=True,
    ),
    "weight_bytes": Metric(
        "weight bytes", "params and buffers in float32",
        lambda row: (row.weight, row.bias, row.norm, row.buffers), worth=FLOAT32, usual=True,
    ),
    "peak_bytes": Metric(
        "peak bytes", "the most activations held at once at inference, in float32, inputs included; weights, padded "
        "copies and workspaces apart", whole=peaks, worth=FLOAT32,
    ),
    "traffic_bytes": Metric(
        "traffic bytes", "inputs and weights that layers read and outputs they write, in float32, each layer on its "
        "own; views none, caches, workspaces and fused kernels not considered", moved, worth=FLOAT32,
    ),
    "intensity": Metric(
        "MACs/byte", "MACs over traffic bytes; FLOPs per byte are twice as many", of=("macs", "traffic_bytes"),
        kind="measured",
    ),
    "seconds": Metric(
        "seconds", "median of the newest run of this very network on this device that was not noisy: inference, eager, "
        "float32", kind="measured", measured=True,
    ),
}  # fmt: skip
METRICS = tuple(name for name, metric in ALL.items() if metric.usual)
COUNTED = tuple(name for name, metric in ALL.items() if not metric.measured)
SUMMED = tuple(name for name in COUNTED if not ALL[name].of)


def with_parts(names: Iterable[str]) -> list[str]:
    """The metrics, and those that one of them is made of, each once."""
    return list(dict.fromkeys(part for name in names for part in ALL[name].of or (name,)))


def with_looked_at(shown: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """The metrics, and those that a choice of points looks at besides, of the names it has. Raises UsageError for one
    that is not counted."""
    for name in names:
        if name in ALL and name not in COUNTED:
            raise UsageError(f"{name} are looked up once the points are chosen; choose them by what is counted")
    return tuple(dict.fromkeys((*shown, *(name for name in COUNTED if name in names))))


def check_told_apart(knob: str) -> None:
    """Raises UsageError for a knob that is called like a metric: the numbers of both would stand under one name."""
    if knob in ALL:
        raise UsageError(f"{knob} is a knob here, and a metric too: give the knob another name in the spec")


def read_metrics(given: Sequence[str] | str | None, usual: tuple[str, ...] = METRICS) -> tuple[str, ...]:
    """`params,macs,peak_bytes`, each once; the usual ones for None. Raises UnknownName and UsageError."""
    if given is None:
        return usual
    names = [name.strip() for name in (given.split(",") if isinstance(given, str) else given)]
    for name in names:
        if name not in ALL:
            raise UnknownName(unknown("metric", name, ALL))
        if names.count(name) > 1:
            raise UsageError(f"metric {name} is there twice; name each once")
    if not names:
        raise UsageError(f"no metrics to show; there are {', '.join(ALL)}")
    return tuple(names)


def what_they_count(metrics: Iterable[str]) -> list[str]:
    """A note for each metric that is not usual, and what MACs are where there are any."""
    names = [*metrics]
    notes = [f"{ALL[name].title}: {ALL[name].counts}" for name in names if not ALL[name].usual]
    return [*notes, *([CONVENTION] if {"macs", "intensity"} & {*names} else [])]
