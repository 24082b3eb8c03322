"""The cost of the rows of a sweep: `python tests/benchmarks/stream.py [--points 1e7] [--markdown]`.

EfficientNet over r, d and w with all metrics, in one process: all rows to a CSV and to a Parquet file, the best ten,
and a histogram. Processor time is that of this process; by the clock it takes longer beside other work, or where the
disk is slow.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from costcalc import histogram, load, report, sweep, write_sweep
from costcalc.table import Column, Table

MORE = 25  # times as many points where no rows are made


def measured(work: Callable[[], Any], points: int) -> dict[str, Any]:
    """Seconds by the clock and of the processor, and points in one of the latter."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "rate": round(points / cpu)}


def grid(points: float) -> tuple[dict[str, Any], int]:
    """About so many points, and how many exactly."""
    each = round(points ** (1 / 3))
    steps = [1 + i / 200 for i in range(each)]
    axes = {"r": range(64, 64 + round(points / each**2)), "d": steps, "w": steps}
    return axes, len(axes["r"]) * each**2


def rows(points: float) -> Iterator[dict[str, Any]]:
    """A line for each way to use a grid."""
    net = load("efficientnet")
    axes, size = grid(points)
    for suffix in ("csv", "parquet"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a.{suffix}"
            row = measured(partial(write_sweep, net, path, resume=True, **axes), size)
            yield {"what": f"all rows to a .{suffix}", "points": size, **row, "bytes": path.stat().st_size / size}
    axes, size = grid(MORE * points)
    best, counts = partial(sweep, net, top=10, by="-macs", **axes), partial(histogram, net, "macs", **axes)
    yield {"what": "the ten with the most MACs", "points": size, **measured(best, size)}
    yield {"what": "a histogram of MACs", "points": size, **measured(counts, size)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=float, default=1e7)
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    columns = (
        Column("what", "what", "text"), Column("points", "points"), Column("wall", "seconds", "measured"),
        Column("cpu", "of the processor", "measured"), Column("rate", "points in one of these"),
        Column("bytes", "bytes a row", "brief"),
    )  # fmt: skip
    report.emit(
        [Table("EfficientNet over r, d and w", columns, [*rows(asked.points)])],
        {},
        format="markdown" if asked.markdown else None,
    )


if __name__ == "__main__":
    main()
