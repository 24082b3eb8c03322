"""Our built modules beside torchvision's own, in turns: `python tests/benchmarks/overhead.py`.

Needs torchvision, whose padding and weights ours gets for this: TensorFlow's 'same' copies its input where the stride
is 2. The ratio of medians is to be at most 1.02 on a CPU: a graph module has no interpreter at run time. Between
processes the same two modules differ by up to a twentieth either way, as their weights come to lie in memory, so that
each line is the median of several processes, and each of both is made first in half of them.

glibc gives freed memory back and gets it anew, page by page, for the next tensor; which of two modules with the same
tensors has more of that is chance, and it takes more than half of the time of mobilenet_v2 with eight images. Here it
keeps what is freed, unless `--default-malloc` is given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from torch import nn
from torchvision import models
from zoo import as_torchvision, with_weights_of

import costcalc
from costcalc import report
from costcalc.table import Column, Table
from costcalc.torch_backend import build
from costcalc.torch_backend.step import Clock
from costcalc.torch_backend.worker import warm_up

KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}  # glibc's, read as a process starts
NETS = ("resnet50", "mobilenet_v2", "efficientnet_b0")
COLUMNS = (
    Column("network", "network", "text"),
    Column("batch", "batch"),
    Column("theirs", "torchvision, ms", "figure"),
    Column("ours", "costcalc, ms", "figure"),
    Column("ratio", "ratio", "figure"),
    Column("all", "of each process", "figure"),
)


def timed(module: nn.Module, x: torch.Tensor, clock: Clock) -> list[float]:
    """Seconds of one call."""
    with torch.inference_mode():
        start = clock.mark()
        module(x)
        return clock.seconds([start, clock.mark()])


def in_turns(name: str, batch: int, turns: int, ours_first: bool) -> tuple[float, float]:
    """Median seconds of torchvision's module and of ours, both with torchvision's padding."""
    clock, net = Clock("cpu"), costcalc.load(name)
    makers = (getattr(models, name), lambda: build(as_torchvision(net.graph(unrolled=True), 1e-5)))
    made = {which: makers[which]().eval() for which in ((1, 0) if ours_first else (0, 1))}
    modules = made[0], with_weights_of(made[0], made[1])
    x = torch.randn(batch, 3, net.knobs["r"], net.knobs["r"])
    for module in modules:
        warm_up(lambda module=module: timed(module, x, clock))
    times: tuple[list[float], list[float]] = [], []
    for turn in range(turns):
        for which in (0, 1) if turn % 2 else (1, 0):  # neither always follows the other
            times[which].extend(timed(modules[which], x, clock))
    return median(times[0]), median(times[1])


def row(name: str, batch: int, turns: int, processes: int, kept: dict[str, str]) -> dict[str, object]:
    """The medians of several processes, each of which times both."""
    words = [sys.executable, __file__, "--turns", str(turns), "--one", name, str(batch)]
    found = []
    for number in range(processes):
        command = [*words, *(["--ours-first"] if number % 2 else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | kept)
        found.append(json.loads(done.stdout))
    ratios = sorted(ours / theirs for theirs, ours in found)
    return {
        "network": name,
        "batch": batch,
        "theirs": f"{1000 * median(theirs for theirs, _ in found):.2f}",
        "ours": f"{1000 * median(ours for _, ours in found):.2f}",
        "ratio": f"{median(ratios):.3f}",
        "all": " ".join(f"{ratio:.3f}" for ratio in ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "BATCH"), help=argparse.SUPPRESS)
    parser.add_argument("--ours-first", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--default-malloc", action="store_true", help="let glibc give memory back")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(in_turns(chosen.one[0], int(chosen.one[1]), chosen.turns, chosen.ours_first)))
        return
    kept = {} if chosen.default_malloc else KEPT
    rows = [row(name, batch, chosen.turns, chosen.processes, kept) for name in NETS for batch in (1, 8)]
    turns = f"{chosen.turns} turns in each of {chosen.processes} processes"
    about = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {turns}"
    report.emit([Table(about, COLUMNS, rows)], {"rows": rows}, format="markdown" if chosen.markdown else None)


if __name__ == "__main__":
    main()
