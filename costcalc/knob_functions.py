"""The functions of costcalc that vary knobs: sweeps, scaling, next steps. Each takes the targets that `load` takes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from costcalc.errors import UsageError, shorten
from costcalc.net import Target, load, load_with_knobs
from costcalc.text import read_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from costcalc.analysis.scaling.break_even import BreakEven
    from costcalc.analysis.scaling.budget import Fitting
    from costcalc.analysis.scaling.compound import Compound
    from costcalc.analysis.scaling.next_change import NextSteps
    from costcalc.analysis.scaling.presets import PresetSweep
    from costcalc.analysis.scaling.scale import Scaled
    from costcalc.analysis.sweep.histogram import Histogram
    from costcalc.analysis.sweep.sweep_result import Sweep
    from costcalc.models.model import Model


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
    """The cost of a network at every point of a grid: `sweep("efficientnet", r=range(224, 601, 8), w="1:2:0.05")`.

    `metrics` are counted at each point, as in `"params,macs,peak_bytes"`; docs/sweeps.md lists them. `where` keeps the
    points that meet a condition on knobs and metrics, `pareto` the Pareto front (less of a metric, more of a knob; a
    leading - reverses it), `top` the first so many by `by`. `seconds` looks up the measured time of a network, for the
    metric of that name. `workers` processes (None: as many as pay off) or any `executor` compute a large grid.
    `max_memory_bytes`, as in `"16GB"`, limits the columns of the kept points. Raises UnknownName, UsageError, SpecError
    and WorkersLost, ShapeError if every point is invalid.
    """
    from costcalc.analysis.sweep.grid import given_axes
    from costcalc.analysis.sweep.state import Limit
    from costcalc.analysis.sweep.sweep import sweep_model

    model = load_with_knobs(target, "sweep")
    axes = given_axes(axes, model.settable, model.name)
    choice: dict[str, Any] = {"where": where, "pareto": pareto, "top": top, "by": by}
    with _pool(workers, executor, axes) as pool:
        limit = Limit(_bytes(max_memory_bytes))
        return sweep_model(model, axes, metrics=metrics, seconds=seconds, pool=pool, limit=limit, **choice)


def sweep_presets(
    target: Target,
    presets: str = "all",
    *,
    metrics: Sequence[str] | str | None = None,
    seconds: Callable[[Model], float | None] | None = None,
) -> PresetSweep:
    """The presets of a network side by side, published and exact: `sweep_presets("efficientnet", "b0..b7").rows`.

    `metrics` and `seconds` are those of `sweep`.
    """
    from costcalc.analysis.scaling.presets import sweep_presets

    return sweep_presets(load_with_knobs(target, "sweep_presets"), presets, metrics, seconds=seconds)


def histogram(
    target: Target,
    metric: str = "macs",
    *,
    where: str | None = None,
    workers: int | None = 1,
    executor: Executor | None = None,
    **axes: Any,
) -> Histogram:
    """The number of points of a grid in each round bin of a metric: `histogram("efficientnet", r="64:600:1").rows`.

    `where`, `workers` and `executor` are those of `sweep`. It raises the same.
    """
    from costcalc.analysis.sweep.grid import given_axes
    from costcalc.analysis.sweep.sweep import histogram_model

    model = load_with_knobs(target, "histogram")
    axes = given_axes(axes, model.settable, model.name)
    with _pool(workers, executor, axes) as pool:
        return histogram_model(model, axes, metric, where=where, pool=pool)


def scale(
    target: Target, free: Sequence[str] | str | None = None, *,
    grid: Mapping[str, Any] | Sequence[str] | str | None = None,
    top: int | None = None, alpha: Any = None, beta: Any = None, gamma: Any = None, **budget: int | str,
) -> Scaled | Fitting:  # fmt: skip
    """The largest value of a knob within a budget: `scale("mobilenet_v2@r=192", "w", macs="300M").value`; for several
    knobs the Pareto front of a grid: `scale("efficientnet", macs="400M").to_records()`.

    A Scaled for one free knob, else a Fitting. Raises UnknownName, UsageError, and NothingFits if no point keeps it.
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
    """EfficientNet's compound scaling: multiplies d by α^φ, w by β^φ and r by γ^φ, `compound("efficientnet", 3)`.

    α, β, γ default to 1.2, 1.1 and 1.15, φ to the largest that keeps a budget: `compound(…, macs=10**9)`.
    Raises UsageError for a network without these knobs or a φ below 0, NothingFits for a budget that no φ keeps.
    """
    from costcalc.analysis.scaling.compound import compound_model
    from costcalc.analysis.scaling.phi import read_law, read_phi

    model, law = load_with_knobs(target, "compound"), read_law(alpha, beta, gamma)
    return compound_model(model, law, None if phi is None else read_phi(phi), budget)


def next_steps(target: Target, *knobs: str) -> NextSteps:
    """The next value of each knob at which a cost changes, by how much, and why: `next_steps("efficientnet")`.

    Of the named knobs, else of all that set the size of the network. Raises UnknownName.
    """
    from costcalc.analysis.scaling.next_change import next_steps

    return next_steps(load_with_knobs(target, "next_steps"), knobs or None)


def break_even(first: Target, second: Target, knob: str, values: Any = None, *, by: str = "macs") -> BreakEven:
    """The values of a knob from which on one costs more: `break_even("resnet50", "vgg16", "r").crossings`.

    `values` as in `sweep`, or after the knob, `"r=32:512:1"`; else all from the smallest to ten times the larger
    setting. Raises UnknownName, ShapeError.
    """
    from costcalc.analysis.scaling.break_even import break_even

    return break_even(load(first), load(second), knob, values, by=by)


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
        raise UsageError(f"{shorten(given)!r} is not an amount of memory; write 16GB or 16GiB")
    return found
