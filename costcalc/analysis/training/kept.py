"""What a training step keeps from the forward to the backward pass: autograd's saved tensors, each memory once.

A tensor is kept if its writer or one of its readers needs it for a gradient. Views, and layers that write over their
input, share its memory. Weights and buffers are held anyway and not counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from costcalc.analysis.training.step_layers import StepLayer
from costcalc.dims import Shape, Size, decided, elements, equal
from costcalc.errors import UsageError
from costcalc.ops.gradients import INDEX_BYTES, Extra
from costcalc.ops.gradients import Kept as OpKeeps

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
    """Does an op copy its input, because the axes that it joins do not lie side by side in memory? One of size 1 lies
    anywhere."""
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


class Kept(NamedTuple):
    """What stays: whole outputs, by the layer that owns their memory, each with the layers that keep it; and the
    tensors that each layer makes besides."""

    keepers: dict[Any, set[Any]]
    extra: dict[Any, list[Extra]]


def kept(layers: Sequence[StepLayer]) -> Kept:
    """The tensors that are kept, each under the layer that writes it."""
    where = outputs_in_memory(layers)
    keepers: dict[Any, set[Any]] = {}
    extra: dict[Any, list[Extra]] = {}
    for each in layers:
        layer = each.layer
        found = keeps(each)
        own = [*found.extra]
        for i in found.inputs:
            memory = where[layer.inputs[i]]
            if i == each.over or copies_first(layer.op, memory.order, each.input_shapes[i]):
                own.append(Extra(elements(each.input_shapes[i])))  # a copy
            else:
                keepers.setdefault(memory.owner, set()).add(layer.name)
        if found.output:
            keepers.setdefault(where[layer.name].owner, set()).add(layer.name)
        if own:
            extra[layer.name] = own
    return Kept(keepers, extra)


def keeps(each: StepLayer) -> OpKeeps:
    """What the op of a layer keeps. Raises UsageError, with the layer's name, where that is not known."""
    try:
        found: OpKeeps = each.layer.op.keeps(*each.input_shapes, out=each.layer.output_shape, wanted=each.wanted)
    except UsageError as error:
        raise UsageError(f"layer {str(each.layer.row)!r}: {error}") from None
    return found


def index_tensors(layers: Sequence[StepLayer]) -> set[Any]:
    """The outputs whose elements are indices: what an embedding reads, and what that was copied from."""
    found: set[Any] = set()
    for each in reversed(layers):
        layer = each.layer
        if layer.op.index_limit is not None:
            found.add(layer.inputs[0])
        if layer.name in found and layer.op.output.keeps_values:
            found.update(layer.inputs)
    return found


def kept_bytes(layers: Sequence[StepLayer], bytes_of: Mapping[str, int]) -> dict[Any, Size]:
    """The bytes that are kept of each layer; `bytes_of` has those of an element of "activations". An input of the
    network counts at the first layer that keeps it."""
    found, indices = kept(layers), index_tensors(layers)
    total: dict[Any, Size] = {}
    for each in layers:
        if keepers := found.keepers.get(each.name):
            name = each.name if each.layer.inputs else next(one.name for one in layers if one.name in keepers)
            element = INDEX_BYTES if each.name in indices else bytes_of["activations"]
            total[name] = total.get(name, 0) + elements(each.layer.output_shape) * element
        if each.name in found.extra:
            total[each.name] = total.get(each.name, 0) + extra_bytes(found.extra[each.name], bytes_of)
    return total


def extra_bytes(tensors: Iterable[Extra], bytes_of: Mapping[str, int]) -> Size:
    """The bytes of tensors that a layer makes besides its output."""
    return sum(size * (bytes_of[each] if isinstance(each, str) else each) for size, each in tensors)
