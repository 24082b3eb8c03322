"""Every metric: what it counts, its unit, its parts, and its value for several layers together.

A new metric is one more entry of METRICS; docs/add_a_metric.md shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.analysis import counted_elsewhere, paths, receptive_columns
from costcalc.analysis.memory import Layer, live_elements, written_elements
from costcalc.analysis.traffic import activations_moved, weights_moved
from costcalc.analysis.training import step_metrics
from costcalc.analysis.training.step_metrics import StepMetric
from costcalc.analysis.walk import Row
from costcalc.dims import Size, elements
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import UsageError, unknown
from costcalc.models.knob import QUOTED
from costcalc.table import FOOTER
from costcalc.text import packed, split_names
from costcalc.train_step import TrainStep

SUM, LARGEST, LEAVING = "sum", "largest", "leaving"  # of several layers; LEAVING: the sum of those read outside


class Part(NamedTuple):
    """A summand of a metric for one copy of a layer: costs of its row by name, or a function that gives sizes of it.

    `scale` is what one of them counts for: a number, or the bytes of an element of the `weights` or `activations`.
    """

    costs: tuple[str, ...] | Callable[[Row], Iterable[Size]]
    scale: int | str = 1

    def sizes(self, row: Row) -> Iterable[Size]:
        """The sizes of a row that are added up."""
        return self.costs(row) if callable(self.costs) else [row.costs[name] for name in self.costs]


class PathMetric(NamedTuple):
    """What the way from the input of a network to each layer makes: a value for each of its layers, repeats written
    out, and a function of those that leave it, for the value of the network. Of layers `between` others a metric of
    those that leave them and of those that enter makes it."""

    layers: Callable[[Sequence[Layer]], Iterator[Any]]
    together: Callable[[Iterable[Any]], Any]
    kind: str = "int"
    between: tuple[str, Callable[[Iterable[Any], Iterable[Any]], Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number of a layer, a block and a network: a sum of `parts`, or a function of all `layers` with repeats written
    out, or of those of a training `step`, or a quotient of two metrics (`of`), or measured."""

    title: str
    counts: str  # a note below tables
    brief: str = ""  # the same in a few words, where that is long
    unit: str = ""
    parts: tuple[Part, ...] = ()
    layers: Callable[[Sequence[Layer]], Iterator[Size]] | None = None
    step: StepMetric | None = None
    path: PathMetric | None = None
    scale: int | str = 1  # of `layers`, as in a Part
    together: str = SUM
    of: tuple[str, str] | None = None
    measured: bool = False
    usual: bool = False  # shown unless others are asked for
    no_formula: str = ""  # the reason, if it has no closed form

    @property
    def kind(self) -> str:
        """The kind of its table column."""
        if self.path:
            return self.path.kind
        return "measured" if self.of or self.measured else "int"

    @property
    def is_sum(self) -> bool:
        """Do the values of layers add up to that of the network?"""
        return self.is_counted and self.together == SUM and not self.of

    @property
    def is_counted(self) -> bool:
        """Is it a number of the layers, of which sums, formulas and columns are made?"""
        return not self.measured and self.path is None

    def of_row(self, dtype: Dtype) -> Callable[[Row], Size]:
        """For a metric of parts: a function that returns the value of a row, of all its copies if it is a sum."""
        parts = [(dtype.scale(part.scale), part.sizes) for part in self.parts]
        if not self.is_sum:
            return lambda row: sum(scale * size for scale, sizes in parts for size in sizes(row))
        match self.parts:
            case [Part(costs=[name], scale=1)]:  # most of those that are shown, of any number of layers
                return lambda row: row.times * row.costs[name]
        return lambda row: row.times * sum([scale * size for scale, sizes in parts for size in sizes(row)])


_LEARNED = ("weight", "bias", "norm")


def _connections(row: Row) -> list[Size]:
    return [row.costs["macs"], *([row.costs["elementwise"]] if row.costs["bias"] else [])]


def _output(row: Row) -> list[Size]:
    return [elements(row.output_shape)]


_LARGEST_HAS_NONE = "which layer it is depends on the knobs; `costcalc sweep` has it at any number of points"

