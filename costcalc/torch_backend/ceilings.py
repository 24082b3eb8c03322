"""The ceilings of a device (as in a roofline): the rates of one large matrix product and one large copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from costcalc.torch_backend.runner import Clock
from costcalc.torch_backend.settings import Settings

RUNS = 7


@dataclass(frozen=True)
class Ceilings:
    """Multiply–accumulates per second, and bytes read and written per second."""

    macs_per_second: float
    bytes_per_second: float


def ceilings(settings: Settings) -> Ceilings:
    """The rates of the fastest of a few runs, with the device, threads and precision of the settings."""
    gpu = settings.device.startswith("cuda")
    n, elements = (8192, 2**28) if gpu else (2048, 2**26)
    dtype, clock = getattr(torch, settings.dtype), Clock(settings.device)
    with torch.device(settings.device), torch.inference_mode():
        a, b, out = (torch.ones(n, n, dtype=dtype) for _ in range(3))
        product = _fastest_seconds(clock, lambda: torch.mm(a, b, out=out))
        source, target = (torch.ones(elements // 4, dtype=torch.float32) for _ in range(2))
        copy = _fastest_seconds(clock, lambda: target.copy_(source))
    return Ceilings(n**3 / product, 2 * 4 * (elements // 4) / copy)


def _fastest_seconds(clock: Clock, work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = clock.mark()
        work()
        times += clock.seconds([start, clock.mark()])
    return min(times)
