"""Where the outputs of a training step lie in memory, and in which order of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from costcalc.analysis.training.step_layers import StepLayer
from costcalc.dims import Shape, decided, equal

Order = tuple[int, ...]  # of the axes in memory: the one that changes slowest first


class Memory(NamedTuple):
    """Where an output lies: in the memory that a layer made, with its axes in this order."""

    owner: Any
    order: Order


def outputs_in_memory(layers: Sequence[StepLayer]) -> dict[Any, Memory]:
    """Where the output of each layer lies in a training step."""
    found: dict[Any, Memory] = {}
    for each in layers:
        layer, op = each.layer, each.layer.op
        orders = [found[source].order for source in layer.inputs]
        order = order_of(op, orders, each.input_shapes, layer.output_shape)
        view = getattr(op, "train_output", op.output).view and layer.inputs
        if each.over is not None:
            owner = found[layer.inputs[each.over]].owner
        elif view and not copies_first(op, orders[0], each.input_shapes[0]):
            owner = found[layer.inputs[0]].owner
        else:
            owner = layer.name
        found[layer.name] = Memory(owner, order)
    return found


def order_of(op: Any, orders: Sequence[Order], ins: tuple[Shape, ...], out: Shape) -> Order:
    """The order of an output's axes in memory: as written anew, unless the op says otherwise."""
    return op.memory_order(*orders, ins=ins) if hasattr(op, "memory_order") else tuple(range(len(out)))


def copies_first(op: Any, order: Order, x: Shape) -> bool:
    """Does an op copy its input, because the axes that it joins do not lie side by side in memory? An axis of size 1
    lies anywhere."""
    if op.joined_axes is None or list(order) == sorted(order):
        return False
    wide = wide_axes(op, order, x)
    joined = range(len(x))[op.joined_axes]
    places = [place for place, axis in enumerate(wide) if axis in joined]
    in_order = [wide[place] for place in places]
    return in_order != sorted(in_order) or places != list(range(places[0], places[0] + len(places)) if places else [])


def wide_axes(op: Any, order: Order, x: Shape) -> list[int]:
    """The axes that have more than one element, in their order in memory."""
    if list(order) == sorted(order):
        return list(order)
    return [axis for axis in order if not decided(equal(x[axis], 1), f"what {op.name} copies")]
