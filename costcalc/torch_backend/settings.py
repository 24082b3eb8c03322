"""The settings of a timed run: device, batch, dtype, engine, mode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from costcalc.errors import CostcalcError, unknown

DTYPES = ("float32", "float16", "bfloat16")
ENGINES = ("eager", "compile", "cuda_graph")


class BadSetting(CostcalcError):
    """A setting that does not exist, or excludes another."""


@dataclass(frozen=True)
class Settings:
    """How a network is timed. `threads`: of one operation."""

    device: str = "cpu"
    batch: int = 1
    dtype: str = "float32"
    engine: str = "eager"
    train: bool = False
    channels_last: bool = False
    threads: int | None = None
    tf32: bool = False

    def __post_init__(self) -> None:
        for what, said, known in (("dtype", self.dtype, DTYPES), ("engine", self.engine, ENGINES)):
            if said not in known:
                raise BadSetting(*unknown(what, said, known).said)
        if self.engine == "cuda_graph" and not self.device.startswith("cuda"):
            raise BadSetting(f"a CUDA graph needs a CUDA device, not {self.device}")
        if self.engine == "cuda_graph" and self.train:
            raise BadSetting("a CUDA graph is captured for inference only; leave out --train")
        if self.tf32 and not self.device.startswith("cuda"):
            raise BadSetting(f"TF32 is an arithmetic of CUDA devices, not of {self.device}; leave out --tf32")
        if self.batch < 1:
            raise BadSetting(f"batch must be at least 1, got {self.batch}")

    @property
    def bytes_per_element(self) -> int:
        """4 for float32, else 2."""
        return 4 if self.dtype == "float32" else 2

    def to_dict(self) -> dict[str, Any]:
        """The settings as the store keeps them, with the mode as text."""
        return {**asdict(self), "mode": "train" if self.train else "infer"}
