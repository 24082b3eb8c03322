"""The functions of costcalc that count. Each takes the targets that `load` takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costcalc.errors import UsageError
from costcalc.graph.checkpointing import AUTO
from costcalc.net import Target, load, load_with_knobs
from costcalc.text import split_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from costcalc.analysis.budget_check import Check
    from costcalc.analysis.closed_form.formula import Formula
    from costcalc.analysis.closed_form.ratio import Ratio
    from costcalc.analysis.compare import Comparison
    from costcalc.analysis.cost import Cost
    from costcalc.analysis.feeding import Feeding
    from costcalc.analysis.figure_search import FigureSearch
    from costcalc.analysis.net_info import NetInfo
    from costcalc.analysis.reconcile import Reconciliation
    from costcalc.analysis.scaling.scale import Scaled
    from costcalc.analysis.training.checkpoint_plan import CheckpointPlan
    from costcalc.analysis.training.memory_use import MemoryUse
    from costcalc.analysis.transfer.transfer_result import Transfer
    from costcalc.lectures.lecture_tour import LectureTour
    from costcalc.models.model import Model
    from costcalc.pipeline.augmentation import Augmentation
    from costcalc.result import TableResult


def cost(target: Target, *, unrolled: bool = False) -> Cost:
    """The cost of a network, layer by layer: `cost("resnet50").macs`, `cost(graph).table()`.

    `unrolled` writes repeats out. Raises GraphError for an object that is not a layer graph, ShapeError for the first
    invalid layer.
    """
    return load(target).cost(unrolled=unrolled)


def compare(
    *targets: Target, by: Sequence[str] | str = "macs", baseline: str | None = None, depth: int | None = None,
    algebra: bool | None = None, columns: Sequence[str] | str | None = None,
    seconds: Callable[[Model], float | None] | None = None,
) -> Comparison:  # fmt: skip
    """Networks side by side: `compare("inception_naive", "inception_bottleneck")`.

    `by` is any metric that is counted, or several, `"macs,params"`; ratios are to the `baseline`, by default the first
    network. Two networks are compared layer by layer or block by block, at a `depth` if it is given; unlike ones by the
    size of their maps. `columns` are those of the table, as in `"target,macs,peak_bytes"`; `seconds` looks up the
    measured time of a network, for the column of that name. The ratio as algebra is added if both networks
    are ways to build one block and it fits on a line; always with `algebra=True`.
    """
    from costcalc.analysis.compare import compare_models

    return compare_models(
        [*map(load, targets)], by=by, baseline=baseline, depth=depth, algebra=algebra, columns=columns, seconds=seconds
    )


def info(target: Target) -> NetInfo:
    """What a network is, its source, its presets, and what each knob means, may be and does: `info("resnet")`."""
    from costcalc.analysis.net_info import net_info

    return net_info(load(target))


def check(
    *targets: Target, against: str | None = None, metrics: Sequence[str] | str | None = None, units: str | None = None,
    config: str | PathLike[str] | bool | None = None, dtype: str | None = None, optimizer: str | None = None,
    **budgets: int | str,
) -> Check:  # fmt: skip
    """Are budgets kept? `check("resnet50", macs="4.2G", params="26M", peak_bytes="16MB").ok`.

    The nearest pyproject.toml may have networks and budgets below `[tool.costcalc]`: without targets these are checked;
    `config` names another file, and False reads none. `against="git:main"` adds what has changed in the costs since
    that revision, by `metrics`; specs there are read as data. `units` are those of the table, as in `"M,MiB"`.

    Raises UsageError without a network or a budget, for a file that is broken and a revision that does not exist.
    """
    from costcalc.analysis.metric_limits import read_limit
    from costcalc.project.against import Past
    from costcalc.project.cost_check import check_models
    from costcalc.project.project import Project

    project = Project.find(config)
    limits = {metric: read_limit(metric, most) for metric, most in budgets.items()}
    past = None if against is None else Past(against, project, named=bool(targets))
    found = project.targets(targets)
    found = found if past is None else past.without_gone(found)
    models = [load(target.loadable, dtype=project.dtype(dtype)) for target in found]
    models = [model.with_step(project.step(model.step, optimizer)) for model in models]
    return check_models(project, found, models, limits, past, metrics, units)


def explain(target: Target) -> TableResult:
    """Each number of a network as lectures write it: 28·28·32 · 5·5·16 = 10,035,200."""
    from costcalc.analysis.explain import explain_model

    return explain_model(load(target))


def reconcile(target: Target, *, figure: str | int | None = None) -> Reconciliation | FigureSearch:
    """Each published figure of a network beside ours, and the reason for the difference; of a pipeline as
    `reconcile("augment:alexnet")`.

    With a `figure`, which convention of which variant of the network gives it, and how often chance would:
    `reconcile("resnet50", figure="9.74G").matches`, `figure="97.49 MiB"`. Raises UsageError for a text that is no
    figure, UnknownName for an unknown unit.
    """
    from costcalc.pipeline.pipeline_library import is_pipeline, load_pipeline

    if figure is not None:
        from costcalc.analysis.figure_search import search_figure

        return search_figure(load(target), figure)
    if is_pipeline(target):
        from costcalc.analysis.reconcile_pipeline import reconcile_pipeline

        return reconcile_pipeline(load_pipeline(target))
    from costcalc.analysis.reconcile import reconcile_model

    return reconcile_model(load(target))


def lecture(number: int | None = None) -> LectureTour:
    """The questions of a lecture, 1 to 12, or of all: each with the command that has the number, the number as counted
    now, and why: `print(lecture(6).text())`. Raises UsageError for another number."""
    from costcalc.lectures.lecture_tour import lecture_tour

    return lecture_tour(number)


def formula(target: Target, metric: str = "macs", *, assume: Sequence[str] | str = ()) -> Formula:
    """The closed form of a cost in every knob that is not set, a function of them: `formula("efficientnet")(r=256)`.

    It has `.expression` for sympy, `.text`, `.latex`, `.python` and `.domain`, and `.without_floors` if that exists;
    `assume=["r%32==0"]` simplifies it under an assumption. Raises UnknownName for another metric, CostcalcError for a
    formula that is too large.
    """
    return load(target).formula(metric, assume=assume)


def ratio(target: Target, over: Target, metric: str = "macs") -> Ratio:
    """The ratio of two networks' costs as algebra: `ratio("conv_depthwise_separable", "conv_normal").text`."""
    from costcalc.analysis.closed_form.ratio import ratio

    return ratio(load_with_knobs(target, "ratio"), load_with_knobs(over, "ratio"), metric)


