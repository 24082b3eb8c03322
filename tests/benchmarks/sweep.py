"""How fast a sweep is: `python tests/benchmarks/sweep.py [--points 1e9] [--markdown]`.

EfficientNet on grids of r, d and w with params, macs and activations, in one process and in two; beside it the same
net written by hand for numpy, on the same stretched axes and on the same blocks, and what building and counting
each point with torch would take (20 points, extrapolated), counted by fvcore where it is installed. The first time is
that of a network nobody has swept in this process, of which the rules are asked; where there are times again, they are
the least in two seconds of runs. From 10^8 points on there is one run, the first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

import costcalc
from costcalc import report
from costcalc.analysis.sweep.chunks import POINTS
from costcalc.analysis.sweep.grid import Grid
from costcalc.analysis.sweep.partition import partitioned_sums
from costcalc.analysis.sweep.totals import sums
from costcalc.table import Column, Table
from costcalc.workers.local_processes import LocalProcesses
from costcalc.workers.worker_pool import ordered_map

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
    for part in block.blocks(POINTS[1]):
        r, d, w = (
            np.array([int(value * by) for value in part.axes[name]], dtype=np.int64).reshape(shape)
            for name, by, shape in (("r", 1, (-1, 1, 1)), ("d", 10, (1, -1, 1)), ("w", 20, (1, 1, -1)))
        )
        largest.append([int(np.broadcast_to(x, part.shape).max()) for x in by_hand(r, d, w)])
    return largest


def block_by_rules(net: costcalc.Net, block: Grid) -> Any:
    """A block as a sweep works it out, and its largest numbers."""
    found = partitioned_sums(net, block, METRICS)
    inner = (found.at(part) for part in block.blocks(POINTS[1]))
    return [[int(np.broadcast_to(one.values[name], one.block.shape).max()) for name in METRICS] for one in inner]


def grid_of(points: float) -> Grid:
    """About so many points: r in steps of 1, depths in tenths, widths in twentieths."""
    each = round(points ** (1 / 3))
    return Grid({
        "r": tuple(range(64, 64 + round(points / each**2))),
        "d": tuple(Fraction(10 + i, 10) for i in range(each)),
        "w": tuple(Fraction(20 + i, 20) for i in range(each)),
    })  # fmt: skip


def seconds(work: Callable[[Grid], Any], grid: Grid, least: float = 0.0, spread: Any = map) -> float:
    """The least time for all blocks of a grid, in so many seconds of runs, or one run."""
    taken: list[float] = []
    while not taken or sum(taken) < least:
        start = time.perf_counter()
        for _ in spread(work, grid.blocks(POINTS[0])):
            pass
        taken.append(time.perf_counter() - start)
    return min(taken)


def with_torch(net: costcalc.Net, grid: Grid) -> tuple[float, str]:
    """Seconds a point, and who counted which module, built anew."""
    import torch

    from costcalc.torch_backend import build

    count, device, name = counter()
    rng = np.random.default_rng(1)
    points = [{name: values[rng.integers(len(values))] for name, values in grid.axes.items()} for _ in range(SAMPLE)]
    start = time.perf_counter()
    for point in points:
        module = build(net.with_knobs(**point).graph(), device=device)
        found = count(module.eval(), torch.zeros(1, 3, point["r"], point["r"], device=device))
        assert found > 0
    return (time.perf_counter() - start) / SAMPLE, name


def counter() -> tuple[Callable[[Any, Any], int], str, str]:
    """What counts a module that is given an input, on which device it can, and what it is called."""
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
    rules = partial(block_by_rules, net)
    small = grid_of(1000)
    for block in small.blocks(POINTS[0]):
        check(net, block)
    with LocalProcesses(2) as two:
        list(ordered_map(two, rules, [next(small.blocks(POINTS[0]))] * 4))  # so that both have imported what they need
        for power in range(4, 10):
            if 10**power > most:
                break
            grid, least = grid_of(10**power), 2.0 if power < 8 else 0.0
            anew = partial(block_by_rules, type(net)(replace(net.spec), net.settings, net.label))
            first = seconds(anew, grid)
            ours, theirs = seconds(anew, grid, least) if power < 8 else first, seconds(block_by_hand, grid, least)
            both = seconds(rules, grid, least, partial(ordered_map, two)) if power > 5 else None
            yield {
                "points": grid.size, "first": 1000 * first, "ours": grid.size / ours, "both": both and grid.size / both,
                "hand": grid.size / theirs, "ratio": theirs / ours,
            }  # fmt: skip


def line_through(points: Sequence[int], rates: Sequence[float]) -> str:
    """Seconds as a start and so much a point, that miss the measured ones by the least in proportion."""
    n, measured = np.array(points), np.array(points) / np.array(rates)
    (start, each), *_ = np.linalg.lstsq(np.stack([1 / measured, n / measured], 1), np.ones(len(n)), rcond=None)
    missed = abs((start + each * n) / measured - 1).max()
    return f"{1000 * start:.0f} ms and {1e9 * each:.1f} ns a point, which misses no line by more than {missed:.0%}"


def check(net: costcalc.Net, block: Grid) -> None:
    """Params, MACs and activations by hand are those of the rules, or nothing here means anything."""
    found = sums(net, block, METRICS).at(next(block.blocks(block.size)))
    r, d, w = (np.array([int(v * by) for v in block.axes[k]]) for k, by in (("r", 1), ("d", 10), ("w", 20)))
    for name, hand in zip(METRICS, by_hand(r[:, None, None], d[None, :, None], w[None, None, :])):
        assert (np.broadcast_to(hand, block.shape) == np.broadcast_to(found.values[name], block.shape)).all(), name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=float, default=1e7)
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    columns = (
        Column("points", "points"), Column("first", "the first time, ms"),
        Column("ours", "costcalc, points/s"), Column("both", "in two processes"),
        Column("hand", "by hand in numpy, points/s"), Column("ratio", "of its speed", "share"),
    )  # fmt: skip
    each, who = with_torch(costcalc.load("efficientnet"), grid_of(1e4))
    found = [{k: round(v) if k not in ("ratio",) and v else v for k, v in row.items()} for row in rows(asked.points)]
    rate = found[-1]["ours"]
    line = f"in one process {line_through([row['points'] for row in found], [row['ours'] for row in found])}"
    note = (
        f"built and counted one by one with {who}: {1000 * each:.0f} ms a point "
        f"(mean of {SAMPLE}, extrapolated), {each * rate:,.0f} times as long"
    )
    report.emit(
        [Table("EfficientNet over r, d and w", columns, found, None, [line, note])],
        {},
        format="markdown" if asked.markdown else None,
    )


if __name__ == "__main__":
    import sweep  # this file: workers find a function by the name of its module, and do not run the script

    sweep.main()
