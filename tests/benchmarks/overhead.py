"""Our built modules beside torchvision's own, in turns: `python tests/benchmarks/overhead.py`.

Needs torchvision, whose padding and weights ours gets for this: TensorFlow's 'same' copies its input where the stride
is 2. The ratio of medians is to be at most 1.02 on a CPU: a graph module has no interpreter at run time.

Each of the two runs in a process of its own, and they take turns: in one process they would share a heap, and our
module's way to keep freed memory would help both. The ratio varies by a tenth between pairs of processes, with the
places of tensors in memory: each line is the median of several pairs, and each of the two starts first in half of them.
With `--keep-memory` both keep freed memory, and only their code differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from subprocess import PIPE
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from support.zoo import as_torchvision, with_weights_of
from torch import nn
from torchvision import models

import costcalc
from costcalc import report
from costcalc.table import Column, Table
from costcalc.torch_backend import build
from costcalc.torch_backend.runner import Clock
from costcalc.torch_backend.worker import warm_up

KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}  # glibc's, read as a process starts
THEIRS, OURS = "theirs", "ours"
NETS = ("resnet50", "mobilenet_v2", "efficientnet_b0")
COLUMNS = (
    Column("network", "network", "text"),
    Column("batch", "batch"),
    Column("theirs", "torchvision, ms", "figure"),
    Column("ours", "costcalc, ms", "figure"),
    Column("ratio", "ratio", "figure"),
    Column("all", "of each pair", "figure"),
)


def timed(module: nn.Module, x: torch.Tensor, clock: Clock) -> list[float]:
    """Seconds of one call."""
    with torch.inference_mode():
        start = clock.mark()
        module(x)
        return clock.seconds([start, clock.mark()])


def made(which: str, name: str, net: costcalc.Net, weights: str) -> nn.Module:
    """One of the two, with torchvision's padding and weights; where that is ours, torchvision's is not kept."""
    kept = torch.load(weights, mmap=True)
    with torch.device("meta" if which == OURS else "cpu"):
        theirs = getattr(models, name)()
    theirs.load_state_dict(kept, assign=which == OURS)
    if which == THEIRS:
        return theirs.eval()
    return with_weights_of(theirs, build(as_torchvision(net.graph(unrolled=True), 1e-5))).eval()


def answer(which: str, name: str, batch: int, weights: str) -> None:
    """Builds one of the two, warms it up at the first line that comes in, and times it once at each other."""
    clock, net = Clock("cpu"), costcalc.load(name)
    module = made(which, name, net, weights)
    x = torch.randn(batch, 3, net.values["r"], net.values["r"])
    print(flush=True)
    sys.stdin.readline()
    warm_up(lambda: timed(module, x, clock))
    print(flush=True)
    for _ in sys.stdin:
        print(*timed(module, x, clock), flush=True)


def in_turns(words: list[str], turns: int, first: str, kept: dict[str, str]) -> dict[str, float]:
    """Median seconds of both, from two processes that wait for each other."""
    with ExitStack() as stack:
        asked = {which: stack.enter_context(_process([which, *words], kept)) for which in _order(first)}
        for process in asked.values():
            _answer(process)  # built
        for process in asked.values():
            _say(process)  # warm
        times: dict[str, list[float]] = {THEIRS: [], OURS: []}
        for turn in range(turns):
            for which in _order((THEIRS, OURS)[turn % 2]):  # neither always follows the other
                times[which].append(float(_say(asked[which])))
    return {which: median(each) for which, each in times.items()}


def _order(first: str) -> tuple[str, str]:
    return (THEIRS, OURS) if first == THEIRS else (OURS, THEIRS)


@contextmanager
def _process(words: list[str], kept: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, __file__, "--answer", *words]
    with subprocess.Popen(line, text=True, stdin=PIPE, stdout=PIPE, env=os.environ | kept) as process:
        yield process
        process.communicate()


def _say(process: subprocess.Popen[str]) -> str:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
    return _answer(process)


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline()


def row(name: str, batch: int, turns: int, pairs: int, kept: dict[str, str]) -> dict[str, object]:
    """The medians of several pairs of processes."""
    with TemporaryDirectory() as folder:
        weights = f"{folder}/weights.pt"
        torch.save(getattr(models, name)().state_dict(), weights)
        words = [name, str(batch), weights]
        found = [in_turns(words, turns, (THEIRS, OURS)[number % 2], kept) for number in range(pairs)]
    ratios = sorted(each[OURS] / each[THEIRS] for each in found)
    return {
        "network": name,
        "batch": batch,
        "theirs": f"{1000 * median(each[THEIRS] for each in found):.2f}",
        "ours": f"{1000 * median(each[OURS] for each in found):.2f}",
        "ratio": f"{median(ratios):.3f}",
        "all": " ".join(f"{ratio:.3f}" for ratio in ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--answer", nargs=4, metavar=("WHICH", "NAME", "BATCH", "WEIGHTS"), help=argparse.SUPPRESS)
    parser.add_argument("--keep-memory", action="store_true", help="have glibc keep what is freed")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    if chosen.answer:
        which, name, batch, weights = chosen.answer
        answer(which, name, int(batch), weights)
        return
    kept = KEPT if chosen.keep_memory else {}
    rows = [row(name, batch, chosen.turns, chosen.pairs, kept) for name in NETS for batch in (1, 8)]
    turns = f"{chosen.turns} turns in each of {chosen.pairs} pairs of processes"
    about = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {turns}"
    report.emit([Table(about, COLUMNS, rows)], {"rows": rows}, format="markdown" if chosen.markdown else None)


if __name__ == "__main__":
    main()
