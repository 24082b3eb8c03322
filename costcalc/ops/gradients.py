"""What a training step asks of an op: which gradients are wanted of it, and what it keeps to make them.

    backward_macs(*ins, out, wanted)        multiplies of the gradients
    train_elementwise(*ins, out, wanted)    arithmetic that a step adds to `elementwise`: of gradients, batch statistics
                                            and masks
    keeps(*ins, out, wanted)                what stays in memory from the forward to the backward pass

torch's autograd on a CPU in float32 is the witness: tests/torch_backend/test_keeps.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from costcalc.dims import Shape, Size, elements

INDEX_BYTES = 8  # torch's indices are int64
STATISTIC_BYTES = 4  # float32 in every dtype


class Wanted(NamedTuple):
    """The gradients that a training step wants of a layer, and how the layer runs."""

    inputs: tuple[bool, ...]  # of which inputs: those with something learned below them
    tensors: frozenset[str] = frozenset()  # of which of its tensors, by name: those that are trained
    inplace: bool = False  # it writes over an input
    evaluates: bool = False  # it runs as at inference: a normalisation whose statistics are frozen

    @property
    def any(self) -> bool:
        """Is any gradient wanted?"""
        return bool(self.tensors) or any(self.inputs)

    @property
    def x(self) -> bool:
        """Is the gradient of the first input wanted?"""
        return self.inputs[0]


class Extra(NamedTuple):
    """A tensor that an op makes and keeps: elements, and what one takes: bytes, or as the dtype of "activations" or
    "weights" is."""

    size: Size
    each: int | str = "activations"


class Kept(NamedTuple):
    """What a layer keeps: inputs by their index, its output, and tensors of its own.

    It keeps of its weights those named `weights`. They are in memory anyway, but in mixed precision it keeps their
    casts.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    extra: tuple[Extra, ...] = ()
    weights: tuple[str, ...] = ()


NOTHING = Kept()
Keeps = Callable[..., Kept]


def keeps_nothing(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
    """Its gradient is made of the gradient above alone."""
    return NOTHING


def keeps_input(self: Any, x: Shape, *, out: Shape, wanted: Wanted) -> Kept:
    """x, whichever gradient is wanted."""
    return Kept(inputs=(0,)) if wanted.any else NOTHING


def keeps_output(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Kept:
    """y: its derivative is a function of y."""
    return Kept(output=True) if wanted.any else NOTHING


def gradient_per_element(operations: int) -> Callable[..., Size]:
    """So many elementary operations for every element of the input's gradient."""

    def count(self: Any, x: Shape, *, out: Shape, wanted: Wanted) -> Size:
        return operations * elements(x) if wanted.x else 0

    return count


def bias_sums(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> Size:
    """The gradient of a bias: one addition per element of the output's gradient."""
    return elements(out) if "bias" in wanted.tensors else 0


def shape_of_input(self: Any, i: int, ins: tuple[Shape, ...], out: Shape) -> Shape | None:
    """The gradient of an input is made in the input's shape."""
    return None


def no_workspace(self: Any, *ins: Shape, wanted: Wanted, each: int) -> int:
    """One kernel makes the gradients."""
    return 0


def gradients_move(self: Any, *ins: Shape, out: Shape, wanted: Wanted) -> int:
    """Gradients are handed on as they are."""
    return 0
