"""How fast a sweep is: `python tests/benchmarks/sweep.py [--points 1e9] [--markdown]`.

EfficientNet on grids of r, d and w with params, macs and activations, the ten points with the most MACs kept:

- the first sweep of a process, without and with what it takes to start: a fresh process for each;
- the same sweep again, whose sums are cached if the grid is small;
- the command `costcalc sweep … --top 10`, and `-o FILE.csv`, up to ten million points;
- the same net written by hand for numpy, on the same stretched axes and blocks, without a choice;
- building and counting each point with torch (20 points, extrapolated), by fvcore where it is installed.

Up to 10^7 points each is the least of three. Larger grids are swept once. Seconds are those of the processor: by the
clock it takes longer beside other work.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import costcalc
from costcalc import report
from costcalc.analysis.sweep.chunks import BLOCK_POINTS, CHUNK_POINTS
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.totals import sums
from costcalc.table import Column, Table

METRICS = ("params", "macs", "activations")
STAGES = (  # expansion, kernel, stride, channels, layers: Tan and Le 2019, table 1
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)  # fmt: skip
SAMPLE = 20


def rounded(twentieths: Any, channels: int) -> Any:
    """`round_filters` for a width in twentieths."""
    x = channels * twentieths  # twentieths
    to_8 = np.maximum(8, (x + 80) // 160 * 8)
    return to_8 + 8 * (200 * to_8 < 9 * x)


def by_hand(r: Any, d_tenths: Any, w_twentieths: Any) -> tuple[Any, Any, Any]:
    """Params, MACs and activations of EfficientNet as numpy arrays, written for this net and nothing else."""
    r = -(-r // 2)
    c = rounded(w_twentieths, 32)
    params, macs, acts = 29 * c, 27 * c * r * r, 3 * c * r * r
    for expand, k, stride, channels, layers in STAGES:
        out, first = rounded(w_twentieths, channels), c
        for times, c_in, s in ((1, first, stride), (-(-layers * d_tenths // 10) - 1, out, 1)):
            mid, squeezed, before = expand * c_in, c_in // 4, r
            r = -(-r // s)
            p = (c_in * mid + 2 * mid) * (expand > 1) + k * k * mid + 2 * mid + mid * out + 2 * out
            p = p + 2 * mid * squeezed + squeezed + mid
            m = (
                c_in * mid * before * before * (expand > 1)
                + k * k * mid * r * r
                + mid * out * r * r
                + 2 * mid * squeezed
            )
            a = 3 * mid * before * before * (expand > 1) + 4 * mid * r * r + 2 * out * r * r + 3 * mid + 2 * squeezed
            a = a + out * r * r * (s == 1) * (c_in is out)
            params, macs, acts = params + times * p, macs + times * m, acts + times * a
        c = out
    head = rounded(w_twentieths, 1280)
    params = params + c * head + 2 * head + 1000 * head + 1000
    return params, macs + c * head * r * r + 1000 * head, acts + 3 * head * r * r + head + 1000


def block_by_hand(block: Grid) -> Any:
    """The same for a block, and its largest number, so that nothing is left undone."""
    largest = []
    for part in block.blocks(BLOCK_POINTS):
        r, d, w = (
            np.array([int(value * by) for value in part.axes[name]], dtype=np.int64).reshape(shape)
            for name, by, shape in (("r", 1, (-1, 1, 1)), ("d", 10, (1, -1, 1)), ("w", 20, (1, 1, -1)))
        )
        largest.append([int(np.broadcast_to(x, part.shape).max()) for x in by_hand(r, d, w)])
    return largest


def grid_of(points: float) -> Grid:
    """About so many points: r in steps of 1, depths in tenths, widths in twentieths."""
    each = round(points ** (1 / 3))
    return Grid({
        "r": tuple(range(64, 64 + round(points / each**2))),
        "d": tuple(Fraction(10 + i, 10) for i in range(each)),
        "w": tuple(Fraction(20 + i, 20) for i in range(each)),
    })  # fmt: skip


def by_hand_seconds(grid: Grid) -> float:
    """The time that the function written by hand takes for all blocks of a grid."""
    start = time.process_time()
    for block in grid.blocks(CHUNK_POINTS):
        block_by_hand(block)
    return time.process_time() - start


def first_and_again(points: float) -> tuple[float, float]:
    """Seconds of the first sweep in this process, and of the same sweep after it."""
    net, axes = costcalc.load("efficientnet"), grid_of(points).axes
    taken = []
    for _ in range(2):
        start = time.process_time()
        costcalc.sweep(net, metrics=METRICS, top=10, by="-macs", **axes)
        taken.append(time.process_time() - start)
    return taken[0], taken[1]


def in_a_fresh_process(points: float) -> tuple[float, float]:
    """The same of a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--first", str(points)], capture_output=True, text=True, check=True
    )
    first, again = done.stdout.split()
    return float(first), float(again)


