"""How a network is trained: the optimizer, and what of the network is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from costcalc.errors import UsageError, unknown
from costcalc.text import split_names

SCALAR_BYTES = 4  # a loss, or an optimizer's count of steps: float32


class Optimizer(NamedTuple):
    """`copies` of each trained tensor that it keeps, `operations` per learned scalar and step, and how many temporaries
    of a tensor's size an update takes in torch, one tensor after another."""

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


@dataclass(frozen=True)
class TrainStep:
    """A training step: cross-entropy of each output, gradients, and an update of what is not frozen.

    `freeze` is a pattern, several with commas, or a list of them, as graph/freezing.py reads them. `checkpoint` names
    rows of `show --depth 1` in the same way: each keeps only its inputs and is computed again for its gradients (Chen
    et al. 2016, arXiv:1604.06174; torch.utils.checkpoint). Raises UnknownName for an optimizer that does not exist.
    """

    optimizer: str = "sgd"
    freeze: tuple[str, ...] = ()
    freeze_statistics: bool = False  # batch normalisation that is frozen runs as at inference
    checkpoint: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, str) or self.optimizer not in OPTIMIZERS:
            raise unknown("optimizer", str(self.optimizer), OPTIMIZERS)
        for what in ("freeze", "checkpoint"):
            object.__setattr__(self, what, _patterns(what, getattr(self, what)))

    @property
    def words(self) -> str:
        """As a note has it: `sgd, frozen: conv1..conv4_x`."""
        frozen = f", frozen: {', '.join(self.freeze)}" if self.freeze else ""
        statistics = ", with frozen statistics" if self.freeze_statistics else ""
        again = f", checkpointed: {', '.join(self.checkpoint)}" if self.checkpoint else ""
        return f"{self.optimizer}{frozen}{statistics}{again}"


def _patterns(what: str, given: Any) -> tuple[str, ...]:
    """Patterns, one by one."""
    given = (given,) if isinstance(given, str) else given
    if not isinstance(given, (tuple, list)) or not all(isinstance(pattern, str) for pattern in given):
        raise UsageError(f"{what} is a pattern or a list of them, got {given!r}"[:120])
    names = tuple(name for pattern in given for name in split_names(pattern))
    if not all(names):
        raise UsageError(f"{what} has an empty pattern; leave it out")
    return names


DEFAULT_STEP = TrainStep()
NOTHING_TO_TRAIN = "nothing is left to train: all layers with weights are frozen"
