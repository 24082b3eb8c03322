"""Checks what an op returns: a user's op may return anything, and a wrong count is worse than an error."""

from __future__ import annotations

from typing import Any

from costcalc.dims import Shape, Size, clip, is_array, is_symbolic
from costcalc.errors import ShapeError

ROLES = {"weight": "weight", "bias": "bias", "norm": "norm", "buffer": "buffers"}  # of a tensor -> its cost in a row


def check_shape(op: Any, given: Any) -> Shape:
    """The shape that `shape()` returned. Raises ShapeError for anything but one tuple of sizes."""
    if isinstance(given, tuple) and all(map(_is_size, given)):
        return given
    raise _wrong(op, "shape", "one shape, a tuple of sizes", given)


def check_count(op: Any, question: str, given: Any) -> Size:
    """The count that `macs()` or `elementwise()` returned. Raises ShapeError unless it is a size."""
    if _is_size(given):
        return given
    raise _wrong(op, question, "one size, a whole number from 0", given)


def check_tensors(op: Any, given: Any) -> list[Any]:
    """The tensors that `weights()` returned. Raises ShapeError for anything else."""
    if hasattr(given, "__iter__") and all(map(_is_tensor, found := [*given])):
        return found
    wanted = f"tensors, each Tensor(name, shape, role) with a role of {', '.join(ROLES)}"
    raise _wrong(op, "weights", wanted, given)


def _is_size(given: Any) -> bool:
    if given.__class__ is int:
        return bool(given >= 0)
    if isinstance(given, int) and not isinstance(given, bool):
        return given >= 0
    return is_symbolic(given) or is_array(given)


def _is_tensor(given: Any) -> bool:
    if not isinstance(given, tuple) or len(given) != 3:
        return False
    name, shape, role = given
    return isinstance(name, str) and isinstance(shape, tuple) and all(map(_is_size, shape)) and role in (*ROLES,)


def _wrong(op: Any, question: str, wanted: str, given: Any) -> ShapeError:
    return ShapeError(f"op {op.__class__.__name__}: {question}() must return {wanted}; got {clip(given)}")
