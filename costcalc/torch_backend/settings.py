"""The settings of a timed run: device, batch, dtype, engine, mode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from costcalc.dtype import MIXED
from costcalc.errors import CostcalcError, unknown
from costcalc.train_step import DEFAULT_STEP, OPTIMIZERS

DTYPES = ("float32", "float16", "bfloat16", MIXED)
LOSS = "cross-entropy"  # of each output, added up
ENGINES = ("eager", "compile", "cuda_graph")


class BadSetting(CostcalcError):
    """A setting that does not exist, or excludes another."""


@dataclass(frozen=True)
class Settings:
    """How a network is timed. `threads`: of one operation. `optimizer` and `freeze_statistics`: of a training step."""

    device: str = "cpu"
    batch: int = 1
    dtype: str = "float32"
    engine: str = "eager"
    train: bool = False
    channels_last: bool = False
    threads: int | None = None
    tf32: bool = False
    optimizer: str = DEFAULT_STEP.optimizer
    freeze_statistics: bool = DEFAULT_STEP.freeze_statistics

    def __post_init__(self) -> None:
        for what, said, known in (
            ("dtype", self.dtype, DTYPES), ("engine", self.engine, ENGINES),
            ("optimizer", self.optimizer, tuple(OPTIMIZERS)),
        ):  # fmt: skip
            if said not in known:
                raise BadSetting(*unknown(what, said, known).said)
        if self.engine == "cuda_graph" and not self.device.startswith("cuda"):
            raise BadSetting(f"a CUDA graph needs a CUDA device, not {self.device}")
        if self.engine == "cuda_graph" and self.train:
            raise BadSetting("a CUDA graph is captured for inference only; leave out --train")
        if self.dtype == MIXED and not self.train:
            raise BadSetting("mixed precision is about a training step; add --train, or take --dtype bfloat16")
        if self.tf32 and not self.device.startswith("cuda"):
            raise BadSetting(f"TF32 is an arithmetic of CUDA devices, not of {self.device}; leave out --tf32")
        if self.batch < 1:
            raise BadSetting(f"batch must be at least 1, got {self.batch}")

    @property
    def bytes_per_element(self) -> int:
        """Of a weight: 4 in float32 and in mixed precision, else 2."""
        return 4 if self.dtype in ("float32", MIXED) else 2

    def to_dict(self) -> dict[str, Any]:
        """The settings as the store keeps them, with the mode as text; those of a training step with its loss."""
        found = {**asdict(self), "mode": "train" if self.train else "infer"}
        if self.train:
            return {**found, "loss": LOSS}
        return {name: value for name, value in found.items() if name not in ("optimizer", "freeze_statistics")}
