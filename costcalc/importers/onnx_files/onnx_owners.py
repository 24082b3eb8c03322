"""Which layer of an ONNX graph has which tensors of the file for its own."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.dims import Shape
from costcalc.importers.aten_ops.shared_tensors import can_share
from costcalc.importers.onnx_files.onnx_values import Step, same_sizes


class Owner(NamedTuple):
    """The layer whose own a tensor is, with its name and shape there."""

    layer: int
    key: str
    shape: Shape


class Owners(dict[str, Owner]):
    """The owner of each tensor. `operands` are tensors that no layer may have for its own."""

    def __init__(self, operands: set[str]):
        super().__init__()
        self.operands = operands

    def can_own(self, step: Step) -> bool:
        """Can a layer have these tensors for its own?"""
        names = names_of(step)
        if len({*names.values()}) < len(names) or not self.operands.isdisjoint(names.values()):
            return False
        return can_share(names, self)

    def owner_of(self, step: Step) -> int | None:
        """The layer with which a step shares its tensors."""
        return next((self[name].layer for name in names_of(step).values() if name in self), None)

    def take(self, step: Step, layer: int, shapes: list[Shape]) -> None:
        """Gives a layer the tensors of a step. One that another layer has in another shape is an operand."""
        names = names_of(step)
        for key, shape, _ in step.op.weights(*shapes) if names else ():
            if key in names:
                owner = self.setdefault(names[key], Owner(layer, key, shape))
                if not same_sizes(owner.shape, shape):
                    self.operands.add(names[key])


def names_of(step: Step) -> dict[str, str]:
    """The tensors of a step by their names in the op."""
    return {key: value.tensor.name for key, value in step.own.items() if value.tensor is not None}
