"""How much longer a training peak takes than an inference peak: `python tests/benchmarks/train_peak.py [--markdown]`.

- the memory of one network, as `costcalc memory` counts it, without and with `--train`: at most 4 times as long;
- `costcalc.sweep` of EfficientNet with `train_peak_bytes`, and with `peak_bytes`, the ten best points kept: at most 5
  times as long over r, d and w.

The two take turns in one process, each as often as `--turns` says. A ratio is that of two runs in a row. Seconds are
those of the processor. A sweep's sums are not cached from turn to turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from statistics import median
from typing import Any

import costcalc
from costcalc import report
from costcalc.analysis.sweep import sums_cache
from costcalc.analysis.training.memory_use import memory_use
from costcalc.table import Column, Table

NETS = ("vgg16", "resnet50", "mobilenet_v2", "efficientnet_b0", "efficientnet_b7")
COLUMNS = (
    Column("what", "", "text"), Column("points", "points"), Column("inference", "inference, ms", "figure"),
    Column("training", "training, ms", "figure"), Column("ratio", "ratio", "figure"),
    Column("spread", "of each turn", "figure"), Column("most", "at most", "figure"),
)  # fmt: skip


def axes_of(r: int, d: int, w: int) -> dict[str, tuple[Any, ...]]:
    """So many resolutions from 64 px on, depths in tenths and widths in twentieths from 1 on."""
    return {
        "r": tuple(range(64, 64 + r)),
        "d": tuple(Fraction(10 + i, 10) for i in range(d)),
        "w": tuple(Fraction(20 + i, 20) for i in range(w)),
    }


GRIDS = {
    "over r, d and w": axes_of(30, 30, 30),
    "over more of them": axes_of(60, 60, 60),
    "over r and w": {name: values for name, values in axes_of(170, 1, 170).items() if name != "d"},
    "over d": {"d": axes_of(1, 200, 1)["d"]},
}


def swept(metric: str, axes: dict[str, tuple[Any, ...]]) -> None:
    """Sweeps EfficientNet anew."""
    sums_cache._known.clear()
    costcalc.sweep(costcalc.load("efficientnet"), metrics=metric, top=10, **axes)


def in_turns(inference: Callable[[], Any], training: Callable[[], Any], turns: int) -> dict[str, Any]:
    """Milliseconds of both, and their ratio."""
    pairs = []
    for run in (inference, training):
        run()
    for _ in range(turns):
        taken = []
        for run in (inference, training):
            start = time.process_time()
            run()
            taken.append(1000 * (time.process_time() - start))
        pairs.append(taken)
    ratios = sorted(after / before for before, after in pairs)
    return {
        "inference": f"{median(before for before, _ in pairs):.1f}",
        "training": f"{median(after for _, after in pairs):.1f}",
        "ratio": f"{median(ratios):.2f}",
        "spread": f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
    }


def rows(turns: int) -> Iterator[dict[str, Any]]:
    for name in NETS:
        net = costcalc.load(name)
        memory = partial(memory_use, net), partial(memory_use, net, train=True)
        yield {"what": f"memory of {name}", "points": 1, **in_turns(*memory, turns), "most": "4"}
    for what, axes in GRIDS.items():
        sweeps = [partial(swept, metric, axes) for metric in ("peak_bytes", "train_peak_bytes")]
        points = costcalc.sweep("efficientnet", metrics="params", top=1, **axes).grid.size
        most = "5" if len(axes) == 3 else ""
        yield {"what": f"sweep {what}", "points": points, **in_turns(*sweeps, turns), "most": most}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    table = Table("training peaks beside inference peaks", COLUMNS, [*rows(asked.turns)])
    report.emit([table], {}, format="markdown" if asked.markdown else None)


if __name__ == "__main__":
    main()