METRICS: dict[str, Metric] = {
    "params": Metric(
        title="params", counts="learned scalars: weights, biases, normalisation; shared tensors once",
        unit="learned scalars", parts=(Part(_LEARNED),), usual=True,
    ),
    "weight": Metric(title="weights", counts="learned scalars of weights and kernels", parts=(Part(("weight",)),)),
    "bias": Metric(title="biases", counts="learned scalars of biases", parts=(Part(("bias",)),)),
    "norm": Metric(title="norm params", counts="learned scalars of normalisation layers", parts=(Part(("norm",)),)),
    "buffers": Metric(
        title="buffers", counts="scalars that are stored and not learned, as running statistics",
        parts=(Part(("buffers",)),),
    ),
    "macs": Metric(
        title="MACs", counts="multiply-accumulates", unit="multiplications", parts=(Part(("macs",)),), usual=True
    ),
    "flops": Metric(
        title="FLOPs", counts="2 × MACs: a multiplication and an addition for each", unit="operations",
        parts=(Part(("macs",), 2),),
    ),
    "macs_on_input": Metric(
        title="MACs on input", brief="those with zeros of the padding left out",
        unit="multiplications", parts=(Part(counted_elsewhere.macs_on_input),),
        no_formula="the edges of images make one too long to read; `costcalc sweep` has it at any number of points",
        counts="multiply-accumulates with an element of a layer's input: those with zeros of its padding left out",
    ),
    "elementwise": Metric(
        title="elementwise", brief="all other arithmetic",
        counts="all other arithmetic, one per element and elementary operation",
        unit="operations", parts=(Part(("elementwise",)),), usual=True,
    ),
    "bias_additions": Metric(
        title="bias additions", counts="one for each output of a convolution or linear layer that has a bias",
        unit="operations", parts=(Part(counted_elsewhere.bias_additions),),
    ),
    "bn_elements": Metric(
        title="batch-norm elements", counts="elements that batch norm writes", unit="elements",
        parts=(Part(counted_elsewhere.bn_elements),),
    ),
    "activations": Metric(
        title="activations", counts="elements written by layers, views none", brief="elements that layers write",
        unit="elements written", parts=(Part(("activations",)),), usual=True,
    ),
    "activations_in_place": Metric(
        title="activations in place", brief="those that torch's inplace=True writes over once",
        unit="elements written", layers=written_elements,
        counts="elements written by layers, each tensor that is written over once, as with torch's inplace=True",
    ),
    "input_elements": Metric(
        title="input elements", unit="elements", layers=counted_elsewhere.input_elements,
        counts="elements of the network's inputs, each at the first layer that reads it",
    ),
    "output": Metric(
        title="output", counts="elements that leave a layer, block or network", brief="elements that leave it",
        unit="elements",
        parts=(Part(_output),), together=LEAVING,
    ),
    "widest": Metric(
        title="widest", counts="elements of the largest output of a layer", brief="the largest output inside",
        unit="elements",
        parts=(Part(_output),), together=LARGEST,
    ),
    "connections": Metric(
        title="connections", counts="LeCun's: inputs wired to units, the bias input of each included",
        parts=(Part(_connections),),
    ),
    "weight_bytes": Metric(
        title="weight bytes", counts="params and buffers", unit="bytes",
        parts=(Part((*_LEARNED, "buffers"), "weights"),), usual=True,
    ),
    "peak_bytes": Metric(
        title="peak bytes", brief="the most activations at once at inference, inputs too",
        unit="bytes", layers=live_elements, scale="activations", together=LARGEST,
        counts="the most activations held at once at inference, inputs included, written over where torch's "
        "inplace=True may; weights, padded copies and workspaces apart",
    ),
    "memory_bytes": Metric(
        title="memory", unit="bytes", step=step_metrics.memory_bytes, together=LARGEST,
        counts="weights, buffers and peak bytes: what inference holds at once",
    ),
    "traffic_bytes": Metric(
        title="traffic bytes", unit="bytes", brief="what each layer reads and writes: inputs, weights, outputs",
        parts=(Part(weights_moved, "weights"), Part(activations_moved, "activations")),
        counts="inputs and weights that layers read and outputs they write, each layer on its own; views none, "
        "caches, workspaces and fused kernels not considered",
    ),
    "intensity": Metric(
        title="MACs/byte", counts="MACs over traffic bytes; FLOPs per byte are twice as many",
        of=("macs", "traffic_bytes"),
    ),
    "train_macs": Metric(
        title="train MACs", brief="multiplies of a training step: forward, again, and of all gradients",
        unit="multiplications", step=step_metrics.train_macs,
        counts="multiply-accumulates of a training step: forward, once more of checkpointed rows, and of all gradients",
    ),
    "recomputed_macs": Metric(
        title="recomputation", brief="multiplies of rows that are computed again for gradients",
        unit="multiplications", step=step_metrics.recomputed_macs,
        counts="multiply-accumulates of checkpointed rows that are computed again for their gradients",
    ),
    "input_gradient_macs": Metric(
        title="input gradients", brief="multiplies of gradients of layers' inputs",
        unit="multiplications", step=step_metrics.input_gradient_macs,
        counts="multiply-accumulates of the gradients of layers' inputs, where something below is trained",
    ),
    "weight_gradient_macs": Metric(
        title="weight gradients", brief="multiplies of gradients of what is trained",
        unit="multiplications", step=step_metrics.weight_gradient_macs,
        counts="multiply-accumulates of the gradients of tensors that are trained",
    ),
    "train_elementwise": Metric(
        title="train elementwise", brief="all other arithmetic of a training step",
        unit="operations", step=step_metrics.train_elementwise,
        counts="all other arithmetic of a training step: forward, gradients, cross-entropy, update",
    ),
    "update_operations": Metric(
        title="update", unit="operations", step=step_metrics.update_operations,
        counts="arithmetic of the optimizer, a part of train elementwise",
    ),
    "trainable_params": Metric(
        title="trainable params", unit="learned scalars", step=step_metrics.trainable_params,
        counts="params that are trained",
    ),
    "frozen_params": Metric(
        title="frozen params", unit="learned scalars", step=step_metrics.frozen_params,
        counts="params that keep their values",
    ),
    "saved_bytes": Metric(
        title="saved bytes", brief="what layers keep for the backward pass; weights apart",
        unit="bytes", step=step_metrics.saved_bytes,
        counts="what layers keep for the backward pass, each memory once: torch's autograd on a CPU; weights apart",
    ),
    "train_peak_bytes": Metric(
        title="train peak bytes", brief="the most held at once in a training step",
        unit="bytes", step=step_metrics.train_peak_bytes, together=LARGEST,
        counts="the most held at once in a training step: weights, gradients, what the optimizer keeps, activations; "
        "torch's kernels on a CPU, their workspaces apart",
    ),
    "receptive_field": Metric(
        title="receptive field", brief="elements of the input that one element of an output depends on",
        path=PathMetric(receptive_columns.receptive_fields, receptive_columns.largest, "shape"),
        counts="elements of the input, along each axis, that one element of a layer's output depends on",
    ),
    "stride": Metric(
        title="stride", counts="elements of its input from one window of a layer to the next; of a block the product",
        path=PathMetric(
            receptive_columns.strides, receptive_columns.largest, "shape", ("jump", receptive_columns.stride_between)
        ),
    ),
    "jump": Metric(
        title="jump", path=PathMetric(receptive_columns.jumps, receptive_columns.largest, "shape"),
        counts="elements of the network's input between neighbours: the product of all strides",
    ),
    "shortest_path": Metric(
        title="shortest path", path=PathMetric(paths.shortest_paths, paths.shortest),
        counts="the fewest convolutions, linear and recurrent layers on a path from the input",
    ),
    "paths": Metric(
        title="paths", path=PathMetric(paths.paths, sum), counts="paths from the input through the layer graph",
    ),
    "seconds": Metric(
        title="seconds", brief="median of the newest quiet run here: inference, eager, float32", measured=True,
        no_formula="it is measured: `costcalc time` takes it",
        counts="median of the newest run of this very network on this device that was not noisy: inference, eager, "
        "float32",
    ),
}  # fmt: skip
USUAL = tuple(name for name, metric in METRICS.items() if metric.usual)
COUNTED = tuple(name for name, metric in METRICS.items() if metric.is_counted)
IN_BYTES = frozenset(
    name for name, metric in METRICS.items() if "bytes" in (metric.unit, *(METRICS[of].unit for of in metric.of or ()))
)


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


def metric_notes(metrics: Iterable[str], dtype: Dtype | None, step: TrainStep | None = None) -> list[str]:
    """The convention of MACs, where metrics are about them; what the others count, in a few words, with the dtype of
    bytes; how a `step` of training is taken."""
    names = [*metrics]
    notes = [FOOTER] if {"macs", "flops", "intensity"} & {*names} else []
    notes += packed([note for name in names if (note := _note(name, dtype))])
    return [*notes, *(training_note(names, step) if step else [])]


def _note(name: str, dtype: Dtype | None) -> str:
    """`saved bytes: what layers keep for the backward pass, in float32`; empty for what needs no words."""
    metric, in_bytes = METRICS[name], dtype is not None and name in IN_BYTES
    if metric.usual and not metric.brief and not (in_bytes and dtype != FLOAT32):
        return ""
    return f"{metric.title}: {metric.brief or metric.counts}" + (f", {dtype.words}" if dtype and in_bytes else "")


def training_note(metrics: Iterable[str], step: TrainStep) -> list[str]:
    """How a step of training is taken, if any of the metrics is about one."""
    about_training = any(METRICS[name].step and name != "memory_bytes" for name in metrics)
    return [f"training: {step.words}"] if about_training else []
