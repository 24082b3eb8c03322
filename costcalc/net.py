"""The public face: a network, from its name to its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from costcalc.analysis.cost import Cost, cost_of
from costcalc.analysis.warnings import warnings_of
from costcalc.dtype import Dtype
from costcalc.errors import Problem, UsageError
from costcalc.models.model import Model
from costcalc.spec.limits import MAX_BYTES, MAX_LAYERS
from costcalc.text import read_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from costcalc.analysis.closed_form.formula import Formula
    from costcalc.analysis.closed_form.ratio import Ratio
    from costcalc.analysis.compare import Comparison
    from costcalc.analysis.reconcile import Reconciliation
    from costcalc.analysis.scaling.break_even import BreakEven
    from costcalc.analysis.scaling.budget import Fitting
    from costcalc.analysis.scaling.compound import Compound
    from costcalc.analysis.scaling.next_change import NextSteps
    from costcalc.analysis.scaling.presets import PresetSweep
    from costcalc.analysis.scaling.scale import Scaled
    from costcalc.analysis.sweep.histogram import Histogram
    from costcalc.analysis.sweep.sweep_result import Sweep
    from costcalc.graph import Graph
    from costcalc.result import TableResult


class Net(Model):
    """A model, and what it costs: `load("mobilenet_v1@w=0.5")`."""

    def cost(self, *, unrolled: bool = False) -> Cost:
        """Params, MACs, elementwise work and activations, layer by layer."""
        return cost_of(self, unrolled=unrolled)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Layers that are counted and probably not meant, each with its place and what to do about it."""
        return warnings_of(self)

    @property
    def macs(self) -> int:
        """Multiplies in convolutions, linear layers and matrix products. Raises UsageError for symbols as knobs."""
        return self._total("macs")

    @property
    def params(self) -> int:
        """Learned scalars; tensors that are shared once. Raises UsageError for symbols as knobs."""
        return self._total("params")

    def _total(self, metric: str) -> int:
        self.needs_numbers(f"Net.{metric}")
        return int(self.cost().total(metric))

    def formula(self, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
        """A total of `cost()` as a function of the whole and real knobs that are not set: `net.formula()(r=256)`.

        See `costcalc.formula`.
        """
        return formula(self, metric, assume=assume)

    def _repr_html_(self) -> str:
        """A notebook's view: the cost by block."""
        return self.cost().at_depth(1)._repr_html_()


Target: TypeAlias = Any  # str | PathLike | Mapping | Model | Graph: what `load` takes


def load(
    target: Target, *, dtype: Dtype | str | None = None, max_layers: int = MAX_LAYERS, max_bytes: int = MAX_BYTES,
    **knobs: Any,
) -> Net:  # fmt: skip
    """The model that a target means, with knobs behind an @ or as arguments. All functions read their targets so.

    `load("resnet50")`, `load("mobilenet_v1@w=0.5,r=160")`, `load("my_net.yaml@my_preset", w=0.5)`: a name, a preset or
    a path. Also the text of a spec (of more than one line), a spec as a dict, a model, or a layer graph. Bytes are
    counted in `dtype`: float16, or weights=int8,activations=float16. Raises UnknownName, UsageError or SpecError, all
    CostcalcError, with what to do about it.
    """
    net = _resolved(target, max_layers, max_bytes)
    if knobs:
        net.needs_knobs("setting a knob")
        net = net.with_knobs(**knobs)
    return net if dtype is None else net.with_dtype(dtype)


def _resolved(target: Target, max_layers: int, max_bytes: int) -> Net:
    if isinstance(target, Net):
        return target
    if isinstance(target, Model):
        return Net(target.architecture, target.settings, target.label, target.dtype)
    if hasattr(target, "nodes"):
        from costcalc.models.graph_architecture import GraphArchitecture

        return Net(GraphArchitecture(target))
    if not isinstance(target, (str, PathLike, Mapping)):
        wanted = "give a name, a path, a spec as text or dict, a model or a layer graph"
        raise UsageError(f"a {type(target).__name__} is no network; {wanted}")
    from costcalc.spec.library import find
    from costcalc.spec.spec_architecture import SpecArchitecture

    found = find(target, max_bytes=max_bytes)
    return Net(SpecArchitecture(found.spec, max_layers), found.settings, found.label)


def model(
    graph: Graph, knobs: Mapping[str, Any] | None = None, *, name: str = "", title: str = "", source: str = "",
    about: str = "",
) -> Net:  # fmt: skip
    """A model of a layer graph of your own, whose sizes hold symbols: `model(graph, knobs={"batch": 1, "r": 224})`.

    Every symbol is a knob, with its default: an int for a whole one, a float or Fraction for a real one, or a dict of
    default, low, high, about, letter and kind. The graph is copied. Raises
    UsageError for a symbol without a knob and a knob without a symbol, GraphError for something that is not a layer
    graph.
    """
    from costcalc.models.graph_architecture import GraphArchitecture, knobs_for

    GraphArchitecture(graph)  # raises GraphError
    words = {"name": name, "title": title, "source": source, "about": about}
    return Net(GraphArchitecture(graph.copy(), knobs_for(graph, knobs or {}), **words))


def cost(target: Target, *, unrolled: bool = False) -> Cost:
    """What a network costs, layer by layer: `cost("resnet50").macs`, `cost(graph).table()`.

    Repeats are written out if `unrolled`. Raises GraphError for something that is not a layer graph, ShapeError for the
    first layer that cannot be.
    """
    return load(target).cost(unrolled=unrolled)


def compare(
    *targets: Target, by: str = "macs", algebra: bool | None = None,
    columns: Sequence[str] | str | None = None, seconds: Callable[[Model], float | None] | None = None,
) -> Comparison:  # fmt: skip
    """Networks side by side: `compare("inception_naive", "inception_bottleneck")`.

    `by` is any metric that is counted, `columns` what is said of each, as in `"target,macs,peak_bytes"`; `seconds`
    looks up what was measured of a network, for the column of that name. The ratio as algebra is added where two
    nets are two ways to build one block and it fits on a line; always with `algebra=True`.
    """
    from costcalc.analysis.compare import compare_models

    return compare_models([*map(load, targets)], by=by, algebra=algebra, columns=columns, seconds=seconds)


def break_even(first: Target, second: Target, knob: str, values: Any = None, *, by: str = "macs") -> BreakEven:
    """From which value of a knob on one costs more than the other: `break_even("resnet50", "vgg16", "r").crossings`.

    Values as in `sweep`, or behind the knob, `"r=32:512:1"`; else all from the smallest to ten times the larger
    setting. Raises UnknownName, ShapeError.
    """
    from costcalc.analysis.scaling.break_even import break_even

    return break_even(load(first), load(second), knob, values, by=by)


def formula(target: Target, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
    """The closed form of a cost in every knob that is not set, a function of them: `formula("efficientnet")(r=256)`.

    It has `.expression` for sympy, `.text`, `.latex`, `.python` and `.domain`, and `.without_floors` where that exists;
    with `assume=["r%32==0"]` it is the one under the assumption. Raises UnknownName for another metric, CostcalcError
    for a formula that is too large.
    """
    from costcalc.analysis.closed_form.assumptions import closed_form

    return closed_form(_with_knobs(target, "formula"), metric, assume=assume)


def ratio(target: Target, over: Target, metric: str = "macs") -> Ratio:
    """What one network costs over another, as algebra: `ratio("conv_depthwise_separable", "conv_normal").text`."""
    from costcalc.analysis.closed_form.ratio import ratio

    return ratio(_with_knobs(target, "ratio"), _with_knobs(over, "ratio"), metric)


def elasticity(target: Target, metric: str = "macs") -> TableResult:
    """What each knob does to a cost, at the current settings."""
    from costcalc.analysis.closed_form.elasticity import elasticities

    return elasticities(_with_knobs(target, "elasticity"), metric)


def by_term(target: Target, metric: str = "macs") -> TableResult:
    """What each block costs at the current settings, its share and its formula, the largest first."""
    from costcalc.analysis.closed_form.elasticity import by_term

    return by_term(_with_knobs(target, "by_term"), metric)


def explain(target: Target) -> TableResult:
    """Each number of a network, or layer graph of your own, as lectures write it: 28·28·32 · 5·5·16 = 10,035,200."""
    from costcalc.analysis.explain import explain_model

    return explain_model(load(target))


def sweep(
    target: Target,
    *,
    metrics: Sequence[str] | str | None = None,
    where: str | None = None,
    pareto: Sequence[str] | str | None = None,
    top: int | None = None,
    by: str = "macs",
    seconds: Callable[[Model], float | None] | None = None,
    workers: int | None = 1,
    executor: Executor | None = None,
    max_memory_bytes: int | str = 10**9,
    **axes: Any,
) -> Sweep:
    """What a network costs at every point of a grid: `sweep("efficientnet", r=range(224, 601, 8), w="1:2:0.05")`.

    `metrics` are what is said of each point, as in `"params,macs,peak_bytes"`; see docs/sweeps.md for all of them.
    `where` keeps the points that meet a condition on knobs and metrics, `pareto` those that no other beats (less of a
    metric, more of a knob; a leading - turns it), `top` so many by `by`. `seconds` looks up what was measured of a
    network, for the metric of that name. A large grid may be worked out in so many processes (None: as many as pay),
    or by any executor. The columns of the points that are kept may take `max_memory_bytes`, as in `"16GB"`. Raises
    UnknownName, UsageError, SpecError and WorkersLost, ShapeError if no point is possible.
    """
    from costcalc.analysis.sweep.grid import given_axes
    from costcalc.analysis.sweep.state import Limit
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, sweep_model

    net = _with_knobs(target, "sweep")
    axes = given_axes(axes, net.knobs, net.name)
    choice: dict[str, Any] = {"where": where, "pareto": pareto, "top": top, "by": by}
    with _pool(workers, executor, axes, POINTS_PER_SECOND) as pool:
        limit = Limit(_bytes(max_memory_bytes))
        return sweep_model(net, axes, metrics=metrics, seconds=seconds, pool=pool, limit=limit, **choice)


def _bytes(given: int | str) -> int:
    if not isinstance(given, str):
        return given
    found = read_amount(given, of_bytes=True)
    if found is None:
        raise UsageError(f"{given[:60]!r} is no amount of memory; write 16GB or 16GiB")
    return found


def histogram(
    target: Target,
    metric: str = "macs",
    *,
    where: str | None = None,
    workers: int | None = 1,
    executor: Executor | None = None,
    **axes: Any,
) -> Histogram:
    """How many points of a grid there are of each size, in round bins: `histogram("efficientnet", r="64:600:1").rows`.

    `where`, `workers` and `executor` are as for `sweep`, and so is what it raises.
    """
    from costcalc.analysis.sweep.grid import given_axes
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND, histogram_model

    net = _with_knobs(target, "histogram")
    axes = given_axes(axes, net.knobs, net.name)
    with _pool(workers, executor, axes, POINTS_PER_SECOND) as pool:
        return histogram_model(net, axes, metric, where=where, pool=pool)


def _pool(workers: int | None, executor: Executor | None, axes: Any, per_second: int) -> Any:
    from costcalc.workers.pools import pool_for

    return pool_for(workers, executor, prod(len(values) for values in axes.values()), per_second)


def sweep_presets(
    target: Target,
    presets: str = "all",
    *,
    metrics: Sequence[str] | str | None = None,
    seconds: Callable[[Model], float | None] | None = None,
) -> PresetSweep:
    """The presets of a network side by side, published and exact: `sweep_presets("efficientnet", "b0..b7").rows`.

    `metrics` are what is said of each, and `seconds` looks up what was measured, as in a sweep.
    """
    from costcalc.analysis.scaling.presets import sweep_presets

    return sweep_presets(_with_knobs(target, "sweep_presets"), presets, metrics, seconds=seconds)


def scale(
    target: Target, free: Sequence[str] | str | None = None, *,
    grid: Mapping[str, Any] | Sequence[str] | str | None = None,
    top: int | None = None, alpha: Any = None, beta: Any = None, gamma: Any = None, **budget: int | str,
) -> Scaled | Fitting:  # fmt: skip
    """Backwards from a budget. The largest value of a knob: `scale("mobilenet_v2@r=192", "w", macs="300M").value`;
    of several knobs the points of a grid that none beats: `scale("efficientnet", macs="400M").to_records()`.

    A Scaled for one free knob, else a Fitting. Raises UnknownName, UsageError, and ShapeError if nothing keeps it.
    """
    from costcalc.analysis.scaling.budget import scale_model
    from costcalc.analysis.scaling.phi import read_law
    from costcalc.analysis.sweep.grid import given_axes, read_axes

    net = _with_knobs(target, "scale")
    read = given_axes if isinstance(grid, Mapping) else read_axes
    values = read((grid,) if isinstance(grid, str) else grid or (), net.knobs, net.name, numbers=True)  # type: ignore[arg-type]
    return scale_model(net, budget, free, values, read_law(alpha, beta, gamma), top)


def compound(
    target: Target, phi: Any = None, *, alpha: Any = None, beta: Any = None, gamma: Any = None, **budget: int | str
) -> Compound:
    """EfficientNet's compound scaling: d = α^φ, w = β^φ and r = γ^φ times what they are, `compound("efficientnet", 3)`.

    1.2, 1.1 and 1.15 if not given; without φ by the largest that keeps a budget: `compound(…, macs=10**9)`.
    Raises UsageError for a network without these knobs or a φ below 0, ShapeError for a budget that no φ keeps.
    """
    from costcalc.analysis.scaling.compound import compound_model
    from costcalc.analysis.scaling.phi import read_law, read_phi

    net, law = _with_knobs(target, "compound"), read_law(alpha, beta, gamma)
    return compound_model(net, law, None if phi is None else read_phi(phi), budget)


def next_steps(target: Target, *knobs: str) -> NextSteps:
    """The next value of each knob at which a cost changes, what it costs more, and why: `next_steps("efficientnet")`.

    Of the knobs that are named, else of all that say how large the network is. Raises UnknownName.
    """
    from costcalc.analysis.scaling.next_change import next_steps

    return next_steps(_with_knobs(target, "next_steps"), knobs or None)


def reconcile(target: Target) -> Reconciliation:
    """Each published figure of a network, ours, and the reason for the difference."""
    from costcalc.analysis.reconcile import reconcile_model

    return reconcile_model(load(target))


def specs() -> TableResult:
    """Every spec and preset of the library."""
    from costcalc.spec.list_specs import list_specs

    return list_specs()


def _with_knobs(target: Target, what: str) -> Net:
    """The model of a target, for `what` is about knobs. Raises UsageError if it has none."""
    net = load(target)
    net.needs_knobs(what)
    return net


def apply_settings(nets: list[Net], texts: list[str]) -> list[Net]:
    """The nets with `--set knob=value` applied to each that has the knob; one that none has is an error."""
    changed = list(nets)
    names = [text.partition("=")[0].strip() for text in texts]
    for text, name in zip(texts, names):
        if names.count(name) > 1:
            raise UsageError(f"--set {name[:64]} stands twice; set it once")
        having = [i for i, net in enumerate(changed) if name in net.knobs]
        for i in having or range(len(changed)):
            changed[i] = changed[i].with_texts([text])
    return changed
