"""The dtypes of weights and of activations: how many bytes a number takes."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from costcalc.errors import UsageError, unknown

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "float8": 1, "int8": 1}
WITHOUT_GRADIENTS = ("float8", "int8")  # in torch
KINDS = ("weights", "activations")
MIXED = "mixed"  # of activations: torch.autocast to bfloat16, see ops/precision.py


class Dtype(NamedTuple):
    """The dtype of weights (params and buffers), and of the tensors that layers read and write."""

    weights: str = "float32"
    activations: str = "float32"

    def scale(self, scale: int | str) -> int:
        """A scale as a number: itself, or the bytes of one element of the `weights` or `activations`.

        Raises UsageError for the activations of mixed precision: each layer has its own.
        """
        if not isinstance(scale, str):
            return scale
        if (name := getattr(self, scale)) == MIXED:
            raise UsageError(
                "mixed precision is counted of a training step: saved_bytes and train_peak_bytes; for inference give "
                "--dtype bfloat16"
            )
        return BYTES[name]

    @property
    def is_mixed(self) -> bool:
        """Does each layer choose the dtype of its activations?"""
        return self.activations == MIXED

    @property
    def words(self) -> str:
        """`in float16`, or `weights in int8 and activations in float16`."""
        if self.is_mixed:
            return "in mixed precision, as torch.autocast to bfloat16"
        if self.weights == self.activations:
            return f"in {self.weights}"
        return " and ".join(f"{kind} in {dtype}" for kind, dtype in zip(KINDS, self))

    def __str__(self) -> str:
        if self.is_mixed:
            return MIXED
        if self.weights == self.activations:
            return self.weights
        return ",".join(f"{kind}={dtype}" for kind, dtype in zip(KINDS, self))


FLOAT32 = Dtype()


def read_dtype(given: str | Dtype | None) -> Dtype:
    """Reads `float16`, `mixed`, or `weights=int8,activations=float16`; a part that is left out is float32, as is None.

    Raises UnknownName for a dtype that does not exist, UsageError for a part that is given twice.
    """
    if given is None or isinstance(given, Dtype):
        return given or FLOAT32
    if given.strip() == MIXED:
        return Dtype(activations=MIXED)
    if "=" not in given:
        name = _known(given.strip(), (*BYTES, MIXED))
        return Dtype(name, name)
    found: dict[str, str] = {}
    for part in given.split(","):
        kind, _, name = (word.strip() for word in part.partition("="))
        if kind not in KINDS:
            raise unknown("part of a dtype", kind, KINDS)
        if kind in found:
            raise UsageError(f"the dtype of {kind} stands twice; give it once")
        found[kind] = _known(name)
    return Dtype(**found)


def _known(name: str, names: Collection[str] = BYTES) -> str:
    if name not in names:
        raise unknown("dtype", name, names)
    return name
