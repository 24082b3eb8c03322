"""What turns calls into ops has in common: a node of the graph, and how arguments are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from costcalc.importers.torch_runs.run_record import Call, Learned, Tensor
from costcalc.ops.imported import View


class Node(NamedTuple):
    """An op, the tensors that it reads, and the tensors of modules that are its own, by their names in the op. It may
    read its first input, and be read, as a view."""

    op: Any
    inputs: tuple[Tensor, ...]
    own: Mapping[str, Tensor]
    before: Any = None
    after: Any = None


class NoRule(NamedTuple):
    """Why a call has no rule, of an op that has one: "with a projection"."""

    why: str


Held = Mapping[int, Learned]  # what modules hold, by number
Translation = Callable[[Call, Held], Node | NoRule | None]


def own_tensors(call: Call, held: Held, *names: str) -> dict[str, Tensor] | None:
    """The arguments of these names that are given, or None if one of them is computed, or a weight is a buffer."""
    given = {name: call.arguments[name] for name in names if isinstance(call.arguments.get(name), Tensor)}
    for name, tensor in given.items():
        learned = held.get(tensor.number)
        if learned is None or learned.is_buffer != name.startswith("running"):
            return None
    return given


def of_images(op: Any, call: Call, x: Tensor, own: Mapping[str, Tensor], axes: int) -> Node | None:
    """A node of an op that slides along so many axes; an image without a batch is a batch of one. None for other
    ranks."""
    if len(x.shape) == axes + 2:
        return Node(op, (x,), own)
    if len(x.shape) != axes + 1:
        return None
    return Node(op, (x,), own, View((1, *x.shape)), View(call.outputs[0].shape))


def each_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """A number for each axis, from one for all."""
    numbers = as_tuple(value)
    return numbers * axes if len(numbers) == 1 else numbers


def per_axis(value: Any, axes: int) -> Any:
    """A number for each axis; one number if they are equal."""
    numbers = each_axis(value, axes)
    return numbers[0] if len({*numbers}) == 1 else list(numbers)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
