"""Answers that many ops share; a class assigns one, as in `weights = no_weights`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from costcalc.dims import Shape, Size, elements
from costcalc.ops.gradients import Wanted
from costcalc.ops.needs import Need


class Tensor(NamedTuple):
    """A named tensor of an op. Roles: weight, bias, norm (γ and β) are params; a buffer is stored but not learned."""

    name: str
    shape: Shape
    role: str = "weight"


class free:
    """A cost that is zero, with the reason as its docstring: `macs = free("comparisons are not multiplies")`.

    It is a class so that `@op` can tell it from a rule."""

    def __init__(self, reason: str):
        self.__doc__ = f"0: {reason}"

    def __call__(self, *ins: Shape, out: Shape, wanted: Wanted | None = None) -> int:
        return 0


def of_weight_and_input(self: Any, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
    """Every product x·w of the forward pass returns as ∂out·x for the weight and as ∂out·w for x, where wanted."""
    return self.macs(x, out=out) * (("weight" in wanted.tensors) + wanted.x)


def per_element(operations: int) -> Callable[..., Size]:
    """So many elementary operations for every element of the output."""

    def count(self: Any, *ins: Shape, out: Shape) -> Size:
        return operations * elements(out)

    return count


def no_weights(self: Any, *ins: Shape) -> tuple[Tensor, ...]:
    """Nothing is learned."""
    return ()


def no_needs(self: Any, *ins: Shape) -> tuple[Need, ...]:
    """Any input will do; the number of inputs is the signature's."""
    return ()


def order_of_input(self: Any, *orders: tuple[int, ...], ins: tuple[Shape, ...], wanted: Wanted) -> tuple[int, ...]:
    """The output's axes lie in memory as those of the first input that has as many."""
    return max(orders, key=len)


def in_its_order(self: Any, *orders: tuple[int, ...], ins: tuple[Shape, ...], wanted: Wanted) -> tuple[int, ...]:
    """The output is written anew, its axes in their order."""
    return tuple(range(max(map(len, orders))))


def same_shape_as_input(self: Any, x: Shape) -> Shape:
    """s -> s"""
    return x
