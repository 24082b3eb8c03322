"""Our built modules beside torchvision's own, run in turns in one process: `python tests/benchmarks/overhead.py`.

Needs torchvision, whose padding ours gets for this: TensorFlow's 'same' copies its input where the stride is 2. The
ratio of medians is to be at most 1.02 on a CPU: a graph module has no interpreter at run time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from torch import nn
from torchvision import models
from zoo import as_torchvision

import costcalc
from costcalc import report
from costcalc.table import Column, Table
from costcalc.torch_backend import build
from costcalc.torch_backend.samples import ratio
from costcalc.torch_backend.step import Clock
from costcalc.torch_backend.worker import warm_up

NETS = ("resnet50", "mobilenet_v2", "efficientnet_b0")
COLUMNS = (
    Column("network", "network", "text"),
    Column("batch", "batch"),
    Column("theirs", "torchvision, ms", "figure"),
    Column("ours", "costcalc, ms", "figure"),
    Column("ratio", "ratio", "figure"),
    Column("interval", "95 %", "figure"),
)


def timed(module: nn.Module, x: torch.Tensor, clock: Clock) -> list[float]:
    """Seconds of one call."""
    with torch.inference_mode():
        start = clock.mark()
        module(x)
        return clock.seconds([start, clock.mark()])


def row(name: str, batch: int, turns: int, clock: Clock) -> dict[str, object]:
    net = costcalc.load(name)
    theirs, ours = getattr(models, name)().eval(), build(as_torchvision(net.graph(unrolled=True), 1e-5))
    x = torch.randn(batch, 3, net.knobs["r"], net.knobs["r"])
    for module in (theirs, ours):
        warm_up(lambda module=module: timed(module, x, clock))
    times: tuple[list[float], list[float]] = [], []
    for turn in range(turns):
        order = (0, 1) if turn % 2 else (1, 0)  # neither always follows the other
        for which in order:
            times[which].extend(timed((theirs, ours)[which], x, clock))
    found = ratio(times[1], times[0])
    return {
        "network": name,
        "batch": batch,
        "theirs": f"{1000 * median(times[0]):.2f}",
        "ours": f"{1000 * median(times[1]):.2f}",
        "ratio": f"{median(times[1]) / median(times[0]):.3f}",
        "interval": f"{found.low:.3f} to {found.high:.3f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    clock = Clock("cpu")
    rows = [row(name, batch, chosen.turns, clock) for name in NETS for batch in (1, 8)]
    about = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.turns} turns each"
    report.emit([Table(about, COLUMNS, rows)], {"rows": rows}, format="markdown" if chosen.markdown else None)


if __name__ == "__main__":
    main()
