"""The strategies of transfer learning, each as a network of its own, and what each of them costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from costcalc.analysis.scaling.scale import largest, read_limit
from costcalc.analysis.sweep.totals import totals_of
from costcalc.analysis.transfer.plan import Plan, check_count
from costcalc.analysis.walk import walk
from costcalc.errors import NothingFits, UsageError
from costcalc.graph.adapters import linear_rows
from costcalc.graph.freezing import layer_names, matching_rows
from costcalc.graph.head import unknown_row
from costcalc.models.model import Model
from costcalc.text import split_names

HEAD, FEATURES, FREEZE, ALL, ADAPTERS = "head", "features", "freeze", "all", "adapters"
STEP_METRICS = ("trainable_params", "frozen_params", "train_macs", "train_peak_bytes")


@dataclass(frozen=True)
class Strategy:
    """A way to train a network for other classes. MACs are of a batch, of all images once, and of computing features
    before the first epoch; `disk_bytes` what is kept of these."""

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

    def macs(self, epochs: int) -> int:
        """MACs of so many epochs."""
        return self.once_macs + epochs * self.epoch_macs


def strategies(
    plan: Plan, *, freeze_until: str | None = None, rank: int = 8, adapt: Sequence[str] | str = (),
    within: int | str | None = None,
) -> tuple[list[Strategy], list[str]]:  # fmt: skip
    """The strategies that this network has, and why it lacks the others. With `within` each has the largest batch whose
    step fits into so many bytes.

    Raises UsageError and UnknownName for rows that do not exist or do not lie before the head, NothingFits if no step
    fits.
    """
    check_count("rank", rank)
    point, rows = freeze_point(plan, freeze_until), rows_to_adapt(plan, split_names(adapt) if adapt else ())
    head = _strategy(plan, HEAD, "head only", plan.frozen_until(plan.rows_before[-1]))
    found = [head, _on_features(plan, head)]
    if point is not None:
        found.append(_strategy(plan, FREEZE, f"freeze up to {point[0]}", plan.frozen_until(point[1])))
    found.append(_strategy(plan, ALL, "fine-tune all", plan.model))
    if rows:
        found.append(_strategy(plan, ADAPTERS, f"adapters of rank {rank}", plan.with_adapters(rows, rank)))
    missing = [] if point else ["one block alone has weights before the head: name a row in it with --freeze-until"]
    missing += [] if rows else [f"no linear layer stands before the head {plan.head}: no adapters"]
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
    """The head on features that are computed once, of each view. What is frozen is so as where the head is trained on
    images."""
    once = _of_images(plan, plan.before, "macs", plan.images * plan.views)
    more = {"frozen_params": head.frozen_params, "once_macs": once, "disk_bytes": plan.disk_bytes}
    return _strategy(plan, FEATURES, "head on kept features", plan.head_alone, **more)


def _of_images(plan: Plan, model: Model, metric: str, images: int) -> int:
    """A metric of all images in batches, the last of which has the rest."""
    batches, rest = divmod(images, plan.batch)
    total: int = batches * totals_of(model, [metric])[metric] if batches else 0
    return total + (totals_of(model.at({"batch": rest}), [metric])[metric] if rest else 0)


def _with_largest_batch(plan: Plan, found: Sequence[Strategy], within: int | str) -> Iterator[Strategy]:
    """The strategies with the largest batch that fits. Features are computed before, at a batch of one at least."""
    limit = read_limit("train_peak_bytes", within)
    if "batch" not in plan.model.knobs:
        raise UsageError(f"--within solves for the batch, and {plan.model.label} has no knob 'batch'")
    least = {one.key: _least_bytes(plan, one) for one in found}
    if min(least.values()) > limit:
        key, size = min(least.items(), key=lambda pair: pair[1])
        title = next(one.title for one in found if one.key == key)
        hint = f"the least, {title}, takes {size:,} bytes at a batch of 1"
        raise NothingFits(f"no strategy for {plan.model.label} fits into {limit:,} bytes; {hint}")
    for one in found:
        fits = least[one.key] <= limit
        batch = int(largest(one.model, "batch", {"train_peak_bytes": limit}).value) if fits else None
        yield replace(one, largest_batch=batch)


def _least_bytes(plan: Plan, one: Strategy) -> int:
    """The bytes that a strategy holds at a batch of one."""
    model = one.model.at({"batch": 1})
    step: int = totals_of(model, ["train_peak_bytes"])["train_peak_bytes"]
    if one.key != FEATURES:
        return step
    computes: int = totals_of(plan.before.at({"batch": 1}), ["memory_bytes"])["memory_bytes"]
    return max(step, computes)


def freeze_point(plan: Plan, given: str | None) -> tuple[str, str] | None:
    """The row up to which a part of the network is frozen, in words and by its full name: the one that is named, else
    the block with weights before the last one with convolutions, or with any weights. None if there is none."""
    if given is not None:
        found = matching_rows(plan.model.bound, given)
        if not found:
            raise unknown_row("row", given, [*layer_names(plan.model.bound)])
        if found[-1] not in plan.rows_before:
            raise UsageError(f"--freeze-until {given} is not before the head {str(plan.head)!r}; name a row before it")
        return given, found[-1]
    blocks: dict[str, bool] = {}  # those with weights; are there convolutions among them?
    for row in walk(plan.before.bound):
        block = str(row.name).partition(".")[0]
        if row.params:
            blocks[block] = blocks.get(block, False) or (hasattr(row.op, "kernel") and bool(row.macs))
    names = [*blocks]
    trained = next((name for name in reversed(names) if blocks[name]), names[-1])
    if names.index(trained) == 0:
        return None
    block = names[names.index(trained) - 1]
    return block, [name for name in plan.rows_before if name.partition(".")[0] == block][-1]


def rows_to_adapt(plan: Plan, patterns: Sequence[str]) -> list[str]:
    """The linear layers before the head that have adapters: all, or those that these patterns mean.

    Raises UnknownName for a pattern that matches nothing, UsageError for one that means no such layer.
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
