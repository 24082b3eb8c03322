"""What an optimizer keeps and computes for each trained tensor."""

from __future__ import annotations

from typing import NamedTuple

from costcalc.errors import unknown

SCALAR_BYTES = 4  # a count of steps, float32


class Optimizer(NamedTuple):
    """`copies` of each trained tensor that it keeps, `operations` per learned scalar and step, and how many temporaries
    of a tensor's size an update takes (torch's, one tensor after another)."""

    copies: int
    operations: int
    temporaries: int = 0
    counts_steps: bool = False  # one scalar for each tensor


OPTIMIZERS = {
    "sgd": Optimizer(0, 2),  # w − lr·g
    "momentum": Optimizer(1, 4),  # v = μ·v + g; w − lr·v
    # m = β1·m + (1 − β1)·g (3), v = β2·v + (1 − β2)·g² (4), w − lr·m/(√v/c + ε) (6), lr and c corrected for the bias
    "adam": Optimizer(2, 13, temporaries=2, counts_steps=True),
    "adamw": Optimizer(2, 14, temporaries=2, counts_steps=True),  # and w·(1 − lr·λ)
}


def optimizer_of(name: str) -> Optimizer:
    """The optimizer of a name. Raises UnknownName."""
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]
