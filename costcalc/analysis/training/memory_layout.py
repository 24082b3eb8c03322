"""Where the outputs of a training step lie in memory, and in which order of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.analysis.training.step_layers import StepLayer
from costcalc.dims import Shape, Size, at_least, decided, equal, is_symbolic, prod
from costcalc.errors import UsageError

Order = tuple[int, ...]  # of the axes in memory: the one that changes slowest first
DENSE: frozenset[int] = frozenset()
WHAT_COPIES = "what lies side by side in memory"


class Memory(NamedTuple):
    """Where an output lies: in the memory that a layer made, with its axes in this order.

    Before one of the axes in `breaks` elements are left out: it is not one axis with the one before it in memory.
    """

    owner: Any
    order: Order
    breaks: frozenset[int] = DENSE

    @property
    def is_plain(self) -> bool:
        """Do the axes lie in their order, with nothing between them?"""
        return not self.breaks and list(self.order) == sorted(self.order)


def outputs_in_memory(layers: Sequence[StepLayer]) -> dict[Any, Memory]:
    """Where the output of each layer lies in a training step."""
    found: dict[Any, Memory] = {}
    for each in layers:
        found[each.name] = output_in_memory(each, [found[source] for source in each.layer.inputs])
    return found


def output_in_memory(each: StepLayer, inputs: Sequence[Memory]) -> Memory:
    """Where the output of a layer lies, from where its inputs do."""
    layer, op = each.layer, each.layer.op
    if each.over is not None:
        return inputs[each.over]
    order = order_of(each, [memory.order for memory in inputs])
    if not inputs or not getattr(op, "train_output", op.output).view:
        return Memory(layer.name, order)
    first, x = inputs[0], each.input_shapes[0]
    if hasattr(op, "memory_breaks"):
        return Memory(first.owner, order, op.memory_breaks(first.breaks, ins=each.input_shapes))
    if op.joined_axes is None:
        return Memory(first.owner, order, mapped_breaks(first, order, layer.output_shape))
    if first.is_plain:
        return Memory(first.owner, order)
    return reshaped(first, x, layer.output_shape) or Memory(layer.name, order)


def mapped_breaks(memory: Memory, order: Order, out: Shape) -> frozenset[int]:
    """The breaks of a view that moves axes: those of the axes in the same places in memory."""
    if len(order) != len(memory.order):
        return DENSE
    places = {axis: place for place, axis in enumerate(memory.order)}
    return frozenset([order[places[axis]] for axis in memory.breaks])


def order_of(each: StepLayer, orders: Sequence[Order]) -> Order:
    """The order of an output's axes in memory: as written anew, unless the op says otherwise."""
    op = each.layer.op
    if not hasattr(op, "memory_order"):
        return tuple(range(len(each.layer.output_shape)))
    found: Order = op.memory_order(*orders, ins=each.input_shapes, wanted=each.wanted)
    return found


class Run(NamedTuple):
    """Axes that follow each other in the shape and in memory, and so are one for torch."""

    axes: list[int]
    is_broken: bool  # are elements left out before them?


def runs_of(memory: Memory, x: Shape) -> list[Run]:
    """The runs of axes that may have more than one element, in the order of the shape."""
    wide, broken = wide_axes(memory, x)
    places = {axis: place for place, axis in enumerate(wide)}
    runs: list[Run] = []
    for axis in sorted(wide):
        if runs and places[axis] == places[runs[-1].axes[-1]] + 1 and axis not in broken:
            runs[-1].axes.append(axis)
        else:
            runs.append(Run([axis], axis in broken))
    return runs


def reshaped(memory: Memory, x: Shape, out: Shape) -> Memory | None:
    """Where x lies under another shape; None if torch copies it, as no view has that shape.

    An axis that may be 1 is taken for a longer one: what is a view then is one anyway. Raises UsageError where symbols
    decide it.
    """
    runs, left = runs_of(memory, x), [*enumerate(out)]
    parts: list[list[int]] = []
    for run in runs:
        part = _axes_of_product(prod(x[axis] for axis in run.axes), left)
        if part is None:
            _refuse_symbols(x, out)
            return None
        parts.append(part)
    (parts or [[]])[-1].extend(axis for axis, _ in left)
    in_memory = sorted(zip(runs, parts), key=lambda pair: memory.order.index(pair[0].axes[0]))
    order = tuple([axis for _, part in in_memory for axis in part])
    breaks = frozenset(part[0] for run, part in in_memory if run.is_broken and part)
    return Memory(memory.owner, order if len(order) == len(out) else tuple(range(len(out))), breaks)


def _axes_of_product(wanted: Size, left: list[tuple[int, Size]]) -> list[int] | None:
    """Takes from the left the axes whose sizes have this product; None if no such axes follow each other."""
    found: list[int] = []
    size: Size = 1
    while (same := equal(size, wanted)) is None or not decided(same, WHAT_COPIES):
        if not left:
            return None
        axis, more = left.pop(0)
        found.append(axis)
        size = size * more
        if (fits := at_least(wanted, size)) is not None and not decided(fits, WHAT_COPIES):
            return None
    return found


def _refuse_symbols(x: Shape, out: Shape) -> None:
    """Raises UsageError if symbols leave open whether an input is copied."""
    if any(map(is_symbolic, (*x, *out))):
        raise UsageError(f"{WHAT_COPIES} depends on symbols: set them")


def copies_first(op: Any, memory: Memory, x: Shape, out: Shape) -> bool:
    """Does an op copy its input, because the axes that it joins do not lie side by side in memory? One of size 1 lies
    anywhere."""
    if op.joined_axes is None or memory.is_plain:
        return False
    if op.output.view:
        return reshaped(memory, x, out) is None
    joined = set(range(len(x))[op.joined_axes])
    several = len([run for run in runs_of(memory, x) if joined & {*run.axes}]) > 1
    if several:
        for axis in joined:
            decided(equal(x[axis], 1), WHAT_COPIES)
    return several


def wide_axes(memory: Memory, x: Shape) -> tuple[list[int], set[int]]:
    """The axes that may have more than one element, in their order in memory, and those before which it is broken."""
    wide, broken, is_broken = [], set[int](), False
    for axis in memory.order:
        is_broken = is_broken or axis in memory.breaks
        is_one = equal(x[axis], 1)
        if is_one is None or not decided(is_one, WHAT_COPIES):
            wide.append(axis)
            broken.update([axis] if is_broken and len(wide) > 1 else ())
            is_broken = False
    return wide, broken
