"""The plan of transfer learning: the network with its new head, and how long it is trained on how many images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from costcalc.analysis.batch import batch_of
from costcalc.analysis.validity_mask import ValidityMask
from costcalc.analysis.walk import walk, walk_masked
from costcalc.dims import Shape, clip
from costcalc.dtype import FLOAT32, Dtype
from costcalc.errors import UsageError
from costcalc.graph import Graph
from costcalc.graph.adapters import adapted
from costcalc.graph.freezing import any_frozen, freeze_until, unfrozen
from costcalc.graph.head import (
    FEATURE,
    before_head,
    first_layer_of,
    head_alone,
    inputs_of_head,
    last_linear,
    rows_before,
    with_classes,
)
from costcalc.models.changed_architecture import changed
from costcalc.models.knob import FREEZE
from costcalc.models.model import Model
from costcalc.train_step import TrainStep

DEFAULT_BATCH = 32
MAX_COUNT = 10**15  # images, epochs, …: so that products of them can still be read


@dataclass(frozen=True)
class Plan:
    """A network with its new head, whose first layer is `head`, and how long it is trained on how many images."""

    model: Model  # at the batch of a step, with its optimizer
    head: Any
    last_linear: Any  # None if a knob sets the classes
    classes: int
    images: int
    epochs: int
    views: int
    batch: int
    unfrozen: bool = False  # is something frozen in the target that is not here?

    @cached_property
    def rows_before(self) -> list[str]:
        """The names of the rows before the head, in execution order."""
        return rows_before(self.model.bound, self.head)

    @cached_property
    def feature_shapes(self) -> dict[Any, Shape]:
        """The shapes of the head's inputs at the batch of a step, by the layers that write them."""
        return shapes_of_inputs(self.model.bound, self.head)

    @property
    def feature_elements(self) -> int:
        """Numbers that the head reads of an image."""
        return sum(prod(shape) for shape in self.feature_shapes.values()) // self.batch

    @property
    def image_bytes(self) -> int:
        """Bytes of an image's features."""
        return self.feature_elements * self.features_dtype.scale("activations")

    @property
    def steps(self) -> int:
        """Steps of an epoch, the last of which has the rest of the images."""
        return -(-self.images // self.batch)

    @property
    def features_dtype(self) -> Dtype:
        """The dtype of features: float32 in mixed precision, which is for training steps only."""
        return FLOAT32 if self.model.dtype.is_mixed else self.model.dtype

    @property
    def disk_bytes(self) -> int:
        """Bytes of the features of all views of all images."""
        return self.images * self.views * self.image_bytes

    @property
    def before(self) -> Model:
        """The network that ends before the head."""
        return changed(self.model.with_dtype(self.features_dtype), before_head, self.head)

    @property
    def head_alone(self) -> Model:
        """The head as a network of its own."""
        return changed(self.model, head_alone_of, self.head)

    def frozen_until(self, row: str) -> Model:
        """The network with all rows up to this one frozen."""
        return changed(self.model, freeze_until, row)

    def with_adapters(self, rows: Sequence[str], rank: int) -> Model:
        """The network, frozen before its head, with adapters beside these rows."""
        return changed(self.frozen_until(self.rows_before[-1]), adapted, tuple(rows), rank)


def shapes_of_inputs(graph: Graph, head: Any) -> dict[Any, Shape]:
    """The shapes of the tensors that a head reads, by the layers that write them; with arrays, at every point."""
    shapes = {row.name: row.output_shape for row in walk_masked(before_head(graph, head), ValidityMask(graph))}
    return {source: shapes[FEATURE.format(i)] for i, source in enumerate(inputs_of_head(graph, head))}


def head_alone_of(graph: Graph, head: Any) -> Graph:
    """The head of a graph as a network of its own."""
    return head_alone(graph, head, shapes_of_inputs(graph, head))


def plan_transfer(
    model: Model, classes: int, *, images: int = 1000, epochs: int = 10, views: int = 1, batch: int | None = None,
    optimizer: str | None = None, head: str | None = None,
) -> Plan:  # fmt: skip
    """The plan to train a network for other classes: a knob `classes` sets them, else a new layer replaces the last
    linear one.

    Raises UsageError for sizes below 1, a network without a linear layer, a target that freezes, and a head with
    nothing before it; UnknownName for a head that does not exist.
    """
    sizes = {"classes": classes, "images": images, "epochs": epochs, "views": views}
    for name, size in (sizes if batch is None else {**sizes, "batch": batch}).items():
        check_count(name, size)
    if FREEZE.name in model.settings or model.step.freeze:
        raise UsageError("transfer says itself what is frozen; leave out freeze, and give --freeze-until")
    if model.step.checkpoint:
        reason = "where each strategy trains another part, other rows are worth computing again"
        raise UsageError(f"transfer compares steps that keep what they need: {reason}; leave out checkpoint")
    model.require_numeric("transfer")
    model = model.with_step(TrainStep(optimizer or model.step.optimizer, freeze_statistics=True))
    marked = any_frozen(model.bound)
    if marked:
        model = changed(model, unfrozen)
    model, replaced = _with_new_classes(model, classes, head)
    model, size = _at_batch(model, batch, images)
    found = _head_of(model, head)
    plan = Plan(model, found, replaced, classes, images, epochs, views, size, marked)
    _check_head(plan)
    return plan


def check_count(name: str, size: Any) -> None:
    """Raises UsageError unless `size` is a whole number from 1 to MAX_COUNT."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        whole = "" if isinstance(size, int) and not isinstance(size, bool) else "a whole number of "
        raise UsageError(f"{name} must be {whole}at least 1, got {clip(size)}")
    if size > MAX_COUNT:
        raise UsageError(f"{name} must be at most {MAX_COUNT:,}, got {clip(size)}")


def _with_new_classes(model: Model, classes: int, head: str | None) -> tuple[Model, Any]:
    """The model with new classes, and the linear layer that was replaced; None for it if a knob sets the classes."""
    if "classes" in model.knobs:
        one, other = (model.with_knobs(classes=classes + more) for more in range(2))
        widths = [_output_widths(each) for each in (one, other)]
        if widths[0] != widths[1]:
            return one, None
    layer = last_linear(model.bound)
    if layer is None:
        hint = "; name the first layer of its head with --head" if "classes" in model.knobs and head is None else ""
        raise UsageError(f"{model.label} has no linear layer whose features could be the new classes{hint}")
    return changed(model, with_classes, layer, classes), layer


def _output_widths(model: Model) -> list[Any]:
    """The shapes of all outputs."""
    rows = [*walk(model.bound)]
    read = {source for row in rows for source in row.inputs}
    return [row.output_shape for row in rows if row.name not in read]


def _head_of(model: Model, head: str | None) -> Any:
    """The first layer of the head: the one that is named, or the last linear layer."""
    if head is not None:
        return first_layer_of(model.bound, head)
    layer = last_linear(model.bound)
    if layer is None:
        raise UsageError(f"{model.label} has no linear layer to be its head; name the head's first layer with --head")
    return layer


def _at_batch(model: Model, batch: int | None, images: int) -> tuple[Model, int]:
    """The model at the batch of a step, and that batch, which is at most `images`."""
    if "batch" in model.knobs and "batch" not in model.settings:
        size = min(batch or DEFAULT_BATCH, images)
        return model.at({"batch": size}), size
    size = batch_of(model)
    if batch is not None:
        raise UsageError(f"{model.label} says itself that its batch is {size}; leave out --batch")
    if size > images:
        raise UsageError(f"{model.label} takes {size} images at once, and there are {images:,}; give more --images")
    if "batch" not in model.knobs and images % size:
        raise UsageError(f"{model.label} takes {size} images at once; give a multiple of {size} as --images")
    return model, size


def _check_head(plan: Plan) -> None:
    """Raises UsageError if the head has no weights, or the layers before it have none."""
    if not _params(plan.before):
        learned = [str(row.name) for row in walk(plan.head_alone.bound) if row.params]
        raise UsageError(
            f"nothing with weights stands before the head {str(plan.head)!r}, so there is nothing to keep frozen",
            "name a later layer with --head" if len(learned) > 1 else f"{learned[0]} alone has any" if learned else "",
        )
    if not _params(plan.head_alone):
        raise UsageError(f"no layer from {str(plan.head)!r} on has weights, so the head has nothing to train")


def _params(model: Model) -> int:
    return sum(row.params for row in walk(model.bound))