def elasticity(target: Target, metric: str = "macs") -> TableResult:
    """The elasticity of a cost to each knob, and its exact factor if the knob doubles, at the current settings."""
    from costcalc.analysis.closed_form.elasticity import elasticities

    return elasticities(load_with_knobs(target, "elasticity"), metric)


def by_term(target: Target, metric: str = "macs") -> TableResult:
    """The cost, share and formula of each block at the current settings, the largest first."""
    from costcalc.analysis.closed_form.elasticity import by_term

    return by_term(load_with_knobs(target, "by_term"), metric)


def memory(
    target: Target, *, train: bool = False, optimizer: str | None = None, freeze: Sequence[str] | str = (),
    checkpoint: Sequence[str] | str = (), within: int | str | None = None, free: str = "batch",
) -> MemoryUse | Scaled | CheckpointPlan:  # fmt: skip
    """The memory that a network holds at once, by kind: `memory("resnet50", train=True, optimizer="adam").bytes`.

    In a training step, or at inference. With `within` the largest batch that fits, or another knob's largest value:
    `memory("resnet50", train=True, within="24GB").value`. With `checkpoint="auto"` the rows to checkpoint so that the
    network fits as it is: `memory("resnet50@batch=32", train=True, checkpoint="auto", within="2GB").rows`. Raises
    NothingFits if none does.
    """
    from costcalc.analysis.training.memory_use import fitting, memory_use

    model = load(target)
    rows = tuple(split_names(checkpoint))
    auto = rows == (AUTO,)
    if within is None and (free != "batch" or auto):
        raise UsageError("free and checkpoint='auto' say what within solves for; give within too")
    if auto and (not train or free != "batch"):
        raise UsageError("checkpoint='auto' fits a training step of the network as it is: train=True, and no free")
    if not train and (optimizer or freeze or checkpoint):
        raise UsageError("optimizer, freeze and checkpoint are about a training step; say train=True")
    given: dict[str, Any] = {
        "optimizer": optimizer,
        "freeze": tuple(split_names(freeze)),
        "checkpoint": () if auto else rows,
    }
    model = model.with_step(replace(model.step, **{name: value for name, value in given.items() if value}))
    if auto:
        from costcalc.analysis.training.checkpoint_plan import checkpoint_plan

        return checkpoint_plan(model, within)
    return memory_use(model, train=train) if within is None else fitting(model, within, free, train=train)


def augment(
    pipeline: Any, *, image: Sequence[int] | None = None, step: Target | None = None, rate: float | None = None,
    **knobs: Any,
) -> Augmentation | Feeding:  # fmt: skip
    """What one image costs in a data augmentation pipeline: `augment("alexnet", crop=227).views`.

    A name of `pipelines()`, a path, a dict, or a list of steps for an `image` (c, h, w):
    `augment([costcalc.pipeline.RandomCrop(224)], image=(3, 256, 256))`. With `step` the counts of that network beside
    it, `rate` the network inputs a second that its step consumes: ten crops are ten. To run it:
    `costcalc.torch_backend.time_pipeline`.
    Raises UnknownName, UsageError, SpecError, ShapeError.
    """
    from costcalc.pipeline.augmentation import augmentation_of
    from costcalc.pipeline.pipeline_library import any_pipeline

    found = augmentation_of(any_pipeline(pipeline, image, **knobs))
    if step is None:
        if rate is not None:
            raise UsageError("rate is what a step consumes; give step too")
        return found
    from costcalc.analysis.feeding import feeding

    return feeding(found, load(step), rate)


def transfer(
    target: Target, *, classes: int, images: int = 1000, epochs: int = 10, views: int = 1, batch: int | None = None,
    optimizer: str | None = None, head: str | None = None, freeze_until: str | None = None, rank: int = 8,
    adapt: Sequence[str] | str = (), within: int | str | None = None, disk: str | PathLike[str] | None = None,
    rate: Any = None, disk_rate: Any = None, dtype: str | None = None,
) -> Transfer:  # fmt: skip
    """What it costs to train a network for other classes, strategy by strategy: `transfer("vgg16", classes=3)`.

    The head only, on images or on kept features; all after a row; everything; adapters. `within` adds the largest
    batch of each, `disk` is the folder for the features, `rate` (images a second forward) and `disk_rate` (bytes a
    second) give seconds, which `costcalc.torch_backend.time_transfer` measures. Raises UnknownName, UsageError,
    NothingFits if no step fits, and NoRoom if the disk cannot keep the features.
    """
    from costcalc.analysis.transfer.compare_strategies import compare_strategies

    model = load(target, dtype=dtype)
    return compare_strategies(
        model, classes, images=images, epochs=epochs, views=views, batch=batch, optimizer=optimizer, head=head,
        freeze_until=freeze_until, rank=rank, adapt=adapt, within=within, disk=disk, rate=rate, disk_rate=disk_rate,
    )  # fmt: skip