def command_seconds(grid: Grid, *more: str) -> float:
    """The time that `costcalc sweep` takes in one process, from its start to its end."""
    texts = [f"{name}={_range_text(values)}" for name, values in grid.axes.items()]
    words = ["sweep", "efficientnet", *texts, "--metrics", ",".join(METRICS), "--workers", "1", *more]
    before = _of_children()
    subprocess.run([sys.executable, "-m", "costcalc", *words], capture_output=True, check=True)
    return _of_children() - before


def _of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _range_text(values: tuple[Any, ...]) -> str:
    step = values[1] - values[0]
    return ":".join(f"{float(x):.10g}" for x in (values[0], values[-1], step))


def with_torch(net: costcalc.Net, grid: Grid) -> tuple[float, str]:
    """Seconds a point to build and count a module, and the name of the counter."""
    import torch

    from costcalc.torch_backend import build

    count, device, name = counter()
    rng = np.random.default_rng(1)
    points = [{name: values[rng.integers(len(values))] for name, values in grid.axes.items()} for _ in range(SAMPLE)]
    start = time.process_time()
    for point in points:
        module = build(net.with_knobs(**point).graph(), device=device)
        found = count(module.eval(), torch.zeros(1, 3, point["r"], point["r"], device=device))
        assert found > 0
    return (time.process_time() - start) / SAMPLE, name


def counter() -> tuple[Callable[[Any, Any], int], str, str]:
    """A function that counts a module on an input, the device it needs, and its name."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def by_torch(module: Any, x: Any) -> int:
        with torch.no_grad(), FlopCounterMode(display=False) as found:
            module(x)
        return found.get_total_flops()

    try:
        from fvcore.nn import FlopCountAnalysis
    except ImportError:
        return by_torch, "meta", "torch's counter on the meta device"

    def by_fvcore(module: Any, x: Any) -> int:
        return FlopCountAnalysis(module, x).unsupported_ops_warnings(False).total()

    return by_fvcore, "cpu", "fvcore, which runs it"


def rows(most: float) -> Iterable[dict[str, Any]]:
    """A line for each size."""
    net = costcalc.load("efficientnet")
    for block in grid_of(1000).blocks(CHUNK_POINTS):
        check(net, block)
    with tempfile.TemporaryDirectory() as folder:
        for power in range(4, 10):
            if 10**power > most:
                break
            grid, file = grid_of(10**power), str(Path(folder) / "a.csv")
            times = range(3 if power < 8 else 1)
            first, again = map(min, zip(*[in_a_fresh_process(10**power) for _ in times]))
            csv = [command_seconds(grid, "-o", file, "--restart") for _ in times if power < 8]
            yield {
                "points": grid.size, "first": first, "rate": grid.size / first, "again": again,
                "hand": grid.size / min(by_hand_seconds(grid) for _ in times),
                "top": min(command_seconds(grid, "--top", "10", "--by", "-macs") for _ in times),
                "csv": min(csv) if csv else None,
            }  # fmt: skip


def check(net: costcalc.Net, block: Grid) -> None:
    """Params, MACs and activations by hand are those of the rules, or the benchmark has no meaning."""
    found = sums(net, block, METRICS).at(next(block.blocks(block.size)))
    r, d, w = (np.array([int(v * by) for v in block.axes[k]]) for k, by in (("r", 1), ("d", 10), ("w", 20)))
    for name, hand in zip(METRICS, by_hand(r[:, None, None], d[None, :, None], w[None, None, :])):
        assert (np.broadcast_to(hand, block.shape) == np.broadcast_to(found.values[name], block.shape)).all(), name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=float, default=1e7)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--first", type=float, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.first:
        print(*first_and_again(asked.first))
        return
    columns = (
        Column("points", "points"), Column("first", "first sweep, s", "real"), Column("rate", "points/s"),
        Column("again", "again, s", "real"), Column("hand", "by hand in numpy, points/s"),
        Column("top", "command --top 10, s", "real"), Column("csv", "command -o FILE.csv, s", "real"),
    )  # fmt: skip
    each, who = with_torch(costcalc.load("efficientnet"), grid_of(1e4))
    found = [{**row, "rate": round(row["rate"]), "hand": round(row["hand"])} for row in rows(asked.points)]
    note = (
        f"built and counted one by one with {who}: {1000 * each:.0f} ms a point "
        f"(mean of {SAMPLE}, extrapolated), {each * found[-1]['rate']:,.0f} times as long"
    )
    report.emit(
        [Table("EfficientNet over r, d and w", columns, found, None, [note])],
        {},
        format="markdown" if asked.markdown else None,
    )


if __name__ == "__main__":
    main()
