"""What costcalc answers about networks, each function from the targets that `load` takes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from costcalc.errors import UsageError
from costcalc.net import Target, load, load_with_knobs
from costcalc.text import read_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from costcalc.analysis.closed_form.formula import Formula
    from costcalc.analysis.closed_form.ratio import Ratio
    from costcalc.analysis.compare import Comparison
    from costcalc.analysis.cost import Cost
    from costcalc.analysis.reconcile import Reconciliation
    from costcalc.analysis.scaling.break_even import BreakEven
    from costcalc.analysis.scaling.budget import Fitting
    from costcalc.analysis.scaling.compound import Compound
    from costcalc.analysis.scaling.next_change import NextSteps
    from costcalc.analysis.scaling.presets import PresetSweep
    from costcalc.analysis.scaling.scale import Scaled
    from costcalc.analysis.sweep.histogram import Histogram
    from costcalc.analysis.sweep.sweep_result import Sweep
    from costcalc.models.model import Model
    from costcalc.result import TableResult


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


def explain(target: Target) -> TableResult:
    """Each number of a network, or layer graph of your own, as lectures write it: 28·28·32 · 5·5·16 = 10,035,200."""
    from costcalc.analysis.explain import explain_model

    return explain_model(load(target))


def reconcile(target: Target) -> Reconciliation:
    """Each published figure of a network, ours, and the reason for the difference."""
    from costcalc.analysis.reconcile import reconcile_model

    return reconcile_model(load(target))


def formula(target: Target, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
    """The closed form of a cost in every knob that is not set, a function of them: `formula("efficientnet")(r=256)`.

    It has `.expression` for sympy, `.text`, `.latex`, `.python` and `.domain`, and `.without_floors` where that exists;
    with `assume=["r%32==0"]` it is the one under the assumption. Raises UnknownName for another metric, CostcalcError
    for a formula that is too large.
    """
    return load(target).formula(metric, assume=assume)


def ratio(target: Target, over: Target, metric: str = "macs") -> Ratio:
    """What one network costs over another, as algebra: `ratio("conv_depthwise_separable", "conv_normal").text`."""
    from costcalc.analysis.closed_form.ratio import ratio

    return ratio(load_with_knobs(target, "ratio"), load_with_knobs(over, "ratio"), metric)


def elasticity(target: Target, metric: str = "macs") -> TableResult:
    """What each knob does to a cost, at the current settings."""
    from costcalc.analysis.closed_form.elasticity import elasticities

    return elasticities(load_with_knobs(target, "elasticity"), metric)


def by_term(target: Target, metric: str = "macs") -> TableResult:
    """What each block costs at the current settings, its share and its formula, the largest first."""
    from costcalc.analysis.closed_form.elasticity import by_term

    return by_term(load_with_knobs(target, "by_term"), metric)


def break_even(first: Target, second: Target, knob: str, values: Any = None, *, by: str = "macs") -> BreakEven:
    """From which value of a knob on one costs more than the other: `break_even("resnet50", "vgg16", "r").crossings`.

    Values as in `sweep`, or behind the knob, `"r=32:512:1"`; else all from the smallest to ten times the larger
    setting. Raises UnknownName, ShapeError.
    """
    from costcalc.analysis.scaling.break_even import break_even

    return break_even(load(first), load(second), knob, values, by=by)


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
    from costcalc.analysis.sweep.sweep import sweep_model

    model = load_with_knobs(target, "sweep")
    axes = given_axes(axes, model.knobs, model.name)
    choice: dict[str, Any] = {"where": where, "pareto": pareto, "top": top, "by": by}
    with _pool(workers, executor, axes) as pool:
        limit = Limit(_bytes(max_memory_bytes))
        return sweep_model(model, axes, metrics=metrics, seconds=seconds, pool=pool, limit=limit, **choice)


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
    from costcalc.analysis.sweep.sweep import histogram_model

    model = load_with_knobs(target, "histogram")
    axes = given_axes(axes, model.knobs, model.name)
    with _pool(workers, executor, axes) as pool:
        return histogram_model(model, axes, metric, where=where, pool=pool)


def _pool(workers: int | None, executor: Executor | None, axes: Mapping[str, Any]) -> Any:
    """The pool that computes a sweep over these axes."""
    from costcalc.analysis.sweep.sweep import POINTS_PER_SECOND
    from costcalc.workers.pools import pool_for

    return pool_for(workers, executor, prod(map(len, axes.values())), POINTS_PER_SECOND)


def _bytes(given: int | str) -> int:
    if not isinstance(given, str):
        return given
    found = read_amount(given, of_bytes=True)
    if found is None:
        raise UsageError(f"{given[:60]!r} is not an amount of memory; write 16GB or 16GiB")
    return found


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

    return sweep_presets(load_with_knobs(target, "sweep_presets"), presets, metrics, seconds=seconds)


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

    model = load_with_knobs(target, "scale")
    read = given_axes if isinstance(grid, Mapping) else read_axes
    values = read((grid,) if isinstance(grid, str) else grid or (), model.knobs, model.name, numbers=True)  # type: ignore[arg-type]
    return scale_model(model, budget, free, values, read_law(alpha, beta, gamma), top)


def compound(
    target: Target, phi: Any = None, *, alpha: Any = None, beta: Any = None, gamma: Any = None, **budget: int | str
) -> Compound:
    """EfficientNet's compound scaling: d = α^φ, w = β^φ and r = γ^φ times what they are, `compound("efficientnet", 3)`.

    1.2, 1.1 and 1.15 if not given; without φ by the largest that keeps a budget: `compound(…, macs=10**9)`.
    Raises UsageError for a network without these knobs or a φ below 0, ShapeError for a budget that no φ keeps.
    """
    from costcalc.analysis.scaling.compound import compound_model
    from costcalc.analysis.scaling.phi import read_law, read_phi

    model, law = load_with_knobs(target, "compound"), read_law(alpha, beta, gamma)
    return compound_model(model, law, None if phi is None else read_phi(phi), budget)


def next_steps(target: Target, *knobs: str) -> NextSteps:
    """The next value of each knob at which a cost changes, what it costs more, and why: `next_steps("efficientnet")`.

    Of the knobs that are named, else of all that say how large the network is. Raises UnknownName.
    """
    from costcalc.analysis.scaling.next_change import next_steps

    return next_steps(load_with_knobs(target, "next_steps"), knobs or None)
