"""The strategies of transfer learning, each as a network of its own, and what each of them costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from costcalc.analysis.metric_limits import read_bytes
from costcalc.analysis.scaling.scale import largest
from costcalc.analysis.scaling.search import NoLimit
from costcalc.analysis.sweep.totals import totals_of
from costcalc.analysis.transfer.plan import Plan, check_count
from costcalc.analysis.walk import walk
from costcalc.errors import NothingFits, UsageError
from costcalc.graph import first_row
from costcalc.graph.adapters import linear_rows
from costcalc.graph.freezing import layer_names, matching_rows
from costcalc.graph.head import unknown_row
from costcalc.graph.nodes import is_repeat
from costcalc.models.model import Model
from costcalc.text import split_names

HEAD, FEATURES, FREEZE, ALL, ADAPTERS = "head", "features", "freeze", "all", "adapters"
STEP_METRICS = ("trainable_params", "frozen_params", "train_macs", "train_peak_bytes")


@dataclass(frozen=True)
class Strategy:
    """A way to train a network for other classes. MACs: of a step, of an epoch, and once for computing features before
    the first epoch; `disk_bytes`: of these features."""

    key: str
    title: str
    model: Model  # that a step trains
    trainable_params: int
    frozen_params: int
    step_macs: int
    epoch_macs: int
    step_bytes: int
    once_macs: int = 0
    disk_bytes: int = 0
    largest_batch: int | None = None
    looked_to: int | None = None  # the last batch that was counted to find it, None if it is the last of all

    def macs(self, epochs: int) -> int:
        """MACs of so many epochs."""
        return self.once_macs + epochs * self.epoch_macs


def strategies(
    plan: Plan, *, freeze_until: str | None = None, rank: int = 8, adapt: Sequence[str] | str = (),
    within: int | str | None = None,
) -> tuple[list[Strategy], list[str]]:  # fmt: skip
    """The strategies that this network has, and why it lacks the others. With `within`, a number of bytes, each has the
    largest batch whose step fits.

    Raises UsageError and UnknownName for rows that do not exist or do not lie before the head, UsageError if the step
    of the head is not counted, NothingFits if no step fits.
    """
    check_count("rank", rank)
    point, rows = freeze_point(plan, freeze_until), rows_to_adapt(plan, split_names(adapt) if adapt else ())
    head = _strategy(plan, HEAD, "head only", plan.frozen_until(plan.rows_before[-1]))
    found = [head, _on_features(plan, head)]
    others = [(ALL, "fine-tune all", plan.model)]
    if point is not None:
        others.insert(0, (FREEZE, f"freeze up to {point[0]}", plan.frozen_until(point[1])))
    if rows:
        others.append((ADAPTERS, f"adapters of rank {rank}", plan.with_adapters(rows, rank)))
    missing = [] if point else [_no_part(plan)]
    missing += [] if rows else [f"no linear layer stands before the head {plan.head}: no adapters"]
    for key, title, model in others:
        try:
            found.append(_strategy(plan, key, title, model))
        except UsageError as error:  # of a layer that this strategy trains, or a gradient goes through
            missing.append(f"{title} is left out: {error.message}")
    return (found if within is None else [*_with_largest_batch(plan, found, within)]), missing


def _strategy(plan: Plan, key: str, title: str, model: Model, **more: Any) -> Strategy:
    """A strategy that trains this model."""
    found = totals_of(model, STEP_METRICS)
    epoch = _of_images(plan, model, "train_macs", plan.images)
    counted = {
        "trainable_params": found["trainable_params"], "frozen_params": found["frozen_params"],
        "step_macs": found["train_macs"], "epoch_macs": epoch, "step_bytes": found["train_peak_bytes"],
    }  # fmt: skip
    return Strategy(key, title, model, **{**counted, **more})


def _on_features(plan: Plan, head: Strategy) -> Strategy:
    """The head on features that are computed once for each view. It freezes as much as the head on images does."""
    once = _of_images(plan, plan.before, "macs", plan.images * plan.views)
    more = {"frozen_params": head.frozen_params, "once_macs": once, "disk_bytes": plan.disk_bytes}
    return _strategy(plan, FEATURES, "head on kept features", plan.head_alone, **more)


def _of_images(plan: Plan, model: Model, metric: str, images: int) -> int:
    """A metric of all images in batches, the last of which has the rest."""
    batches, rest = divmod(images, plan.batch)
    total: int = batches * totals_of(model, [metric])[metric] if batches else 0
    return total + (totals_of(model.at({"batch": rest}), [metric])[metric] if rest else 0)


def _with_largest_batch(plan: Plan, found: Sequence[Strategy], within: int | str) -> Iterator[Strategy]:
    """The strategies with the largest batch that fits. To compute features, a batch of 1 must fit at inference."""
    limit = read_bytes(within)
    if "batch" not in plan.model.knobs:
        raise UsageError(f"--within solves for the batch, and {plan.model.label} has no knob 'batch'")
    least = {one.key: _least_bytes(plan, one) for one in found}
    if min(least.values())[0] > limit:
        key, (size, when) = min(least.items(), key=lambda pair: pair[1])
        title = next(one.title for one in found if one.key == key)
        hint = f"the least, {title}, takes {size:,} bytes at a batch of 1{when}"
        raise NothingFits(f"no strategy for {plan.model.label} fits into {limit:,} bytes; {hint}")
    for one in found:
        yield _with_batch(one, limit) if least[one.key][0] <= limit else one


def _with_batch(one: Strategy, limit: int) -> Strategy:
    """The strategy with the largest batch whose step fits into so many bytes."""
    try:
        most = largest(one.model, "batch", {"train_peak_bytes": limit})
    except NoLimit as none:
        return replace(one, largest_batch=none.looked_to, looked_to=none.looked_to)
    return replace(one, largest_batch=int(most.value), looked_to=most.looked_to)


def _least_bytes(plan: Plan, one: Strategy) -> tuple[int, str]:
    """The bytes that a strategy holds at a batch of one, and when, if that is not its step."""
    model = one.model.at({"batch": 1})
    step: int = totals_of(model, ["train_peak_bytes"])["train_peak_bytes"]
    if one.key != FEATURES:
        return step, ""
    computes: int = totals_of(plan.before.at({"batch": 1}), ["memory_bytes"])["memory_bytes"]
    said = f", to compute the features at inference; its step takes {step:,}"
    return (step, "") if step >= computes else (computes, said)


def freeze_point(plan: Plan, given: str | None) -> tuple[str, str] | None:
    """The last row that is frozen, in words and by its full name: `given`, else the block with weights before the last
    block with convolutions, or without one before the last with weights; in a single block so the layer. None if a
    single layer or repeat has weights."""
    if given is not None:
        found = matching_rows(plan.model.bound, given)
        if not found:
            raise unknown_row("row", given, [*layer_names(plan.model.bound)])
        if found[-1] not in plan.rows_before:
            raise UsageError(f"--freeze-until {given} is not before the head {str(plan.head)!r}; name a row before it")
        return given, found[-1]
    for parts in _blocks(plan), _layers(plan):
        names = [*parts]
        if len(names) > 1:
            last = max((i for i, name in enumerate(names) if parts[name]), default=0) or len(names) - 1
            part = names[last - 1]
            return part, [name for name in plan.rows_before if f"{name}.".startswith(f"{part}.")][-1]
    return None


def _blocks(plan: Plan) -> dict[str, bool]:
    """The blocks with weights before the head; are there convolutions among them?"""
    found: dict[str, bool] = {}
    for name, convolves in _layers(plan).items():
        block = first_row(name)
        found[block] = found.get(block, False) or convolves
    return found


def _layers(plan: Plan) -> dict[str, bool]:
    """The layers and repeats with weights that read something before the head; are there convolutions among them?"""
    found: dict[str, bool] = {}
    names = {str(name) for name in plan.before.bound}
    for row in walk(plan.before.bound):
        parts = str(row.name).split(".")
        layer = next(name for i in range(len(parts)) if (name := ".".join(parts[: len(parts) - i])) in names)
        if row.params and row.inputs:  # a tensor that is a layer of its own is no row to freeze up to
            found[layer] = found.get(layer, False) or (hasattr(row.op, "kernel") and bool(row.macs))
    return found


def _no_part(plan: Plan) -> str:
    """Why no row is chosen up to which a part is frozen."""
    name = next(iter(_layers(plan)), None)
    if name is None:
        return "no layer before the head has weights"
    if any(str(node) == name and is_repeat(plan.before.bound, node) for node in plan.before.bound):
        return (
            f"all weights before the head stand in {name}, a repeat whose copies freeze alike: name a row of it with "
            "--freeze-until"
        )
    return f"one layer alone has weights before the head, {name}: freezing a part is freezing it, as head only does"


def rows_to_adapt(plan: Plan, patterns: Sequence[str]) -> list[str]:
    """The linear layers before the head that get adapters: all, or those that match these patterns.

    Raises UnknownName for a pattern that matches nothing, UsageError for one that matches no such layer.
    """
    rows, before = [*layer_names(plan.model.bound)], {*plan.rows_before}
    found = [name for name in linear_rows(plan.model.bound) if name in before]
    wanted: set[str] = set()
    for pattern in patterns:
        matched = {*matching_rows(plan.model.bound, pattern)}
        if not matched:
            raise unknown_row("layer", pattern, rows)
        if not matched & {*found}:
            raise UsageError(f"--adapt {pattern} means no linear layer before the head {str(plan.head)!r}")
        wanted |= matched
    return [name for name in found if name in wanted] if patterns else found
