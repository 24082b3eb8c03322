"""How many bytes an element takes in mixed precision: what torch.autocast to bfloat16 does with an op on a CPU.

    autocast(*widths, ins, wanted)  the Widths of an op, from the bytes of an element of each input, and their shapes

Weights, statistics and the loss stay float32. torch's autograd is the witness: tests/torch_backend/test_mixed.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from costcalc.dims import Shape
from costcalc.ops.gradients import Wanted

HALF_BYTES, SINGLE_BYTES = 2, 4


class Widths(NamedTuple):
    """Bytes of an element."""

    output: int
    own: int  # of the tensors that the op makes besides
    cast: int | None = None  # its inputs and its tensors are cast to this first


def in_widest(self: Any, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
    """It computes in the dtype of its widest input; without inputs in float32."""
    widest = max(widths, default=SINGLE_BYTES)
    return Widths(widest, widest)


def in_half(self: Any, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
    """A product: torch casts what it reads to bfloat16."""
    return Widths(HALF_BYTES, HALF_BYTES, HALF_BYTES)


def in_single(self: Any, *widths: int, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
    """torch casts what it reads to float32, and leaves its output so."""
    return Widths(SINGLE_BYTES, SINGLE_BYTES, SINGLE_BYTES)


def inside_in_single(self: Any, x: int, *, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
    """torch has no kernel in half precision: x is cast to float32, and the output cast back."""
    return Widths(x, SINGLE_BYTES, SINGLE_BYTES)


def into_single(self: Any, x: int, *, ins: tuple[Shape, ...], wanted: Wanted) -> Widths:
    """Its float32 tensors make the output float32."""
    return Widths(SINGLE_BYTES, x)
